"""The models that compete for a base, each with what it needs to forecast. Who wins is decided before the holdout is opened."""

from dataclasses import dataclass, replace

import numpy as np

from services.scoring.domain.choice import Candidate, candidates, choose, fit_candidate, with_loyal
from services.scoring.domain.fitting import Doubt
from services.scoring.evaluation.calendar_effects import Calendar, calendar_of
from services.scoring.evaluation.forecasts import Forecast, cells
from services.scoring.evaluation.splitting import WEEK, Split

STEADY = Calendar(None, "")
NOT_FITTED = Calendar(None, "no model was fitted")


@dataclass(frozen=True)
class Entry:
    """A candidate under a calendar; its times are the calendar's."""

    candidate: Candidate
    calendar: Calendar

    @property
    def name(self) -> str:
        return self.candidate.name + ("+calendar" if self.calendar.clock else "")

    def forecast(self, cut: Split) -> Forecast:
        """What the model expects of each customer in the holdout."""
        seen = self.calendar.visits(cut.base.visits(), cut)
        horizon, model = self.calendar.horizon(cut), self.candidate.model
        quiet = model.p_no_purchase(seen.x, seen.t_x, seen.age, horizon)
        purchases = model.expected_purchases(seen.x, seen.t_x, seen.age, horizon)
        return Forecast(self.name, purchases, np.clip(1.0 - quiet, 0.0, 1.0))


@dataclass(frozen=True)
class Contest:
    """`winner` is a doubt where no model could be fitted."""

    entries: tuple[Entry, ...]
    winner: Entry | Doubt
    calendar: Calendar


def hold(cut: Split) -> Contest:
    """Rhythms by likelihood; then a share of loyal customers and a calendar, each only where it is well founded."""
    fitted = candidates(cells(cut), float(cut.base.log_gaps.sum()))
    if isinstance(fitted, Doubt):
        return Contest((), fitted, NOT_FITTED)
    entries, best = [Entry(one, STEADY) for one in fitted], choose(fitted)
    if isinstance(best, Doubt):
        return Contest(tuple(entries), best, NOT_FITTED)
    plain = next(entry for entry in entries if entry.candidate is best)
    calendar = calendar_of(cut) if best.doubt is None else replace(STEADY, why="the plain model is in doubt")
    seasonal = Entry(_under(calendar, cut, best.model.k), calendar) if calendar.clock else None
    rivals = [entry for entry in (_loyal(plain, cut), seasonal) if entry]
    rivals += [entry for entry in (_loyal(seasonal, cut) if seasonal else None,) if entry]
    sound = [entry for entry in rivals if entry.candidate.doubt is None]
    winner = max([plain, *sound], key=lambda entry: entry.candidate.log_likelihood)
    return Contest((*entries, *rivals), winner, calendar)


def _loyal(entry: Entry, cut: Split) -> Entry | None:
    calendar, plain = entry.calendar, entry.candidate
    bare = replace(plain, log_likelihood=plain.log_likelihood - calendar.log_levels)
    found = with_loyal(calendar.visits(cells(cut), cut), _log_gaps(calendar, cut), bare)
    return Entry(_in_days(found, calendar), calendar) if found else None


def _under(calendar: Calendar, cut: Split, k: int) -> Candidate:
    return _in_days(fit_candidate(calendar.visits(cells(cut), cut), _log_gaps(calendar, cut), k), calendar)


def _in_days(found: Candidate, calendar: Calendar) -> Candidate:
    """Its likelihood as that of purchases on their days, and not at the clock's times, to compare with the others."""
    return replace(found, log_likelihood=found.log_likelihood + calendar.log_levels)


def _log_gaps(calendar: Calendar, cut: Split) -> float:
    if not calendar.clock:
        return float(cut.base.log_gaps.sum())
    shown = calendar.clock.at((cut.days.day - cut.days.day.min()) / WEEK)
    repeat = np.diff(cut.days.customer, prepend=-1) == 0
    return float(np.log(np.diff(shown, prepend=0.0)[repeat]).sum())
