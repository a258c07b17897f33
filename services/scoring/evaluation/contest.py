"""The models that compete for a base, each with what it needs to forecast. Who wins is decided before the holdout is opened."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.scoring.domain.choice import Candidate, candidates, choose, fit_candidate, foretelling, with_loyal
from services.scoring.domain.counts import whole_purchases
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.mbg_nbd import MIN_REPEATS, Visits
from services.scoring.domain.pace import Pace
from services.scoring.domain.pool import Pool, p_of_count, stacked
from services.scoring.evaluation.calendar_effects import Calendar, calendar_of, span
from services.scoring.evaluation.forecasts import Forecast, cells
from services.scoring.evaluation.metrics import log_loss
from services.scoring.evaluation.paces import Paces, back, paces_of, traits_of
from services.scoring.evaluation.splitting import WEEK, Split, earlier

STEADY = Calendar(None, "")
NOT_FITTED = Calendar(None, "no model was fitted")
NO_PACE = Paces(None, "no model was fitted")


@dataclass(frozen=True)
class Entry:
    """A candidate under a calendar, whose times are the calendar's; pooled with others, and under customers' own pace, if so found."""

    candidate: Candidate
    calendar: Calendar
    pool: Pool | None = None
    pace: Pace | None = None

    @property
    def name(self) -> str:
        also = {"+calendar": self.calendar.clock, "+pool": self.pool, "+pace": self.pace}
        return self.candidate.name + "".join(name for name, used in also.items() if used)

    @property
    def model(self) -> MbgCnbd | Pool:
        return self.pool or self.candidate.model

    def forecast(self, cut: Split) -> Forecast:
        """What the model expects of each customer in the holdout."""
        visits, model = self.calendar.visits(cut.base.visits(), cut), self.model
        seen, horizon = (visits.x, visits.t_x, visits.age), self.calendar.horizon(cut)
        purchases, ahead = model.expected_purchases(*seen, horizon), np.full_like(visits.x, horizon)
        if self.pace:
            ahead *= self.pace.of(traits_of(cut, self.calendar), purchases)
            purchases = model.expected_purchases(*seen, ahead)
        p_purchase = np.clip(1.0 - model.p_no_purchase(*seen, ahead), 0.0, 1.0)
        whole = whole_purchases(model.at_least(*seen, ahead), len(purchases), float(purchases.sum()))
        return Forecast(self.name, purchases, p_purchase, whole)


@dataclass(frozen=True)
class Contest:
    """`winner` is a doubt where no model could be fitted."""

    entries: tuple[Entry, ...]
    winner: Entry | Doubt
    calendar: Calendar
    paces: Paces
    rhythm: str
    """Why this k."""


def hold(cut: Split) -> Contest:
    """A rhythm; then a share of loyal customers and a calendar; then a pool and customers' pace: each only where it is well founded."""
    visits = cells(cut)
    fitted = candidates(visits, float(cut.base.log_gaps.sum()))
    if isinstance(fitted, Doubt):
        return Contest((), fitted, NOT_FITTED, NO_PACE, NOT_FITTED.why)
    best = choose(fitted)
    if isinstance(best, Doubt):
        return Contest(tuple(Entry(one, STEADY) for one in fitted), best, NOT_FITTED, NO_PACE, NOT_FITTED.why)
    best, rhythm = (best, "the most likely k") if best.model.k == 1 else _rhythm(fitted, best, cut)
    plain = Entry(best, STEADY)
    calendar = calendar_of(cut, visits) if best.doubt is None else replace(STEADY, why="the plain model is in doubt")
    rivals = _rivals(plain, calendar, visits, cut)
    sound = [plain, *(entry for entry in rivals if entry.candidate.doubt is None)]
    winner = max(sound, key=lambda entry: entry.candidate.log_likelihood)
    others = [Entry(one, STEADY) for one in fitted if one is not best]
    pooled = _pooled(winner, [one for one in sound if one.calendar is winner.calendar], cut)
    paces = (
        paces_of(cut, pooled.model, pooled.calendar)
        if pooled.candidate.doubt is None
        else Paces(None, "the model is in doubt")
    )
    final = replace(pooled, pace=paces.pace) if paces.pace else pooled
    steps = [one for one, before in ((pooled, winner), (final, pooled)) if one is not before]
    return Contest((plain, *others, *rivals, *steps), final, calendar, paces, rhythm)


def _pooled(winner: Entry, members: Sequence[Entry], cut: Split) -> Entry:
    """With what it extends: what the extension is worth is weighed by what each foretold of the calibration's last quarter."""
    held_back = back(cut, 1 / 4)
    if len(members) < 2 or held_back.future.purchases.sum() < MIN_REPEATS:
        return winner
    seen, horizon = winner.calendar.visits(held_back.base.visits(), held_back), winner.calendar.horizon(held_back)
    models = [one.candidate.model for one in members]
    reached = [model.at_least(seen.x, seen.t_x, seen.age, horizon) for model in models]
    pool = stacked(models, [p_of_count(each, held_back.future.purchases) for each in reached])
    return replace(winner, pool=pool) if len(pool.models) > 1 else winner


def _rhythm(fitted: Sequence[Candidate], likely: Candidate, cut: Split) -> tuple[Candidate, str]:
    """Purchases of whole days look more regular than they are: a rhythm has to foretell the calibration's last quarter too."""
    inner = earlier(cut, max(1, int(span(cut) / 4)))
    found = foretelling(fitted, likely, lambda k: _loss(k, inner))
    return found.best, found.words("the calibration's last quarter")


def _loss(k: int, inner: Split) -> float:
    visits = cells(inner)
    if not len(visits.x) or visits.age.max() <= 0:
        return 0.0
    found = Entry(fit_candidate(visits, float(inner.base.log_gaps.sum()), k), STEADY)
    return log_loss(found.forecast(inner).p_purchase, (inner.future.purchases > 0).astype(np.float64))


def _rivals(plain: Entry, calendar: Calendar, visits: Visits, cut: Split) -> list[Entry]:
    """What the plain model could be extended to."""
    starts = [plain]
    if calendar.clock:
        starts.append(Entry(_under(calendar, visits, cut, plain.candidate.model.k), calendar))
    return [*starts[1:], *(entry for entry in (_loyal(start, visits, cut) for start in starts) if entry)]


def _loyal(entry: Entry, visits: Visits, cut: Split) -> Entry | None:
    calendar, plain = entry.calendar, entry.candidate
    bare = replace(plain, log_likelihood=plain.log_likelihood - calendar.log_levels)
    found = with_loyal(calendar.visits(visits, cut), _log_gaps(calendar, cut), bare)
    return Entry(_in_days(found, calendar), calendar) if found else None


def _under(calendar: Calendar, visits: Visits, cut: Split, k: int) -> Candidate:
    return _in_days(fit_candidate(calendar.visits(visits, cut), _log_gaps(calendar, cut), k), calendar)


def _in_days(found: Candidate, calendar: Calendar) -> Candidate:
    """Its likelihood as that of purchases on their days, and not at the clock's times, to compare with the others."""
    return replace(found, log_likelihood=found.log_likelihood + calendar.log_levels)


def _log_gaps(calendar: Calendar, cut: Split) -> float:
    if not calendar.clock:
        return float(cut.base.log_gaps.sum())
    shown = calendar.clock.at((cut.days.day - cut.days.day.min()) / WEEK)
    repeat = np.diff(cut.days.customer, prepend=-1) == 0
    return float(np.log(np.diff(shown, prepend=0.0)[repeat]).sum())
