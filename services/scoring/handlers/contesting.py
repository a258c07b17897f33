"""Contests: the champion and its challengers scored everybody at the same moments of the past; who was right more often.

Once a week, and never twice for the same span. On that evidence alone a challenger takes the champion's place.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

import structlog

from services.scoring.domain.calibration import Calibration
from services.scoring.domain.drift import Cusum
from services.scoring.domain.hindsight import then
from services.scoring.domain.overview import Snapshot
from services.scoring.domain.pareto_nbd import ParetoNbd
from services.scoring.domain.purchases import day_of
from services.scoring.domain.purchasing import PLAIN, Family
from services.scoring.domain.rivals import (
    PARETO,
    SPAN_DAYS,
    Rival,
    Tables,
    Verdict,
    calibration_drift,
    fit_rival,
    spans,
    table,
    verdict,
)
from services.scoring.domain.seasonality import DayCounts, season_of
from services.scoring.domain.yearly import STEADY, Season
from services.scoring.handlers.choosing import GROWN, Champion, Choice, Choosing
from services.scoring.handlers.reviewing import PAGE_CUSTOMERS
from shared import metrics
from shared.clock import Clock

log = structlog.get_logger()
CONTEST_DAYS = 7
Cast = Mapping[str, Family | None]
"""Who competes, by name; None is Pareto/NBD."""


class Contest(NamedTuple):
    """`calibration`: whether what the champion said has drifted. `promoted`: who has taken its place by this contest."""

    at: datetime
    champion: Champion
    verdicts: tuple[Verdict, ...]
    calibration: Cusum
    promoted: str | None


class Contests(Protocol):
    """What each model has said of each span, kept for ever."""

    async def tables(self, spans: Sequence[int]) -> Tables: ...

    async def add(self, span: int, said: Mapping[str, Calibration]) -> None: ...

    async def forget(self) -> None: ...

    async def contested(self) -> tuple[datetime, int] | None:
        """When the last contest was, and with how many customers."""
        ...

    async def note_contest(self, at: datetime, customers: int) -> None: ...


@dataclass
class Contesting:
    choosing: Choosing
    contests: Contests
    clock: Clock

    async def contest(self) -> Contest | None:
        """None before a family was chosen."""
        choice, now = await self.choosing.choices.choice(), await self.clock.now()
        if choice is None or choice.champion is None:
            return None
        last = await self.contests.contested()
        if last and choice.customers >= GROWN * last[1]:
            # The past itself has changed: somebody has brought in more of it.
            await self.contests.forget()
        cast = _cast(choice.champion, choice.nominated)
        over = spans(choice.first_day, day_of(now))
        known = await self.contests.tables(over)
        missing = {one: {name: cast[name] for name in cast if name not in known.get(one, {})} for one in over}
        await self._score({one: absent for one, absent in missing.items() if absent})
        found = await self._read(now, choice.champion, choice)
        winner = max((one for one in found.verdicts if one.better and cast[one.challenger]), key=_gain, default=None)
        if winner and await self._promote(winner, cast):
            found = found._replace(promoted=winner.challenger)
        await self.contests.note_contest(now, choice.customers)
        _watch(found)
        return found

    async def read(self) -> Contest | None:
        """As of the last contest; None before there was one."""
        last, choice = await self.contests.contested(), await self.choosing.choices.choice()
        return await self._read(last[0], choice.champion, choice) if last and choice and choice.champion else None

    async def _read(self, at: datetime, champion: Champion, choice: Choice) -> Contest:
        name = champion.family.name
        tables = await self.contests.tables(spans(choice.first_day, day_of(at)))
        said = [tables[span][name] for span in sorted(tables) if name in tables[span]]
        others = [one for one in _cast(champion, choice.nominated) if one != name]
        verdicts = tuple(verdict(tables, name, other) for other in others)
        return Contest(at, champion, verdicts, calibration_drift(said), None)

    async def _score(self, missing: Mapping[int, Cast]) -> None:
        """Twice through everybody: as they stood before each span, to fit on; and what each model said of them.

        All under the season that was to be expected then.
        """
        if not missing:
            return
        stood, days, newest = dict.fromkeys(missing, Snapshot.empty()), DayCounts.empty(), max(missing) * SPAN_DAYS
        async for page in self._pages():
            stood, days = await asyncio.to_thread(_seen, stood, days, page, newest)
        models = {
            span: await asyncio.to_thread(_fitted, stood[span], span * SPAN_DAYS, cast)
            for span, cast in missing.items()
        }
        seasons = {span: await asyncio.to_thread(_season, days, base, span * SPAN_DAYS) for span, base in stood.items()}
        said = {span: dict.fromkeys(cast, Calibration.empty()) for span, cast in missing.items()}
        async for page in self._pages():
            for span, rivals in models.items():
                for name, told in (
                    await asyncio.to_thread(_said, page, span * SPAN_DAYS, rivals, seasons[span])
                ).items():
                    said[span][name] = said[span][name].plus(told)
        for span, tables in said.items():
            await self.contests.add(span, tables)

    async def _pages(self) -> AsyncIterator[Sequence[bytes]]:
        after = None
        while (page := await self.choosing.customers.packed(after, PAGE_CUSTOMERS))[0]:
            yield page[1]
            after = page[0][-1]

    async def _promote(self, winner: Verdict, cast: Cast) -> bool:
        family, last = cast[winner.challenger], winner.windows[-1].gain
        if family is None:
            return False
        why = (
            f"better beyond doubt in two windows of {last.blocks} times {SPAN_DAYS} days: the last by {last.mean:.5f} nats a "
            f"customer ({last.low:.5f} to {last.high:.5f})"
        )
        return await self.choosing.promote(family, why)

    async def ready(self) -> bool:
        choice = await self.choosing.choices.choice()
        return choice is not None and choice.champion is not None

    async def due(self) -> bool:
        last = await self.contests.contested()
        return last is None or day_of(await self.clock.now()) >= day_of(last[0]) + CONTEST_DAYS


def _cast(champion: Champion, nominated: Family | None) -> dict[str, Family | None]:
    """The champion, MBG/NBD, whom the last choice named, and Pareto/NBD."""
    families = {one.name: one for one in (champion.family, PLAIN, nominated) if one}
    return {**families, PARETO: None}


def _seen(
    before: Mapping[int, Snapshot], days: DayCounts, packed: Sequence[bytes], newest: int
) -> tuple[dict[int, Snapshot], DayCounts]:
    """With these customers: the base as it stood before each span, and its days until the newest."""
    seen = {span: then(packed, span * SPAN_DAYS, SPAN_DAYS) for span in before}
    stood = {span: before[span].plus(Snapshot.of(one.histories, one.purchases, 0.0)) for span, one in seen.items()}
    return stood, days.plus(DayCounts.of(packed, newest))


def _fitted(stood: Snapshot, cut: int, cast: Cast) -> dict[str, Rival]:
    visits = stood.visits(cut)
    found = {name: fit_rival(visits, family) for name, family in cast.items()}
    return {name: model for name, model in found.items() if model}


def _season(days: DayCounts, stood: Snapshot, cut: int) -> Season:
    """That would have been expected at the end of that day: by MBG/NBD, so that it is the same whoever competes."""
    plain = fit_rival(stood.visits(cut), PLAIN)
    return STEADY if plain is None or isinstance(plain, ParetoNbd) else season_of(days, plain, cut).season


def _said(packed: Sequence[bytes], cut: int, rivals: Mapping[str, Rival], season: Season) -> dict[str, Calibration]:
    seen = then(packed, cut, SPAN_DAYS)
    return {name: table(model, seen, cut, season) for name, model in rivals.items()}


def _gain(one: Verdict) -> float:
    return one.windows[-1].gain.mean


def _watch(found: Contest) -> None:
    log.info("models_contested", champion=found.champion.family.name, promoted=found.promoted)
    metrics.DRIFT.labels("calibration").set(found.calibration.alarm)
    if found.calibration.alarm:
        log.warning("calibration_has_drifted", above=found.calibration.above, below=found.calibration.below)
