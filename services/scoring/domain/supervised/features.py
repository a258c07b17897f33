"""Rows of named features as numbers: categories one column each, numbers as they are, NaN where nothing is known."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.scoring.domain.fitting import Floats

Value = float | str | None
Row = Mapping[str, Value]
MAX_LEVELS = 30
MIN_LEVEL_ROWS = 10
"""A category seen less often is like one never seen: none of the columns."""


@dataclass(frozen=True)
class Encoder:
    """What was seen in the rows that it was made from. A feature is a category if it ever was a text there."""

    numbers: tuple[str, ...]
    levels: tuple[tuple[str, str], ...]
    """(feature, text): one column each, 1 where it is so. Of two texts that a feature has, one says all."""

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Encoder":
        names = sorted({name for row in rows for name in row})
        texts = {name for name in names if any(isinstance(row.get(name), str) for row in rows)}
        levels = [(name, level) for name in names if name in texts for level in _levels(rows, name)]
        return cls(tuple(name for name in names if name not in texts), tuple(levels))

    @property
    def features(self) -> tuple[str, ...]:
        """Whose column each is, for `matrix`."""
        return (*self.numbers, *(name for name, _ in self.levels))

    def matrix(self, rows: Sequence[Row]) -> Floats:
        """(rows, columns). Unknown features are ignored; a number that came as a text is unknown."""
        encoded = np.zeros((len(rows), len(self.features)))
        for column, name in enumerate(self.numbers):
            encoded[:, column] = [_number(row.get(name)) for row in rows]
        for column, (name, level) in enumerate(self.levels, start=len(self.numbers)):
            encoded[:, column] = [row.get(name) == level for row in rows]
        return encoded

    def as_json(self) -> dict[str, Any]:
        return {"numbers": self.numbers, "levels": self.levels}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Encoder":
        return cls(tuple(data["numbers"]), tuple((name, level) for name, level in data["levels"]))


def _levels(rows: Sequence[Row], name: str) -> list[str]:
    seen = Counter(value for row in rows if isinstance(value := row.get(name), str))
    often = [level for level, count in seen.most_common(MAX_LEVELS) if count >= MIN_LEVEL_ROWS]
    return sorted(often)[1:] if len(often) == len(seen) == 2 else sorted(often)


def _number(value: Value) -> float:
    return float("nan") if value is None or isinstance(value, str) else float(value)
