"""When a customer's score will be news though nothing happens: the first day on which it is worth another look.

Between purchases a score only drifts, and along curves that can be inverted: P(alive) falls, the silence grows less
plausible, the customer ages. Of what is left of each band until it is news, half may be used up before the next look, so
that nobody has to look at everybody every day, and no look comes late. Where it finds no news, another day follows.
"""

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Ints
from services.scoring.domain.model import Parameters
from services.scoring.domain.prediction import NO_VALUE, P_BAND, VALUE_BAND, Histories, Predictions, Told
from services.scoring.domain.segments import GONE_BELOW, NEW_DAYS, SLACK, SLIPPING_BELOW

NEVER = 2**31 - 1
"""The day of customers whose score will not move any more."""
SLACKS = (1 - SLACK, 1.0, 1 + SLACK)
"""Thresholds of segments count where they are, and where slack moves them: two of them may be near."""
STEEPEST = 0.37
"""By how much P(no purchase) rises at most while the age grows by as much as it is: below 1/e, whatever the rate."""


def due_days(parameters: Parameters, histories: Histories, told: Told, now: Predictions, today: int) -> Ints:
    """Days since 1970, all after `today`; one element a customer. `told` last, `now` as of `today`; no NaN."""
    visits = parameters.visits
    t_x = histories.last_day - histories.first_day
    age, size = np.maximum(today - histories.first_day, t_x), visits.r + histories.x
    left_alive, left_quiet, left_value = _left(told, now, NO_VALUE * parameters.top_money)
    falls = np.minimum.reduce([left_alive, left_quiet / 2, now.p_alive * left_value / 2])
    drift = np.minimum(left_value / 2, left_quiet / 2 / STEEPEST)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        bands = [
            visits.crossing_age(histories.x, t_x, np.maximum(now.p_alive - falls, 0.0)),
            (visits.alpha + age) * (1 + drift) - visits.alpha,
        ]
        thresholds = [
            np.full_like(age, float(NEW_DAYS)),
            *(visits.crossing_age(histories.x, t_x, np.full_like(age, GONE_BELOW * slack)) for slack in SLACKS),
            *((visits.alpha + t_x) * (SLIPPING_BELOW * slack) ** (-1 / size) - visits.alpha for slack in SLACKS),
        ]
        ages = np.stack([*bands, *(np.where(at < age, np.inf, at) for at in thresholds)])
    soonest: Floats = np.where(np.isnan(ages), np.inf, ages).min(axis=0)
    day = np.floor(np.minimum(histories.first_day + soonest, NEVER - 1.0)) + 1.0
    return np.maximum(day, today + 1.0).astype(np.int64)


def _left(told: Told, now: Predictions, floor: float) -> tuple[Floats, Floats, Floats]:
    """How far P(alive) may still fall, P(no purchase) rise, and value fall (as a part of it) before it is news."""
    alive = now.p_alive - (told.p_alive - P_BAND)
    quiet = np.where(told.p_churn + P_BAND >= 1.0, np.inf, told.p_churn + P_BAND - now.p_churn)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(now.value <= floor, np.inf, 1.0 - told.value * (1 - VALUE_BAND) / now.value)
    return np.maximum(alive, 0.0), np.maximum(quiet, 0.0), np.maximum(value, 0.0)
