"""What the calendar does to a whole base: found in the calibration, and used only if it proves itself on customers held back."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.scoring.domain.fitting import Floats
from services.scoring.domain.mbg_nbd import MIN_REPEATS, Visits, VisitsFit, fit_visits, likelihood_of
from services.scoring.domain.seasons import Clock, fit_seasons
from services.scoring.evaluation.forecasts import cells
from services.scoring.evaluation.splitting import WEEK, Split

PERIOD = 4.0
"""Weeks of one level; thirteen make a year of 52 weeks, so that a period meets itself again."""
YEAR = 13
FEWEST = 3
"""So many periods make a calendar, and as many must have been seen twice before a year is believed to repeat."""
SPREAD = 0.2
"""Customers must have come over this part of the calibration, or the calendar cannot be told from their growing older."""
EVIDENCE = 4.6
"""Nats that the levels must gain on customers held back: odds of a hundred to one."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Calendar:
    """`clock` reaches to the end of the holdout. `gain`: nats by which the levels foretold customers held back."""

    clock: Clock | None
    why: str
    gain: float | None = None
    log_levels: float = 0.0
    """What the levels add to the log-likelihood of the purchases."""

    def visits(self, visits: Visits, cut: Split) -> Visits:
        """The base as the clock sees it."""
        return self.clock.visits(visits, span(cut)) if self.clock else visits

    def shown(self, weeks: Floats) -> Floats:
        """What the clock shows so many weeks after the base's first purchase."""
        return self.clock.at(weeks) if self.clock else weeks

    def horizon(self, cut: Split) -> float:
        """The holdout in the clock's weeks."""
        if not self.clock:
            return cut.future.weeks
        begin, end = self.clock.at(np.array([0.0, cut.future.weeks]) + span(cut))
        return float(end - begin)


def span(cut: Split) -> float:
    """Weeks from the first purchase of the base to the calibration's end."""
    return float(cut.base.age.max(initial=0.0))


def calendar_of(cut: Split, visits: Visits) -> Calendar:
    """The calendar of the calibration, whose `cells` are `visits`, if it is there and can be told apart from customers leaving."""
    edges, doubt = _edges(cut), _doubt(cut)
    if doubt:
        return Calendar(None, doubt)
    even = np.arange(len(cut.base.x)) % 2 == 0
    gains = [_foretold(cut, edges, learn, ~learn) for learn in (even, ~even)]
    purchases = _purchases(cut, edges, np.ones_like(even))
    fit = fit_seasons(visits, purchases, edges)
    if not all(np.isfinite(gains)) or not fit.converged:
        return Calendar(None, "the search for the levels of four weeks did not converge")
    gain = float(sum(gains))
    if min(gains) <= 0 or gain < EVIDENCE:
        return Calendar(None, f"levels of four weeks did not foretell customers held back ({gain:+,.1f} nats)", gain)
    future, how = _future(fit.clock.levels, cut.future.weeks)
    why = f"levels of four weeks foretold customers held back by {gain:,.1f} nats better than a steady clock; {how}"
    return Calendar(_extended(fit.clock, future, cut.future.weeks), why, gain, fit.clock.log_levels(purchases))


def _edges(cut: Split) -> Floats:
    """Periods of four weeks, counted back from the calibration's end; what remains belongs to the first."""
    weeks = span(cut)
    periods = max(int(weeks // PERIOD), 1)
    return np.concatenate([[0.0], weeks - PERIOD * np.arange(periods - 1, -1, -1.0)])


def _doubt(cut: Split) -> str | None:
    edges, came = _edges(cut), np.quantile(cut.base.age, [0.1, 0.9])
    repeats = _purchases(cut, edges, np.ones(len(cut.base.x), bool))
    if len(repeats) < FEWEST or repeats.mean() < MIN_REPEATS or not repeats.min() > 0:
        return "too few repeat purchases in each four weeks"
    if came[1] - came[0] < SPREAD * span(cut):
        return "customers came so much at once that the calendar cannot be told from their growing older"
    return None


def _purchases(cut: Split, edges: Floats, whose: Mask) -> Floats:
    """Repeat purchase days of these customers in each period."""
    days, first = cut.days, int(cut.days.day.min())
    owner = np.searchsorted(cut.base.customer, days.customer)
    repeat = np.diff(days.customer, prepend=-1) == 0
    counted = np.histogram((days.day[repeat & whose[owner]] - first) / WEEK, edges)[0]
    return counted.astype(np.float64)


def _foretold(cut: Split, edges: Floats, learn: Mask, judge: Mask) -> float:
    """How much more likely levels learnt from some customers make the purchases of the others; -inf if nothing is learnt."""
    known, others = cells(cut, learn), cells(cut, judge)
    plain, fit = fit_visits(known), fit_seasons(known, _purchases(cut, edges, learn), edges)
    if not isinstance(plain, VisitsFit) or not fit.converged:
        return -np.inf
    steady, seasonal = ((m.r, m.alpha, m.a, m.b) for m in (plain.parameters, fit.parameters))
    warped = likelihood_of(fit.clock.visits(others, span(cut)))(np.array(seasonal))[0]
    return warped + fit.clock.log_levels(_purchases(cut, edges, judge)) - likelihood_of(others)(np.array(steady))[0]


def _future(levels: Floats, weeks: float) -> tuple[Floats, str]:
    """Levels of the coming periods: those of a year ago if they repeated before, else the last year's mean."""
    coming, usual = int(np.ceil(weeks / PERIOD)), float(levels[-YEAR:].mean())
    logs = np.log(levels[1:])
    again, before = logs[YEAR:], logs[:-YEAR]
    if len(again) >= FEWEST and np.sum((again - before) ** 2) < np.sum((again - before.mean()) ** 2):
        return levels[
            len(levels) - YEAR + np.arange(coming) % YEAR
        ], "a year ago they foretold the last ones: they are expected again"
    return np.full(coming, usual), "no year has been seen to repeat: the usual level is expected of what comes"


def _extended(clock: Clock, future: Floats, weeks: float) -> Clock:
    ends = clock.edges[-1] + np.minimum(PERIOD * np.arange(1.0, len(future) + 1), weeks)
    return Clock(np.concatenate([clock.edges, ends]), np.concatenate([clock.levels, future]))
