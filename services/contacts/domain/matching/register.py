"""Records as they come and go, each looked up against all that are known: the same keys, weights and rules as for a file."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from services.contacts.domain.matching.blocking import keys
from services.contacts.domain.matching.decide import Thresholds
from services.contacts.domain.matching.evidence import Weights, evidence
from services.contacts.domain.matching.explain import Explanation, explain
from services.contacts.domain.matching.finding import Found, find
from services.contacts.domain.matching.index import Index
from services.contacts.domain.matching.learning import start
from services.contacts.domain.matching.table import Compared, Field, Ints, Table, compared

Id = TypeVar("Id", bound=Hashable)
EXPLAINED = 10
"""Matches of one record that are explained, the likeliest first."""


@dataclass(frozen=True)
class Match(Generic[Id]):
    id: Id
    probability: float
    automatic: bool
    """Else a person should look."""
    why: Explanation


class Register(Generic[Id]):
    """Not for several threads at once. `compact` may run in a thread while nothing else calls."""

    def __init__(self, fields: Sequence[Field], weights: Weights | None = None) -> None:
        self.table = Table(fields)
        self.index = Index()
        self.weights = weights or start(fields, records=1_000)
        self.row_of: dict[Id, int] = {}
        self.id_of: dict[int, Id] = {}

    def __len__(self) -> int:
        return len(self.row_of)

    def put(self, who: Id, record: Mapping[str, str | None]) -> None:
        """Add a record, or change it. The same record again changes nothing."""
        values = self.table.values(record)
        if (row := self.row_of.get(who)) is not None:
            if self.table.row(row) == values:
                return
            self.remove(who)
        row = self.table.append(values)
        self.index.add(row, keys(self.table.fields, values))
        self.row_of[who], self.id_of[row] = row, who

    def remove(self, who: Id) -> None:
        """An id that is not there is no error."""
        if (row := self.row_of.pop(who, None)) is None:
            return
        del self.id_of[row]
        self.table.clear(row)
        self.index.remove(row)

    def matches(
        self, record: Mapping[str, str | None], thresholds: Thresholds, but: Id | None = None
    ) -> list[Match[Id]]:
        """Who a record may be: known ones at the review threshold or above, the likeliest first, without `but`."""
        values = self.table.values(record)
        rows = self.index.candidates(keys(self.table.fields, values))
        rows = rows[rows != self.row_of.get(but, -1)] if but is not None else rows
        if not len(rows):
            return []
        pairs = self._compared(values, rows.astype(np.int64), self.row_of.get(but) if but is not None else None)
        found = evidence(self.weights, pairs)
        probability = found.probability
        likely = [
            place
            for place in np.argsort(-probability, kind="stable").tolist()
            if probability[place] >= thresholds.review
        ]
        return [
            Match(
                self.id_of[int(rows[place])],
                float(probability[place]),
                bool(probability[place] >= thresholds.automatic),
                explain(self.weights, pairs, found, place, (values, self.table.row(int(rows[place])))),
            )
            for place in likely[:EXPLAINED]
        ]

    def _compared(self, values: tuple[str, ...], rows: Ints, own: int | None) -> Compared:
        """The record beside each of the rows. It lies in the table meanwhile, so that it is counted and coded as all are."""
        if own is not None and self.table.row(own) == values:
            return compared(self.table, np.full(len(rows), own), rows)
        own = self.table.append(values)
        try:
            return compared(self.table, np.full(len(rows), own), rows)
        finally:
            self.table.drop_last()

    def find(self, thresholds: Thresholds, *, learn: bool = True) -> Found:
        """All duplicates among those known; learns the weights anew unless told not to. Minutes for a million: in a thread."""
        found = find(self.table, self.index, thresholds, None if learn else self.weights, records=len(self))
        self.weights = found.weights
        return found
