"""Whether customers of a base are given a tempo: learnt on evenings of the past, and used only where it has foretold better.

Learnt as of the end of the first three quarters of the base's time, it says of everybody whether they buy in the last one. As
for channels (`shrinkage`), all alike stays unless the gain, paired by customer, is beyond doubt; then it is learnt again until
today. Both sides of every comparison have the parameters in use, so that nothing but the tempo tells them apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import NamedTuple

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.hindsight import then
from services.scoring.domain.histogram import Ints
from services.scoring.domain.mbg_nbd import MIN_REPEATS
from services.scoring.domain.model import Parameters
from services.scoring.domain.nomination import SURE, held_back
from services.scoring.domain.pace import FASTEST, Lookback, fit_pace
from services.scoring.domain.prediction import Histories, ahead
from services.scoring.domain.shrinkage import BEYOND_DOUBT
from services.scoring.domain.tempo import EVEN, FREE, Tempo

PARTS = (1 / 4, 1 / 3)
"""From how long before a day it is learnt, in parts of the base's time until then: as in the evaluation."""
LEAST_DAYS = 56
"""Of the base's time, as in the evaluation: of less, three quarters are too short to be looked back on twice."""
STRETCH = 1.05
"""By which factor the horizon is made longer to see what that does to what is expected."""
TINY = 1e-300
ROUNDS = 20
CLOSE = 1e-4
"""A base's total may be off by this part: nobody would see it."""


class Found(NamedTuple):
    """`gain`: nats a customer by which it foretold better who buys, and the standard error of that. None: not tried."""

    tempo: Tempo
    why: str
    customers: int
    gain: float | None = None
    error: float | None = None


@dataclass(frozen=True)
class Evening:
    """Customers at the end of a day of the past, and how often they bought in the days after it, on the season's clock."""

    parameters: Parameters
    histories: Histories
    day: int
    ahead: float
    came: Floats

    @classmethod
    def of(cls, parameters: Parameters, packed: Sequence[bytes], came: Ints, day: int, days: int) -> "Evening":
        seen = then(packed, day, days, came)
        return cls(parameters, seen.histories, day, parameters.season.ahead(day, days), seen.purchases)

    @property
    def seen(self) -> tuple[Floats, Floats, Floats]:
        """x, t_x and age."""
        known = self.histories
        return known.x, known.last_day - known.first_day, known.age(self.day)

    def expected(self, times: Floats | float = 1.0) -> Floats:
        """Purchases in a horizon so many times as long, one for all or each their own; (customers,)."""
        return self._said("expected_purchases", times)

    def quiet(self, times: Floats | float = 1.0) -> Floats:
        """P(no purchase) in it."""
        return np.clip(self._said("p_no_purchase", times), SURE, 1.0 - SURE)

    def _said(self, what: str, times: Floats | float) -> Floats:
        said, horizon = np.empty(len(self.came)), np.broadcast_to(self.ahead * times, len(self.came))
        for visits, where in self.parameters.groups(self.histories.came):
            one = self.histories.at(where)
            seen = (one.x, one.last_day - one.first_day, one.age(self.day))
            said[where] = getattr(ahead(visits, *seen, horizon[where]), what)
        return said

    @property
    def usual(self) -> Tempo:
        """What is usual in this base, without any coefficient."""
        known, repeats = self.histories, float(self.histories.x.sum())
        paid = known.first_money[known.first_money >= FREE]
        days = float((known.last_day - known.first_day).sum()) / repeats if repeats else 0.0
        return Tempo(usual_days=days, usual_money=float(np.median(np.log(paid))) if len(paid) else 0.0)

    def lookback(self, usual: Tempo) -> Lookback:
        expected, longer = self.expected(), self.expected(STRETCH)
        elasticity = np.log(np.maximum(longer, TINY) / np.maximum(expected, TINY)) / np.log(STRETCH)
        return Lookback(self.histories.traits(usual, self.day), expected, elasticity, self.came)

    def nats(self, tempo: Tempo) -> Floats:
        """(customers,): log-probability of what each did, a purchase or none."""
        quiet = self.quiet(self.histories.tempo(tempo, self.day) if tempo else 1.0)
        return np.where(self.came > 0, np.log1p(-quiet), np.log(quiet))


def tempo_of(packed: Sequence[bytes], came: Ints, parameters: Parameters, first_day: int, today: int) -> Found:
    """Of customers (`Purchases.pack`, codes of their channels), by the parameters in use; `first_day` of the base's purchases."""
    base = replace(parameters, tempo=EVEN)
    if today - first_day < LEAST_DAYS:
        return Found(EVEN, f"the base is younger than {LEAST_DAYS} days", len(packed))
    cut = held_back(first_day, today)
    judged = Evening.of(base, packed, came, cut, today - cut)
    before, now = (evenings(base, packed, came, first_day, day) for day in (cut, today))
    if min(one.came.sum() for one in (judged, *before)) < MIN_REPEATS:
        return Found(EVEN, "too few repeat purchases to learn from and to try it on", len(packed))
    gains = judged.nats(learn(before, judged)) - judged.nats(EVEN)
    mean, error = float(gains.mean()), float(gains.std()) / sqrt(len(gains))
    told = (
        f"of who bought in the last quarter of the base's time it told {mean:+.5f} nats a customer more (+-{error:.5f})"
    )
    if not mean > BEYOND_DOUBT * error:
        return Found(EVEN, f"no better beyond doubt: {told}", len(packed), mean, error)
    today_s = Evening.of(base, packed, came, today, today - cut)
    return Found(learn(now, today_s), f"learnt before, {told}", len(packed), mean, error)


def evenings(base: Parameters, packed: Sequence[bytes], came: Ints, first_day: int, end: int) -> list[Evening]:
    """As long before the end as `PARTS` say, and what came until then."""
    lengths = [max(1, int((end - first_day) * part)) for part in PARTS]
    return [Evening.of(base, packed, came, end - days, days) for days in lengths]


def learn(before: Sequence[Evening], at: Evening) -> Tempo:
    """From what came after those evenings; `at`: the one from which it is used, whose total it leaves as it was."""
    usual = at.usual
    pace = fit_pace([one.lookback(usual) for one in before])
    return _levelled(replace(usual, trend=pace.trend, money=pace.money), at)


def _levelled(tempo: Tempo, at: Evening) -> Tempo:
    """With the level at which as much is expected of the whole base as without it."""
    base = at.lookback(tempo)
    total = float(base.expected.sum())
    slope = float(base.expected @ base.elasticity) / total if total else 0.0
    for _ in range(ROUNDS if slope > 0 else 0):
        more = float(np.log(at.expected(at.histories.tempo(tempo, at.day)).sum() / total))
        level = float(np.clip(tempo.level + more / slope, -np.log(FASTEST), np.log(FASTEST)))
        tempo = replace(tempo, level=level)
        if abs(more) < CLOSE:
            break
    return tempo
