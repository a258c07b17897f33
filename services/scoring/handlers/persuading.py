"""Whom an action persuades, customer by customer: learnt every night from decisions that were drawn at random, and used where
it ranks customers better than their segments do.
"""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

import structlog

from services.scoring.domain.churn.calendar import draw
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.retention.catalogue import Catalogue, Prior
from services.scoring.domain.retention.own import Features, Judged, Lesson, Own, judge
from services.scoring.domain.uplift.effects import Interval
from services.scoring.domain.uplift.measuring import RECIPES, Effort, Recipe
from services.scoring.handlers.churning import STALE
from shared.clock import Clock

log = structlog.get_logger()
PAGE_LESSONS = 1_000
MOST_LESSONS = 50_000
"""Customers from whom is learnt; of more, those of the lowest places. Beyond it, all learners together take minutes more."""


class ActionLearnt(NamedTuple):
    """As `domain.retention.own.Judged`, without the model. `in_use`: customers' own shares are its."""

    action: str
    lessons: int
    treated: int
    tried: int
    doubt: Doubt | None
    recipe: str | None
    qini: Interval | None
    over_segments: Interval | None
    whole: Interval | None
    in_use: bool

    @classmethod
    def of(cls, judged: Judged) -> "ActionLearnt":
        shown = {name: getattr(judged, name) for name in cls._fields if name != "in_use"}
        return cls(**shown, in_use=judged.proven)


class UpliftVersion(NamedTuple):
    """What a night has come to; the newest decides."""

    version: int
    at: datetime
    horizon_days: int
    lessons: int
    """Customers from whom there was something to learn."""
    actions: Sequence[ActionLearnt]


class Shares(NamedTuple):
    """A customer's own, by action, as far as actions' models have proved themselves."""

    version: int
    by_action: Mapping[str, float]


class Lessons(Protocol):
    async def lessons(self, after: str | None, limit: int) -> Sequence[tuple[str, Lesson]]:
        """The next settled decisions drawn at random whose features are known: by customer, then by time; each after its key."""
        ...


class UpliftModels(Protocol):
    async def latest(self) -> UpliftVersion | None: ...

    async def add(self, version: UpliftVersion, texts: Mapping[str, str]) -> bool:
        """With the fitted models as text, by action. False if there is such a version already."""
        ...

    async def texts(self, version: int) -> Mapping[str, str]: ...


class Actions(Protocol):
    async def catalogue(self) -> Catalogue: ...


class _Speaking(NamedTuple):
    version: int
    models: Mapping[str, Own]


@dataclass
class Persuading:
    decisions: Lessons
    models: UpliftModels
    actions: Actions
    clock: Clock
    horizon_days: int
    recipes: Sequence[Recipe] = RECIPES
    effort: Effort = field(default_factory=Effort)
    most_lessons: int = MOST_LESSONS
    _speaking: _Speaking | None = None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self) -> UpliftVersion:
        """Learn anew from all that is settled."""
        lessons = await self._lessons()
        try:
            return await self._learn(lessons)
        finally:
            await _let_go(lessons)

    async def _learn(self, lessons: Sequence[Lesson]) -> UpliftVersion:
        catalogue = await self.actions.catalogue()
        judged = [await asyncio.to_thread(self._judge, lessons, one.name, catalogue.prior) for one in catalogue]
        newest, now = await self.models.latest(), await self.clock.now()
        learnt = tuple(ActionLearnt.of(one) for one in judged)
        version = newest.version + 1 if newest else 1
        made = UpliftVersion(version, now, self.horizon_days, len(lessons), learnt)
        if not await self.models.add(made, {one.action: one.own.to_text() for one in judged if one.own}):
            log.warning("uplift_version_taken", version=version)
        log.info("uplift_learnt", version=version, lessons=len(lessons), used=[a.action for a in learnt if a.in_use])
        return made

    async def stale(self) -> bool:
        newest = await self.models.latest()
        return newest is None or await self.clock.now() >= newest.at + STALE

    def _judge(self, lessons: Sequence[Lesson], action: str, prior: Prior) -> Judged:
        return judge(lessons, action, prior, self.horizon_days, self.recipes, self.effort)

    async def _lessons(self) -> list[Lesson]:
        """One of each customer, any as probable as any other, so that rows are independent and arms as they were drawn."""
        sample, theirs, after = _Sample(self.most_lessons), list[Lesson](), None
        while page := await self.decisions.lessons(after, PAGE_LESSONS):
            for customer, some in itertools.groupby((one for _, one in page), key=lambda one: one.customer_id):
                if theirs and theirs[0].customer_id != customer:
                    sample.add(theirs)
                    theirs = []
                theirs += some
            after = page[-1][0]
        sample.add(theirs)
        return sample.lessons

    async def shares(self, features: Features | None) -> Shares | None:
        """None where nothing is proven, or nothing is known of the customer."""
        newest = await self.models.latest()
        if features is None or newest is None or newest.horizon_days != self.horizon_days:
            return None
        used = [one.action for one in newest.actions if one.in_use]
        if not used:
            return None
        speaking = await self._speaks(newest.version)
        found = await asyncio.to_thread(lambda: {a: speaking.models[a].share(features) for a in used})
        return Shares(newest.version, found)

    async def _speaks(self, version: int) -> _Speaking:
        """The models of a version, read once."""
        async with self._reading:
            if self._speaking is None or self._speaking.version != version:
                texts = await self.models.texts(version)
                self._speaking = _Speaking(version, {action: Own.from_text(text) for action, text in texts.items()})
            return self._speaking


async def _let_go(lessons: list[Lesson]) -> None:
    """In pieces: to free all of them at once takes some tenths of a second, for which the event loop would wait."""
    while lessons:
        del lessons[-PAGE_LESSONS:]
        await asyncio.sleep(0)


class _Sample:
    """Of as many customers as fit, those of the lowest places: halved whenever there turn out to be more."""

    def __init__(self, most: int) -> None:
        self._most, self._share = most, 1.0
        self._kept: list[tuple[float, Lesson]] = []

    def add(self, lessons: Sequence[Lesson]) -> None:
        """All of one customer, of which one is drawn by the id, and so not by what was done."""
        if not lessons or (place := draw(lessons[0].customer_id).place) >= self._share:
            return
        self._kept.append((place, lessons[int(draw(f"lesson/{lessons[0].customer_id}").place * len(lessons))]))
        while len(self._kept) > self._most:
            self._share /= 2
            self._kept = [one for one in self._kept if one[0] < self._share]

    @property
    def lessons(self) -> list[Lesson]:
        return [lesson for _, lesson in self._kept]
