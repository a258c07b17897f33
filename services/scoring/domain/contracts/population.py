"""The base's contracts as counts, from which the risks are estimated at a cost that does not depend on its size.

A run of a contract is a row of whole numbers that time does not change: the day it began, and the ages at which
something happened. A fact takes rows away and adds others; time passing moves nothing. Tables of events and people at
risk are drawn up for a day when asked, and count only periods that are over by then: otherwise who ended this month would
be held against too few who might have.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from services.scoring.domain.contracts.facts import Cause, Contracts
from services.scoring.domain.contracts.hazards import DUNNING_PERIODS, Table, Tables
from services.scoring.domain.contracts.periods import Ints, Period
from services.scoring.domain.contracts.spells import Spell, spells_of
from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Cells
from services.scoring.domain.purchases import day_of

OPEN = 0xFFF
"""In place of an age: it has not come. No contract is older than 4,094 periods."""
OLDEST = OPEN - 1
STILL, RECOVERED, LAPSED, CANCELLED = range(4)
RUNS, LEFT, FATE, FROM_FAILING = range(4)
"""How a run stands: it runs; the customer left; fate ended it; it ended with a payment missing, as its episode says."""


class Lapse(NamedTuple):
    """An episode of a missing payment, in ages; `settled` is OPEN and `outcome` STILL while it lasts."""

    failed: int
    settled: int
    outcome: int


class Life(NamedTuple):
    """A run in whole periods."""

    start_day: int
    ended: int
    how: int
    lapses: tuple[Lapse, ...]


def life_of(spell: Spell, period: Period = Period.MONTH) -> Life:
    """A recovery that does not outlast its period is none: in discrete time one state a period is seen."""
    start = day_of(spell.started_at)
    lapses: list[Lapse] = []
    for episode in spell.episodes:
        failed = _age(start, day_of(episode.failed_at), period)
        settled = OPEN if episode.until is None else _age(start, day_of(episode.until), period)
        outcome = STILL if episode.until is None else RECOVERED if episode.recovered else _ended(spell)
        if lapses and lapses[-1].settled == failed:
            failed = lapses.pop().failed
        lapses.append(Lapse(failed, settled, outcome))
    if spell.ended_at is None:
        return Life(start, OPEN, RUNS, tuple(lapses))
    ended = _age(start, day_of(spell.ended_at), period)
    if lapses and lapses[-1].settled == ended:
        lapses[-1] = Lapse(lapses[-1].failed, ended, _ended(spell))
        return Life(start, ended, FROM_FAILING, tuple(lapses))
    return Life(start, ended, LEFT if spell.cause is Cause.VOLUNTARY else FATE, tuple(lapses))


@dataclass(frozen=True)
class Rows:
    """Signed changes: (n,) keys with the number of runs that come (+) or go (-)."""

    lives: Ints
    life_signs: Ints
    lapses: Ints
    lapse_signs: Ints


def moves(changes: Iterable[tuple[Contracts, Contracts]], period: Period = Period.MONTH) -> Rows:
    """Customers before and after: what has to be taken from the counts and what added."""
    lives: list[tuple[int, int]] = []
    lapses: list[tuple[int, int]] = []
    for before, after in changes:
        for sign, contracts in ((-1, before), (1, after)):
            for life in (life_of(spell, period) for spell in spells_of(contracts)):
                lives.append(((life.start_day << 16) | (life.ended << 4) | life.how, sign))
                start = life.start_day << 28
                lapses += [(start | (f << 16) | (settled << 4) | outcome, sign) for f, settled, outcome in life.lapses]
    life_rows, lapse_rows = (np.array(rows, np.int64).reshape(-1, 2).T for rows in (lives, lapses))
    return Rows(life_rows[0], life_rows[1], lapse_rows[0], lapse_rows[1])


@dataclass(frozen=True)
class Population:
    """Runs by (first day, age at the end, how), and episodes by (first day, age failed, age settled, outcome)."""

    period: Period = Period.MONTH
    lives: Cells = field(default_factory=lambda: Cells.empty(1))
    lapses: Cells = field(default_factory=lambda: Cells.empty(1))

    def plus(self, rows: Rows) -> "Population":
        lives = self.lives.plus(rows.lives, rows.life_signs[:, None])
        return Population(self.period, lives, self.lapses.plus(rows.lapses, rows.lapse_signs[:, None]))

    def merged(self, other: "Population") -> "Population":
        lives = self.lives.plus(other.lives.keys, other.lives.sums)
        return Population(self.period, lives, self.lapses.plus(other.lapses.keys, other.lapses.sums))

    @property
    def contracts(self) -> int:
        """Runs, those that are over too."""
        return int(self.lives.sums.sum())

    def tables_at(self, day: int, since: int | None = None) -> Tables:
        """Events and people at risk by age, in periods that are over on that day.

        `since`: count only periods that begin on that day or later. For a company that knows its older contracts only
        if they survived, and to forget the distant past.
        """
        keys, count = self.lives.keys, self.lives.sums[:, 0]
        start, ended, how = keys >> 16, (keys >> 4) & OPEN, keys & 0xF
        first, last = self._seen(start, day, since)
        size = int(last.max(initial=-1)) + 1
        at_risk = _ranges(first, np.minimum(ended, last), count, size)
        seen_end = (first <= ended) & (ended <= last)
        left, fate = (_count(ended, count * (seen_end & (how == kind)), size) for kind in (LEFT, FATE))
        failed_at_start, failures, failing = self._lapses(day, since, size)
        active = Table(
            (at_risk - failed_at_start).astype(float), np.stack([left, fate, failures], axis=1).astype(float)
        )
        return Tables(active, failing)

    def _lapses(self, day: int, since: int | None, size: int) -> tuple[Ints, Ints, Table]:
        """By age: episodes that were under way as the period began, and that began in it; by their own age, the table."""
        keys, count = self.lapses.keys, self.lapses.sums[:, 0]
        start, failed, settled, outcome = keys >> 28, (keys >> 16) & OPEN, (keys >> 4) & OPEN, keys & 0xF
        first, last = self._seen(start, day, since)
        until = np.minimum(settled, last)
        under_way = _ranges(np.maximum(failed + 1, first), until, count, size)
        began = _count(failed, count * ((first <= failed) & (failed <= last)), size)
        seen = (first <= settled) & (settled <= last)
        # A failure before the time that is counted puts its later periods at risk, from their own age on.
        longest = DUNNING_PERIODS + OPEN
        by_age = _ranges(np.maximum(first - failed, 0), until - failed, count, longest)
        ends = [
            _count(settled - failed, count * (seen & (outcome == o)), longest) for o in (RECOVERED, LAPSED, CANCELLED)
        ]
        capped = Table(_capped(by_age), np.stack([_capped(end) for end in ends], axis=1))
        return under_way, began, capped

    def _seen(self, start: Ints, day: int, since: int | None) -> tuple[Ints, Ints]:
        """The first and the last age that are counted; the last is before the first where there is none."""
        first = np.zeros_like(start) if since is None else self.period.first_age_since(start, since)
        return first, np.minimum(self.period.age(start, day) - 1, OLDEST)

    def pack(self) -> dict[str, dict[str, bytes]]:
        return {"lives": self.lives.pack(), "lapses": self.lapses.pack()}

    @classmethod
    def unpack(cls, packed: dict[str, dict[str, bytes]], period: Period = Period.MONTH) -> "Population":
        return cls(period, Cells.unpack(packed["lives"], 1), Cells.unpack(packed["lapses"], 1))


def _age(start: int, day: int, period: Period) -> int:
    return min(period.age_of(start, day), OLDEST)


def _ended(spell: Spell) -> int:
    return CANCELLED if spell.cause is Cause.VOLUNTARY else LAPSED


def _ranges(first: Ints, last: Ints, count: Ints, size: int) -> Ints:
    """How many are in their range, by age: each from its first to its last age, both included."""
    some = first <= last
    steps = np.zeros(size + 1, np.int64)
    np.add.at(steps, first[some], count[some])
    np.add.at(steps, last[some] + 1, -count[some])
    return np.cumsum(steps)[:-1]


def _count(age: Ints, count: Ints, size: int) -> Ints:
    counts = np.zeros(size, np.int64)
    some = count != 0
    np.add.at(counts, age[some], count[some])
    return counts


def _capped(by_age: Ints) -> Floats:
    """The last age of an episode stands for all later ones."""
    return np.append(by_age[: DUNNING_PERIODS - 1], by_age[DUNNING_PERIODS - 1 :].sum()).astype(float)
