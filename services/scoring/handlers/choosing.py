"""Choosing: once a day the base is looked through, and the family of models that it would be given today is named.

The same look says whether a season of the year is to be expected again. The first choice is used at once, as is one
where the base is no longer the one that was chosen for, or where the family in use cannot be fitted any more. Otherwise
whom the choice names is a challenger, who has to prove itself (`contesting`).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

import structlog

from services.scoring.domain.drift import Shift
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.nomination import Nomination, held_back, nominate
from services.scoring.domain.overview import Drifted, Inputs, Overview
from services.scoring.domain.purchases import day_of
from services.scoring.domain.purchasing import Family
from services.scoring.domain.seasonality import Found, season_of
from services.scoring.domain.yearly import STEADY
from services.scoring.handlers.models import Refitting
from services.scoring.handlers.reviewing import PAGE_CUSTOMERS, Reviewed
from shared import metrics
from shared.clock import Clock

log = structlog.get_logger()
GROWN = 1.5
"""A base that is so many times as large is another one: what was chosen for it then says little."""
NOT_LOOKED = Found(STEADY, "nobody has looked for one yet")
Outcome = Literal["taken", "confirmed", "challenged", "doubt"]


class Champion(NamedTuple):
    """The family in use since then, why, and the base that it was chosen for."""

    family: Family
    at: datetime
    why: str
    customers: int
    inputs: Inputs


class Choice(NamedTuple):
    """What a look has come to. `nominated` is None where the base says too little, for the reason in `doubts`."""

    at: datetime
    outcome: Outcome
    customers: int
    first_day: int
    nominated: Family | None
    why: str
    candidates: tuple[tuple[str, float, float, str | None], ...]
    doubts: tuple[str, ...]
    champion: Champion | None
    inputs: Inputs
    seconds: float
    season: Found = NOT_LOOKED

    @property
    def drift(self) -> Mapping[str, Drifted]:
        """How far what the models read has moved since the champion was chosen; empty without one."""
        return self.inputs.drift(self.champion.inputs) if self.champion else {}


class Choices(Protocol):
    async def choice(self) -> Choice | None: ...

    async def note_choice(self, choice: Choice) -> None: ...


@dataclass
class Choosing:
    customers: Reviewed
    choices: Choices
    refitting: Refitting
    clock: Clock

    async def choose(self) -> Choice:
        """Look through everybody, name a family, and use it if nothing else has a better right."""
        began = asyncio.get_running_loop().time()
        last, now = await self.choices.choice(), await self.clock.now()
        base, today, cut = await self._look(day_of(now), last.first_day if last else None)
        named = await asyncio.to_thread(nominate, base, today, cut)
        champion = last.champion if last else None
        known, family, why = _told(named)
        outcome, doubts = await self._settle(named, champion, base.now.customers)
        # Leaving that is believed again makes another family of the one in use, without any choice.
        other = outcome == "confirmed" and (champion is None or champion.family != family)
        if family and (outcome == "taken" or other):
            champion = Champion(family, now, why, base.now.customers, base.inputs)
        season = await self._expect(base, today)
        choice = Choice(
            *(now, outcome, base.now.customers, base.first_day, family, why, known, doubts, champion, base.inputs),
            *(round(asyncio.get_running_loop().time() - began, 3), season),
        )
        await self.choices.note_choice(choice)
        _watch(choice)
        return choice

    async def _look(self, today: int, first_day: int | None) -> tuple[Overview, int, int]:
        """Page by page, each in a thread. The first look learns first since when there are purchases."""
        if first_day is None:
            first_day = (await self._through(today, today)).first_day
        cut = held_back(min(first_day, today), today)
        return await self._through(today, cut), today, cut

    async def _through(self, today: int, cut: int) -> Overview:
        base, after = Overview.empty(), None
        while (page := await self.customers.packed(after, PAGE_CUSTOMERS))[0]:
            one = await asyncio.to_thread(Overview.of, page[1], today, cut)
            base, after = await asyncio.to_thread(base.plus, one), page[0][-1]
        return base

    async def _settle(
        self, named: Nomination | Doubt, champion: Champion | None, customers: int
    ) -> tuple[Outcome, tuple[str, ...]]:
        model = self.refitting.scores.model
        if isinstance(named, Doubt):
            return "doubt", (named.value,)
        if model and model.parameters.family == named.family:
            return "confirmed", ()
        report = await self.refitting.models.last_refit()
        stuck = model is not None and report is not None and report.outcome == "held"
        if champion and customers < GROWN * champion.customers and not stuck:
            return "challenged", ()
        report = await self.refitting.refit_in_turn(chosen=named.family, why=named.why)
        return ("doubt", report.doubts) if report.outcome == "held" else ("taken", ())

    async def _expect(self, base: Overview, today: int) -> Found:
        """The season that the base shows by the model now in use, which expects it from now on."""
        model = self.refitting.scores.model
        if model is None:
            return Found(STEADY, "no model is in use yet")
        found = await asyncio.to_thread(season_of, base.days, model.parameters.visits, today - 1)
        if not found.season.close_to(model.parameters.season):
            await self.refitting.refit_in_turn(season=found.season)
        return found

    async def promote(self, family: Family, why: str) -> bool:
        """A challenger that has proved itself takes the champion's place; False where it cannot be fitted now."""
        last = await self.choices.choice()
        if last is None or (await self.refitting.refit_in_turn(chosen=family, why=why)).outcome == "held":
            return False
        now = await self.clock.now()
        champion = Champion(family, now, why, last.customers, last.inputs)
        await self.choices.note_choice(last._replace(champion=champion, outcome="taken", why=why))
        log.info("challenger_promoted", family=family.name)
        return True

    async def due(self) -> bool:
        """Once a day, and as soon as the base has become another one."""
        last, report = await self.choices.choice(), await self.refitting.models.last_refit()
        if last is None or day_of(await self.clock.now()) > day_of(last.at):
            return report is not None and report.customers > 0
        return report is not None and report.customers >= GROWN * max(last.customers, 1)


def _told(
    named: Nomination | Doubt,
) -> tuple[tuple[tuple[str, float, float, str | None], ...], Family | None, str]:
    return ((), None, "") if isinstance(named, Doubt) else (named.candidates, named.family, named.why)


def _watch(choice: Choice) -> None:
    """Say it, and raise the alarm where what the models read has moved far."""
    nominated = choice.nominated.name if choice.nominated else None
    log.info("model_chosen", outcome=choice.outcome, nominated=nominated, customers=choice.customers)
    for name, found in choice.drift.items():
        alarm = found.shift is Shift.LARGE
        metrics.DRIFT.labels(name).set(alarm)
        if alarm:
            log.warning("inputs_have_drifted", what=name, psi=round(found.psi, 3))
