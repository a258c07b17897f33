"""The fields that are defined, as an instance knows them, and what they make of what is said."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from services.contacts.domain.fields import Definition, Definitions, misfits, sensitive, split
from services.contacts.domain.survivorship import Statement

Place = Literal["attributes", "sensitive"]
Work = Literal["drop", "move"]
"""What is to be done with values: `drop` them and then the field; `move` them to where its sensitivity wants them."""


STALE_SECONDS = 3.0
"""It is read every second; `defining.CURRENT` is longer by what a transaction takes."""


@dataclass(frozen=True)
class Field:
    """A field, and what is still to be done after its last change: from which contact on, and not before when."""

    definition: Definition
    work: Work | None = None
    after: str = ""
    due: datetime | None = None


class UnfitFields(ValueError):
    """Values that are not what their fields were defined to be, each with the reason."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__(reasons)
        self.reasons = reasons


class Catalogue:
    """The definitions as this instance knows them. Fields that are being dropped take no values any more."""

    def __init__(self, read: Callable[[], Awaitable[Mapping[str, Field]]] | None = None) -> None:
        self.known: Definitions = {}
        self.dropped: frozenset[str] = frozenset()
        self._secret: frozenset[str] = frozenset()
        self._read = read
        self._learnt_at = 0.0

    async def current(self) -> None:
        """Read again what is too old to judge by: after a pause of this process nobody can say what was defined meanwhile."""
        if self._read is not None and time.monotonic() - self._learnt_at > STALE_SECONDS:
            self.learn(await self._read())

    def learn(self, fields: Mapping[str, Field]) -> None:
        self.known = {name: field.definition for name, field in fields.items()}
        self.dropped = frozenset(name for name, field in fields.items() if field.work == "drop")
        self._secret = sensitive(self.known)
        self._learnt_at = time.monotonic()

    def secret(self) -> frozenset[str]:
        """The fields that are sensitive."""
        return self._secret

    def placed(self, told: Statement) -> Statement:
        """A statement with each value where its field wants it; those that do not fit are kept out, and said to be so."""
        if not self.known or not told.attributes:
            return told
        wrong = self.wrong(told.attributes)
        fitting = {name: value for name, value in told.attributes.items() if name not in wrong}
        open_, hidden = split(fitting, self._secret)
        return replace(told, attributes=open_, sensitive=hidden, misfits=wrong)

    def wrong(self, attributes: Mapping[str, Any]) -> dict[str, str]:
        found = misfits(self.known, attributes)
        gone = (name for name, value in attributes.items() if name in self.dropped and value is not None)
        return found | dict.fromkeys(gone, "field-dropped")
