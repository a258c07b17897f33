"""When a customer's score will be news though nothing happens: the first day on which it is worth another look.

Between purchases a score only drifts, and along curves that can be inverted: P(alive) falls, the silence grows less
plausible, the customer ages. A season of the year moves everybody's horizon, up or down, by what is known a year ahead; a
customer's own pace moves theirs with the silence.
Of what is left of each band until it is news, half may be used up before the next look, so that nobody has to look at
everybody every day, and no look comes late. Where it finds no news, another day follows.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from services.scoring.domain.bands import Flags
from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Ints
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.model import Parameters
from services.scoring.domain.prediction import (
    NO_VALUE,
    P_BAND,
    VALUE_BAND,
    Histories,
    Predictions,
    Told,
    ahead,
    horizon_of,
)
from services.scoring.domain.purchasing import Purchasing
from services.scoring.domain.segments import GONE_BELOW, NEW_DAYS, SLACK, SLIPPING_BELOW
from services.scoring.domain.tempo import Tempo
from services.scoring.domain.yearly import FOLLOWED as A_YEAR, Coming

NEVER = 2**31 - 1
"""The day of customers whose score will not move any more."""
SLACKS = (1 - SLACK, 1.0, 1 + SLACK)
"""Thresholds of segments count where they are, and where slack moves them: two of them may be near."""
FOLLOWED = 7
"""Days for which a rhythm is followed: everybody is looked at once a week anyway."""
STEEPEST = 0.37
"""By how much P(no purchase) rises at most while the age grows by as much as it is: below 1/e, whatever the rate."""


@dataclass(frozen=True)
class Turns:
    """What makes a horizon that begins some days from now as good as a longer or a shorter one: season and own pace."""

    parameters: Parameters
    today: int
    horizon_days: int

    def __bool__(self) -> bool:
        return bool(self.season or self.tempo.trend)

    @cached_property
    def season(self) -> Coming | None:
        return self.parameters.season.coming(self.today, self.horizon_days)

    @property
    def tempo(self) -> Tempo:
        return self.parameters.tempo

    def after(self, histories: Histories, days: int) -> Floats | float:
        """The horizon that begins so many days from now, if nobody buys until then."""
        return horizon_of(self.parameters, histories, self.today + days, self.horizon_days)

    def days(self, seen: tuple[Floats, Floats, Floats], most: Floats, least: Floats) -> Floats:
        """Until it may be longer by that part, or shorter by that; if there are two causes, by a half of it for each."""
        if self.season and self.tempo.trend:
            most, least = np.sqrt(1.0 + most) - 1.0, least / 2
        until = np.full_like(most, np.inf)
        if self.season:
            rises = np.searchsorted(self.season.most, 1.0 + most, side="right")
            falls = np.searchsorted(-self.season.least, least - 1.0, side="right")
            # The year ahead is all that is known: who is touched by nothing in it is looked at again after it.
            until = np.minimum(np.minimum(rises, falls), A_YEAR - 1).astype(np.float64)
        if self.tempo.trend:
            x, _, age = seen
            turn = 1.0 + most if self.tempo.trend < 0 else np.maximum(1.0 - least, 0.0)
            until = np.minimum(until, self.tempo.days_until(x, age, turn))
        return until


def due_days(
    parameters: Parameters, histories: Histories, told: Told, now: Predictions, today: int, horizon_days: int
) -> Ints:
    """Days since 1970, all after `today`; one element a customer. `told` last, `now` as of `today`; no NaN."""
    days, floor = np.empty(len(histories.x), np.int64), NO_VALUE * parameters.top_money
    coming = Turns(parameters, today, horizon_days)
    for visits, where in parameters.groups(histories.came):
        theirs = (histories.at(where), told.at(where), now.at(where))
        days[where] = _due_days(visits, *theirs, floor, coming)
    return days


def _due_days(
    visits: Purchasing, histories: Histories, told: Told, now: Predictions, floor: float, coming: Turns
) -> Ints:
    x, t_x, age = histories.x, histories.last_day - histories.first_day, histories.age(coming.today)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        if isinstance(visits, MbgCnbd) and visits.k > 1:
            bands = [_turns(visits, histories, told, now, floor, coming)]
        else:
            bands = _drifts(visits, histories, told, now, floor, coming)
        thresholds = [
            np.full_like(age, float(NEW_DAYS)),
            *(visits.crossing_age(x, t_x, GONE_BELOW * slack) for slack in SLACKS),
            *(visits.silence_age(x, t_x, SLIPPING_BELOW * slack) for slack in SLACKS),
        ]
        ages = np.stack([*bands, *(np.where(at < age, np.inf, at) for at in thresholds)])
    soonest: Floats = np.where(np.isnan(ages), np.inf, ages).min(axis=0)
    day = np.floor(np.minimum(histories.first_day + soonest, NEVER - 1.0)) + 1.0
    return np.maximum(day, coming.today + 1.0).astype(np.int64)


def _drifts(
    visits: Purchasing, histories: Histories, told: Told, now: Predictions, floor: float, coming: Turns
) -> list[Floats]:
    """Ages at which bands may be left, where silence only ever lowers what is expected; what turns horizons may use up half of
    that.
    """
    x, t_x, age = histories.x, histories.last_day - histories.first_day, histories.age(coming.today)
    left_alive, left_quiet, left_value = _left(told, now, floor)
    turn = []
    if coming:
        left_quiet, left_value = left_quiet / 2, left_value / 2
        days = _turn_of_horizon(coming, (x, t_x, age), told, now, floor, left_quiet, left_value)
        # From today on, also for those whose last purchase a channel's clock has put after it.
        turn = [coming.today - histories.first_day + days]
    falls = np.minimum.reduce([left_alive, left_quiet / 2, now.p_alive * left_value / 2])
    drift = np.minimum(left_value / 2, left_quiet / 2 / STEEPEST)
    return [
        visits.crossing_age(x, t_x, np.maximum(now.p_alive - falls, 0.0)),
        (visits.alpha + age) * (1 + drift) - visits.alpha,
        *turn,
    ]


def _turn_of_horizon(
    coming: Turns,
    seen: tuple[Floats, Floats, Floats],
    told: Told,
    now: Predictions,
    floor: float,
    left_quiet: Floats,
    left_value: Floats,
) -> Floats:
    """Days until the horizon's turning alone may have used up what is left to it; above, all of the band: nothing else
    raises a value.

    Value is concave in the horizon and P(no purchase) convex, so that a horizon longer or shorter by a part moves the one by
    no more than that part, and the other by no more than STEEPEST of it on a logarithmic scale.
    """
    more_value = np.maximum(told.value, floor) * (1 + VALUE_BAND) / now.value - 1.0
    less_quiet = now.p_churn - (told.p_churn - P_BAND)
    steep = STEEPEST * now.p_alive
    most = np.fmin(np.maximum(more_value, 0.0), np.expm1(np.maximum(less_quiet, 0.0) / steep))
    least = np.fmin(left_value, -np.expm1(-left_quiet / steep))
    return coming.days(seen, most, least)


def _turns(visits: MbgCnbd, histories: Histories, told: Told, now: Predictions, floor: float, coming: Turns) -> Floats:
    """The age after which a buyer with a rhythm may be news: in a silence the next purchase first comes nearer, and then less
    probable.

    Such curves turn, so that they are followed day by day, each day with the horizon that begins then. What is left of a
    band is used up by half at most, of P(alive), which only falls, altogether; and after `FOLLOWED` days everybody is looked
    at again.
    """
    days = range(1, FOLLOWED + 1)
    ages = np.stack([histories.age(coming.today + n) for n in days])
    horizons = np.stack([np.broadcast_to(coming.after(histories, n), ages.shape[1:]) for n in days])
    x, t_x = (np.tile(one, FOLLOWED) for one in (histories.x, histories.last_day - histories.first_day))
    then = ahead(visits, x, t_x, ages.ravel(), horizons.ravel())
    alive, _, churn, purchases = (part.reshape(FOLLOWED, -1) for part in then)
    low, high = told.value * (1 - VALUE_BAND), np.maximum(told.value, floor) * (1 + VALUE_BAND)
    left = _beyond(now.value, purchases * now.expected_spend, np.where(now.value <= floor, -np.inf, low), high)
    left |= _beyond(now.p_churn, churn, told.p_churn - P_BAND, told.p_churn + P_BAND)
    left |= alive < now.p_alive - np.maximum(now.p_alive - (told.p_alive - P_BAND), 0.0)
    # A row more for those who leave no band: argmax finds the first day, or this one.
    until = np.argmax(np.concatenate([left, np.ones((1, len(now.value)), bool)]), axis=0)
    age: Floats = coming.today - histories.first_day + until
    return age


def _beyond(now: Floats, then: Floats, low: Floats, high: Floats) -> Flags:
    """Whether more than half of the way to either end is gone."""
    beyond: Flags = (then > now + np.maximum(high - now, 0.0) / 2) | (then < now - np.maximum(now - low, 0.0) / 2)
    return beyond


def _left(told: Told, now: Predictions, floor: float) -> tuple[Floats, Floats, Floats]:
    """How far P(alive) may still fall, P(no purchase) rise, and value fall (as a part of it) before it is news."""
    alive = now.p_alive - (told.p_alive - P_BAND)
    quiet = np.where(told.p_churn + P_BAND >= 1.0, np.inf, told.p_churn + P_BAND - now.p_churn)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(now.value <= floor, np.inf, 1.0 - told.value * (1 - VALUE_BAND) / now.value)
    return np.maximum(alive, 0.0), np.maximum(quiet, 0.0), np.maximum(value, 0.0)
