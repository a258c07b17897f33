"""What is deduplicated: FEBRL's and Splink's published sets, a register with households, and hard ones that are unlike these. As
columns of text, and labels.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.duplicates.hard import HARD, hard
from tests.contacts.matching.people import Register, people

DATA = Path(__file__).resolve().parents[2] / "contacts/data"
HOUSEHOLDS, SEED = 2_500, 11
NAMES = ("febrl4", "febrl3", "febrl4 without identifier", "febrl3 without identifier", "splink_fake", "households")


@dataclass(frozen=True)
class Duplicates:
    columns: dict[str, list[str]]
    truth: list[str]

    @property
    def true_pairs(self) -> int:
        return couples(Counter(self.truth))

    def figures(self, clusters: Sequence[Sequence[int]]) -> dict[str, float]:
        """Precision, recall and F1 of the pairs that clusters of rows imply."""
        found = sum(len(group) * (len(group) - 1) // 2 for group in clusters)
        right = sum(couples(Counter(self.truth[row] for row in group)) for group in clusters)
        return {
            "precision": right / found if found else 0.0,
            "recall": right / self.true_pairs,
            "F1": 2 * right / (found + self.true_pairs),
        }


def couples(counts: Counter[str]) -> int:
    return sum(count * (count - 1) // 2 for count in counts.values())


def load(name: str) -> Duplicates:
    """A set by its name; a hard one also as `voters of 50000` records."""
    kind, _, records = name.partition(" of ")
    if kind in HARD:
        return _made(hard(kind, int(records or 10_000)))
    if name == "splink_fake":
        with (DATA / "splink_fake_1000.csv").open(newline="") as file:
            return _set(list(csv.DictReader(file)), "cluster", drop=("unique_id",))
    if name == "households":
        return _made(people(HOUSEHOLDS, SEED))
    files = ("dataset4a", "dataset4b") if name.startswith("febrl4") else ("dataset3",)
    rows = [row for file in files for row in _febrl(file)]
    return _set(rows, "person", drop=("rec_id", *(("soc_sec_id",) if "without" in name else ())))


def _made(register: Register) -> Duplicates:
    columns = {column: [one[column] for one in register.records] for column in register.records[0]}
    return Duplicates(columns, register.truth)


def _febrl(file: str) -> list[dict[str, str]]:
    with gzip.open(DATA / f"febrl_{file}.csv.gz", "rt", newline="") as lines:
        rows = list(csv.DictReader(lines, skipinitialspace=True))
    return [{**row, "person": row["rec_id"].split("-")[1]} for row in rows]


def _set(rows: list[dict[str, str]], truth: str, drop: Sequence[str]) -> Duplicates:
    names = [name for name in rows[0] if name not in {truth, *drop}]
    return Duplicates({name: [row[name].strip() for row in rows] for name in names}, [row[truth] for row in rows])
