"""The population's parameters: fitted again every so often, held back when in doubt, and taken into use."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Literal, NamedTuple, Protocol, TypedDict, Unpack

import structlog

from services.scoring.domain.model import ByChannel, Fit, Held, Model, refit
from services.scoring.domain.population import Population as Counts, Standing
from services.scoring.domain.purchases import day_of
from services.scoring.domain.purchasing import Family
from services.scoring.domain.tempo import Tempo
from services.scoring.domain.yearly import Season
from services.scoring.handlers.scores import Scores
from services.scoring.handlers.sweeping import Sweeping, Transactions
from shared.clock import Clock
from shared.ids import uuid7
from shared.leases import Lease, UnderWay, leased
from shared.messaging import Unit
from shared.mongo import Session

log = structlog.get_logger()
TRIES, PAUSE_SECONDS = 150, 2.0
"""A refit under way elsewhere is waited for: five minutes at most."""
STANDING_DAYS = 7
"""So long a customer's quintiles may lag behind the base if they do not move themselves."""
Outcome = Literal["fitted", "unchanged", "held"]


class Report(NamedTuple):
    """What a refit has come to. `version` is the one in use afterwards."""

    outcome: Outcome
    doubts: tuple[str, ...]
    version: int | None
    customers: int
    cells: int
    told: int
    """Customers whose scores have moved and were told."""
    at: datetime
    seconds: float


class Changes(TypedDict, total=False):
    """What a refit is to change beside the parameters; what is not named stays as it was.

    `chosen`: the family to use from now on, and `why`. `by_channel`: how channels differ from the base from now on, `season`:
    the one to expect, `tempo`: customers' own pace.
    """

    chosen: Family
    why: str
    by_channel: ByChannel
    season: Season
    tempo: Tempo


class Population(Protocol):
    """The base's counts, and the changes that have not been added to them yet."""

    async def gather(self, session: Session) -> tuple[Counts, bool]: ...


class Models(Lease, Protocol):
    """Versions of the parameters, the last refit, and the lease of who refits."""

    async def latest(self) -> Model | None: ...

    async def add(self, model: Model) -> bool: ...

    async def standing(self) -> Standing | None: ...

    async def note_standing(self, standing: Standing) -> None: ...

    async def note(self, report: Report) -> None: ...

    async def last_refit(self) -> Report | None: ...

    async def swept(self) -> tuple[int, int] | None: ...

    async def note_sweep(self, version: int, day: int) -> None: ...


@dataclass
class Refitting:
    """One refit at a time on the whole platform; a lease only saves work, versions are unique anyway."""

    models: Models
    population: Population
    scores: Scores
    clock: Clock
    transactions: Transactions
    instance: str
    sweeping: Sweeping = field(init=False)

    def __post_init__(self) -> None:
        self.sweeping = Sweeping(self.scores, self.transactions)

    async def take_latest(self) -> None:
        """Use the newest version, and the base as of the last refit, whichever instance has made them."""
        self.scores.model = await self.models.latest()
        self.scores.standing = await self.models.standing()

    async def refit(self, **changes: Unpack[Changes]) -> Report:
        """Gather, fit, take into use, and tell whose score has moved by it or by time. Raises UnderWay."""
        async with leased(self.models, f"{self.instance}/{uuid7(datetime.now(UTC))}", "The refit"):
            return await self._refit(partial(refit, **changes))

    async def refit_in_turn(self, **changes: Unpack[Changes]) -> Report:
        """As `refit`, after the one that is under way. Raises UnderWay where that takes longer than five minutes."""
        for _ in range(TRIES):
            try:
                return await self.refit(**changes)
            except UnderWay:
                await asyncio.sleep(PAUSE_SECONDS)
        return await self.refit(**changes)

    async def _refit(self, fitting: Callable[..., Fit | Held]) -> Report:
        began = time.perf_counter()
        await self.take_latest()
        population = await self._gather()
        await self._take_standing(population.standing)
        outcome, doubts = await self._fit(population, fitting)
        told = await self._sweep()
        model, seconds = self.scores.model, round(time.perf_counter() - began, 3)
        version = model.version if model else None
        report = Report(
            *(outcome, doubts, version, population.customers, population.histogram.cells),
            *(told, datetime.now(UTC), seconds),
        )
        await self.models.note(report)
        log.info("refit_done", outcome=outcome, doubts=doubts, version=version, told=told, seconds=seconds)
        return report

    async def _take_standing(self, standing: Standing | None) -> None:
        if standing is not None:
            await self.models.note_standing(standing)
            self.scores.standing = standing

    async def _gather(self) -> Counts:
        async def gather(unit: Unit) -> tuple[Counts, bool]:
            return await self.population.gather(unit.session)

        more = True
        while more:
            population, more = await self.transactions.transact(gather)
        return population

    async def _fit(self, population: Counts, fitting: Callable[..., Fit | Held]) -> tuple[Outcome, tuple[str, ...]]:
        current, now = self.scores.model, await self.clock.now()
        last = current.parameters if current else None
        # In a thread: some tenths of a second, during which events go on being scored.
        fit = await asyncio.to_thread(fitting, population.histogram, now, last)
        if isinstance(fit, Held):
            return "held", tuple(doubt.value for doubt in fit.doubts)
        if last and fit.parameters.close_to(last):
            return "unchanged", fit.doubts
        await self._take_into_use(fit, current)
        return "fitted", fit.doubts

    async def _take_into_use(self, fit: Fit, current: Model | None) -> None:
        version = current.version + 1 if current else 1
        if not await self.models.add(Model(version, datetime.now(UTC), fit)):
            log.warning("model_version_taken", version=version)
        await self.take_latest()

    async def _sweep(self) -> int:
        """Everybody once per version, and once a week because the others move too; else those who are due."""
        model, today = self.scores.model, day_of(await self.clock.now())
        if model is None:
            return 0
        version, day = await self.models.swept() or (0, 0)
        if version == model.version and today < day + STANDING_DAYS:
            return await self.sweeping.due()
        told = await self.sweeping.everybody()
        await self.models.note_sweep(model.version, today)
        return told
