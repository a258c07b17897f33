"""Transactions that run at once and keep what they tell, and the clock that tests set."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from shared.contracts.scoring import Score, ScoreChanged
from shared.messaging import Received, Unit
from shared.mongo import Session

T = TypeVar("T")


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
