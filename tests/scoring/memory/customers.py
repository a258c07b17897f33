"""Customers with their scores, and the sums over all of them, in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np

from services.scoring.domain.channels import code
from services.scoring.domain.histogram import Ints
from services.scoring.domain.merging import Bond
from services.scoring.domain.population import Changes, Population, Ranked
from services.scoring.domain.prediction import Histories, Told
from services.scoring.domain.purchases import EPOCH, Purchases
from services.scoring.domain.segments import SEGMENTS
from services.scoring.handlers import Known, Packed, Regrouped, Scored, Sheet, Summary
from shared.contracts.scoring import Score
from shared.mongo import Session


@dataclass
class MemoryCustomers:
    known: dict[str, Scored] = field(default_factory=dict)
    bonds: dict[str, Bond] = field(default_factory=dict)
    withdrawn: dict[str, datetime] = field(default_factory=dict)
    """Who has no score any more, and since when."""

    async def load(self, customers: Collection[str], session: Session | None = None) -> dict[str, Known]:
        kept = self.known.keys() | self.bonds.keys() | self.withdrawn.keys()
        return {customer: self._one(customer) for customer in kept & set(customers)}

    def _one(self, customer: str) -> Known:
        bond = self.bonds.get(customer)
        if one := self.known.get(customer):
            return Known(one.purchases, one.score.as_of, one.ranks, one.first, bond)
        return Known(Purchases(), self.withdrawn.get(customer, EPOCH), bond=bond)

    async def save(self, scored: Sequence[Scored], session: Session) -> None:
        self.known.update({one.customer_id: one for one in scored})

    async def regroup(self, some: Sequence[Regrouped], session: Session) -> None:
        for one in some:
            self.bonds.pop(one.customer_id, None)
            if one.bond:
                self.bonds[one.customer_id] = one.bond
            if one.withdrawn_at:
                self.withdrawn[one.customer_id] = one.withdrawn_at
                self.known.pop(one.customer_id, None)

    async def remove(self, customers: Collection[str], session: Session) -> int:
        for one in customers:
            for kept in (self.known, self.bonds, self.withdrawn):
                kept.pop(one, None)
        return len(customers)

    async def sheet(self, after: str | None, limit: int) -> Sheet:
        buying = (customer for customer, one in self.known.items() if one.purchases.days)
        return self._sheet(sorted(customer for customer in buying if after is None or customer > after)[:limit])

    async def packed(self, after: str | None, limit: int) -> Packed:
        ids = (await self.sheet(after, limit)).customers
        return Packed(ids, [self.known[customer].purchases.pack() for customer in ids], self._came(ids))

    async def channel(self, code_: int) -> str | None:
        firsts = (one.first for one in self.known.values())
        return next((first.channel for first in firsts if first and code(first) == code_), None)

    def _came(self, ids: Sequence[str]) -> Ints:
        return np.array([code(self.known[customer].first) for customer in ids], dtype=np.int64)

    async def ids(self, after: str | None, limit: int) -> Sequence[str]:
        return sorted(customer for customer in self.known if after is None or customer > after)[:limit]

    async def days(self, customers: Collection[str]) -> dict[str, bytes]:
        return {one: self.known[one].purchases.pack() for one in customers if one in self.known}

    async def due(self, day: int, limit: int) -> Sheet:
        passed = [customer for customer, one in self.known.items() if one.due <= day]
        return self._sheet(sorted(passed, key=lambda customer: self.known[customer].due)[:limit])

    async def postpone(self, days: Sequence[tuple[str, int, int]]) -> None:
        for customer, day, later in days:
            if self.known[customer].due == day:
                self.known[customer] = self.known[customer]._replace(due=later)

    def _sheet(self, ids: Sequence[str]) -> Sheet:
        scores = [self.known[customer].score for customer in ids]
        alive, churn, value = np.array([(s.p_alive, s.p_churn, s.value) for s in scores], float).reshape(-1, 3).T
        segments = np.array([SEGMENTS.index(s.segment) if s.segment else -1 for s in scores], dtype=np.int8)
        histories = Histories.of([self.known[customer].purchases for customer in ids], self._came(ids))
        ranked = Ranked.unpack(self.known[customer].ranks for customer in ids)
        due = np.array([self.known[customer].due for customer in ids], dtype=np.int64)
        return Sheet(ids, histories, Told(alive, churn, value, segments, ranked), due)

    async def page(
        self, segment: str | None, sort: str, after: tuple[Decimal | None, str] | None, limit: int
    ) -> list[Score]:
        def place(value: Decimal | None, customer: str) -> tuple[Any, ...]:
            return (value is None, -(value or 0), customer) if sort == "value" else (customer,)

        scores = [one.score for one in self.known.values() if segment in (None, one.score.segment)]
        scores.sort(key=lambda score: place(score.value, score.customer_id))
        return [s for s in scores if after is None or place(s.value, s.customer_id) > place(*after)][:limit]

    async def summary(self) -> list[Summary]:
        scores = [one.score for one in self.known.values() if one.purchases.days]
        return [
            Summary(
                segment,
                len(group),
                sum(score.purchases for score in group),
                sum((score.money for score in group), Decimal(0)),
                sum((score.value or Decimal(0) for score in group), Decimal(0)),
            )
            for segment in (*SEGMENTS, None)
            if (group := [score for score in scores if score.segment == segment])
        ]


@dataclass
class MemoryRestrictions:
    restricted: set[str] = field(default_factory=set)
    hidden: bool = False

    async def all_hidden(self) -> bool:
        return self.hidden

    async def put_down_all_hidden(self) -> None:
        self.hidden = True

    async def put(self, customers: Mapping[str, bool], session: Session | None) -> None:
        for one, restricted in customers.items():
            (self.restricted.add if restricted else self.restricted.discard)(one)

    async def among(self, customers: Collection[str], session: Session | None = None) -> set[str]:
        return self.restricted & set(customers)

    async def page(self, after: str | None, limit: int) -> list[str]:
        return sorted(one for one in self.restricted if one > (after or ""))[:limit]


@dataclass
class MemoryPopulation:
    changes: list[Changes] = field(default_factory=list)
    base: Population = field(default_factory=Population)

    async def add(self, some: Changes, session: Session) -> None:
        self.changes.append(some)

    async def gather(self, session: Session) -> tuple[Population, bool]:
        some, self.changes = self.changes, []
        self.base = self.base.plus(some)
        return self.base, False
