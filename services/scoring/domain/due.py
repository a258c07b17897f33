"""When a customer's score will be news though nothing happens: the first day on which it is worth another look.

Between purchases a score only drifts, along curves that can be inverted: P(alive) falls, the silence grows less plausible,
the customer ages. From what was told last follows the day on which any of it leaves its band, so that nobody has to look
at everybody every day. The day is never late; it may be early, and then the look finds no news and a later day.
"""

import numpy as np

from services.scoring.domain.bands import Flags
from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Ints
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.score import P_BAND, VALUE_BAND, Histories, Told
from services.scoring.domain.segments import GONE_BELOW, NEW_DAYS, SLACK, SLIPPING_BELOW

NEVER = 2**31 - 1
"""The day of customers whose score will not move any more."""
DRIFT = VALUE_BAND / 4
"""The part by which a customer's age may grow before what is expected of them has drifted by as much as a band."""


def due_days(visits: MbgNbd, histories: Histories, told: Told, today: int) -> Ints:
    """Days since 1970, all after `today`; arrays of one element a customer. `told`: what was told last."""
    t_x = histories.last_day - histories.first_day
    age = np.maximum(today - histories.first_day, t_x)
    size = visits.r + histories.x
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        ages = np.stack(
            [
                visits.crossing_age(histories.x, t_x, np.maximum(told.p_alive - P_BAND, told.p_alive * (1 - VALUE_BAND))),
                visits.crossing_age(histories.x, t_x, GONE_BELOW * (1 - SLACK)),
                (visits.alpha + t_x) * (SLIPPING_BELOW * (1 - SLACK)) ** (-1 / size) - visits.alpha,
                np.full_like(age, float(NEW_DAYS)),
                (visits.alpha + age) * (1 + DRIFT) - visits.alpha,
            ]
        )
    # What has been crossed already is behind us: it was told, or a band holds it back until another one is left.
    ahead: Floats = np.where(np.isfinite(ages) & (ages >= age), ages, np.inf).min(axis=0)
    days = np.floor(np.minimum(histories.first_day + ahead, NEVER - 1.0)) + 1.0
    found: Ints = np.maximum(days, today + 1.0).astype(np.int64)
    return found


def settled(told: Told, floor: float) -> Flags:
    """Whose score moves no more: hardly alive, and worth nothing."""
    flags: Flags = (told.p_alive < P_BAND) & (told.value < floor) & (told.p_churn > 1 - P_BAND)
    return flags
