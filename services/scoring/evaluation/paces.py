"""Customers' own pace on a base: learnt on evenings of the calibration, and used only if it foretells its last quarter better."""

from dataclasses import dataclass

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.mbg_nbd import MIN_REPEATS
from services.scoring.domain.pace import Lookback, Pace, fit_pace, told, traits
from services.scoring.domain.pool import Pool
from services.scoring.evaluation.calendar_effects import Calendar, span
from services.scoring.evaluation.splitting import WEEK, Split, earlier

PARTS = (1 / 4, 1 / 3)
"""From how long before the calibration's end it is learnt, in parts of the calibration: each time, what came until then."""
SHORTEST = 8.0
"""Weeks that a calibration must have to be looked back on."""
STRETCH = 1.05
"""By which factor the horizon is made longer to see what that does to the expectation."""
TINY = 1e-300
MOST = 50_000
"""So many customers are looked back on at most, evenly taken: two coefficients need no more."""


@dataclass(frozen=True)
class Paces:
    """`pace` is None where it is not used. `gain`: nats by which it told better whose the last quarter's purchases were."""

    pace: Pace | None
    why: str
    gain: float | None = None


def paces_of(cut: Split, model: MbgCnbd | Pool, calendar: Calendar) -> Paces:
    """Learnt before the calibration's last quarter and judged there; if it holds, learnt again up to its end."""
    if span(cut) < SHORTEST:
        return Paces(None, f"the calibration is shorter than {SHORTEST:g} weeks")
    held_back = back(cut, PARTS[0])
    judged = _lookback(held_back, model, calendar)
    before = [_lookback(back(held_back, part), model, calendar) for part in PARTS]
    if min(one.came.sum() for one in (judged, *before)) < MIN_REPEATS:
        return Paces(None, "too few repeat purchases in the calibration's last quarter or before it")
    gain = told(fit_pace(before), judged)
    if gain <= 0:
        return Paces(
            None,
            f"it did not tell whose the purchases of the calibration's last quarter were ({gain:+,.1f} nats)",
            gain,
        )
    pace = fit_pace([_lookback(back(cut, part), model, calendar) for part in PARTS])
    why = f"learnt before the calibration's last quarter, it told by {gain:,.1f} nats better whose the purchases there were"
    return Paces(pace, why, gain)


def traits_of(cut: Split, calendar: Calendar) -> Floats:
    """(customers, 2): the traits of the base, times read off the calendar's clock."""
    days = cut.days
    first = np.diff(days.customer, prepend=-1) != 0
    begins = np.flatnonzero(first)
    ends = np.append(begins[1:], len(first)) - 1
    shown = calendar.shown((days.day - int(days.day.min())) / WEEK)
    last_gap = np.where(ends > begins, shown[ends] - shown[ends - 1], 0.0)
    now = float(calendar.shown(np.array([span(cut)]))[0])
    return traits(cut.base.x, shown[ends] - shown[begins], now - shown[begins], last_gap, days.money[begins])


def back(cut: Split, part: float) -> Split:
    """The calibration cut in two, its last part being held back."""
    return earlier(cut, max(1, int(span(cut) * part)))


def _lookback(inner: Split, model: MbgCnbd | Pool, calendar: Calendar) -> Lookback:
    """What the model, as it is now, expects from that evening on. Both sides of every comparison have its parameters alike."""
    taken = slice(None, None, len(inner.base.x) // MOST + 1)
    seen, horizon = calendar.visits(inner.base.visits(), inner), calendar.horizon(inner)
    whose = (seen.x[taken], seen.t_x[taken], seen.age[taken])
    expected, longer = (model.expected_purchases(*whose, stretch * horizon) for stretch in (1.0, STRETCH))
    elasticity = np.log(np.maximum(longer, TINY) / np.maximum(expected, TINY)) / np.log(STRETCH)
    return Lookback(traits_of(inner, calendar)[taken], expected, elasticity, inner.future.purchases[taken])
