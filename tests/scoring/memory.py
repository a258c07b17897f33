"""Scoring's stores in memory; they pass the same tests as MongoDB's. Transactions do not roll back here."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

import numpy as np

from services.scoring.domain.model import Model
from services.scoring.domain.population import Changes, Population, Ranked, Standing
from services.scoring.domain.prediction import Histories, Told
from services.scoring.domain.segments import SEGMENTS
from services.scoring.handlers import Known, Report, Scored, Sheet, Summary
from shared.contracts.scoring import Score, ScoreChanged
from shared.messaging import Received, Unit
from shared.mongo import Session

T = TypeVar("T")


@dataclass
class MemoryCustomers:
    known: dict[str, Scored] = field(default_factory=dict)

    async def load(self, customers: Collection[str], session: Session | None = None) -> dict[str, Known]:
        found = ((customer, self.known[customer]) for customer in customers if customer in self.known)
        return {customer: Known(one.purchases, one.score.as_of, one.ranks) for customer, one in found}

    async def save(self, scored: Sequence[Scored], session: Session) -> None:
        self.known.update({one.customer_id: one for one in scored})

    async def sheet(self, after: str | None, limit: int) -> Sheet:
        buying = (customer for customer, one in self.known.items() if one.purchases.days)
        return self._sheet(sorted(customer for customer in buying if after is None or customer > after)[:limit])

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
        histories = Histories.of([self.known[customer].purchases for customer in ids])
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
class MemoryPopulation:
    changes: list[Changes] = field(default_factory=list)
    base: Population = field(default_factory=Population)

    async def add(self, some: Changes, session: Session) -> None:
        self.changes.append(some)

    async def gather(self, session: Session) -> tuple[Population, bool]:
        some, self.changes = self.changes, []
        self.base = self.base.plus(some)
        return self.base, False


@dataclass
class MemoryModels:
    models: dict[int, Model] = field(default_factory=dict)
    report: Report | None = None
    sweep: tuple[int, int] | None = None
    holder: str | None = None
    stands: Standing | None = None

    async def standing(self) -> Standing | None:
        return self.stands

    async def note_standing(self, standing: Standing) -> None:
        self.stands = standing

    async def latest(self) -> Model | None:
        return self.models[max(self.models)] if self.models else None

    async def version(self, version: int) -> Model | None:
        return self.models.get(version)

    async def page(self, before: int | None, limit: int) -> list[Model]:
        versions = sorted((v for v in self.models if before is None or v < before), reverse=True)
        return [self.models[version] for version in versions[:limit]]

    async def add(self, model: Model) -> bool:
        return self.models.setdefault(model.version, model) is model

    async def note(self, report: Report) -> None:
        self.report = report

    async def last_refit(self) -> Report | None:
        return self.report

    async def swept(self) -> tuple[int, int] | None:
        return self.sweep

    async def note_sweep(self, version: int, day: int) -> None:
        self.sweep = version, day

    async def claim(self, holder: str, seconds: float) -> bool:
        self.holder = self.holder or holder
        return self.holder == holder

    async def release(self, holder: str) -> None:
        if self.holder == holder:
            self.holder = None


def new_unit() -> Unit:
    return Unit("scoring", cast("Any", None), cast("Any", None), "scoring")


@dataclass
class MemoryTransactions:
    """Runs the change and keeps what it tells."""

    units: list[Unit] = field(default_factory=list)

    async def transact(self, change: Callable[[Unit], Awaitable[T]]) -> T:
        unit = new_unit()
        result = await change(unit)
        self.units.append(unit)
        return result

    def told(self) -> list[Score]:
        return [score for unit in self.units for score in told(unit)]


def told(unit: Unit) -> Iterator[Score]:
    for record in unit.outgoing:
        yield ScoreChanged.model_validate_json(record.value or b"").score


@dataclass
class SetClock:
    """A clock that tests set."""

    at: datetime

    async def now(self, session: Session | None = None) -> datetime:
        return self.at

    async def witness(self, unit: Unit, events: Sequence[Received]) -> None:
        pass
