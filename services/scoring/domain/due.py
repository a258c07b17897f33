"""When a customer's score will be news though nothing happens: the first day on which it is worth another look.

Between purchases a score only drifts, and along curves that can be inverted: P(alive) falls, the silence grows less
plausible, the customer ages. Of what is left of each band until it is news, half may be used up before the next look, so
that nobody has to look at everybody every day, and no look comes late. Where it finds no news, another day follows.
"""

import numpy as np

from services.scoring.domain.bands import Flags
from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Ints
from services.scoring.domain.mbg_cnbd import MbgCnbd, outlook
from services.scoring.domain.model import Parameters
from services.scoring.domain.prediction import NO_VALUE, P_BAND, VALUE_BAND, Histories, Predictions, Told
from services.scoring.domain.purchasing import Purchasing
from services.scoring.domain.segments import GONE_BELOW, NEW_DAYS, SLACK, SLIPPING_BELOW

NEVER = 2**31 - 1
"""The day of customers whose score will not move any more."""
SLACKS = (1 - SLACK, 1.0, 1 + SLACK)
"""Thresholds of segments count where they are, and where slack moves them: two of them may be near."""
FOLLOWED = 7
"""Days for which a rhythm is followed: everybody is looked at once a week anyway."""
STEEPEST = 0.37
"""By how much P(no purchase) rises at most while the age grows by as much as it is: below 1/e, whatever the rate."""


def due_days(parameters: Parameters, histories: Histories, told: Told, now: Predictions, today: int) -> Ints:
    """Days since 1970, all after `today`; one element a customer. `told` last, `now` as of `today`; no NaN."""
    days, floor = np.empty(len(histories.x), np.int64), NO_VALUE * parameters.top_money
    for visits, where in parameters.groups(histories.came):
        days[where] = _due_days(visits, histories.at(where), told.at(where), now.at(where), today, floor)
    return days


def _due_days(visits: Purchasing, histories: Histories, told: Told, now: Predictions, today: int, floor: float) -> Ints:
    x, t_x = histories.x, histories.last_day - histories.first_day
    age = np.maximum(today - histories.first_day, t_x)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        seen = (x, t_x, age)
        if isinstance(visits, MbgCnbd) and visits.k > 1:
            bands = _turns(visits, seen, told, now, floor)
        else:
            bands = _drifts(visits, seen, told, now, floor)
        thresholds = [
            np.full_like(age, float(NEW_DAYS)),
            *(visits.crossing_age(x, t_x, GONE_BELOW * slack) for slack in SLACKS),
            *(visits.silence_age(x, t_x, SLIPPING_BELOW * slack) for slack in SLACKS),
        ]
        ages = np.stack([*bands, *(np.where(at < age, np.inf, at) for at in thresholds)])
    soonest: Floats = np.where(np.isnan(ages), np.inf, ages).min(axis=0)
    day = np.floor(np.minimum(histories.first_day + soonest, NEVER - 1.0)) + 1.0
    return np.maximum(day, today + 1.0).astype(np.int64)


def _drifts(
    visits: Purchasing, seen: tuple[Floats, Floats, Floats], told: Told, now: Predictions, floor: float
) -> list[Floats]:
    """Ages at which bands may be left, where silence only ever lowers what is expected."""
    x, t_x, age = seen
    left_alive, left_quiet, left_value = _left(told, now, floor)
    falls = np.minimum.reduce([left_alive, left_quiet / 2, now.p_alive * left_value / 2])
    drift = np.minimum(left_value / 2, left_quiet / 2 / STEEPEST)
    return [
        visits.crossing_age(x, t_x, np.maximum(now.p_alive - falls, 0.0)),
        (visits.alpha + age) * (1 + drift) - visits.alpha,
    ]


def _turns(
    visits: MbgCnbd, seen: tuple[Floats, Floats, Floats], told: Told, now: Predictions, floor: float
) -> list[Floats]:
    """The same of buyers with a rhythm: in a silence the next purchase first comes nearer, and then less probable.

    Such curves turn, so that they are followed day by day. What is left of a band is used up by half at most, of P(alive),
    which only falls, altogether; and after `FOLLOWED` days everybody is looked at again.
    """
    x, t_x, age = (np.tile(part, (FOLLOWED, 1)) for part in seen)
    age += np.arange(1.0, FOLLOWED + 1.0)[:, None]
    then = outlook(visits, x.ravel(), t_x.ravel(), age.ravel(), float(now.horizon_days))
    alive, _, churn, purchases = (part.reshape(FOLLOWED, -1) for part in then)
    low, high = told.value * (1 - VALUE_BAND), np.maximum(told.value, floor) * (1 + VALUE_BAND)
    left = _beyond(now.value, purchases * now.expected_spend, np.where(now.value <= floor, -np.inf, low), high)
    left |= _beyond(now.p_churn, churn, told.p_churn - P_BAND, told.p_churn + P_BAND)
    left |= alive < now.p_alive - np.maximum(now.p_alive - (told.p_alive - P_BAND), 0.0)
    # A row more for those who leave no band: argmax finds the first day, or this one.
    until = np.argmax(np.concatenate([left, np.ones((1, len(now.value)), bool)]), axis=0)
    return [seen[2] + until]


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
