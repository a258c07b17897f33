"""Which family of models the base would be given today: the rules of `choice`, on a base that was looked through.

A rhythm by likelihood, and beyond k = 1 only if it also foretold best who bought in the last quarter of the time that the
base exists; then a share of loyal customers where that is well founded; nobody leaving where leaving is not identified.
"""

from dataclasses import dataclass

import numpy as np

from services.scoring.domain.choice import Candidate, candidates, choose, fit_candidate, foretelling, with_loyal
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.mbg_nbd import enough
from services.scoring.domain.overview import Overview, Snapshot
from services.scoring.domain.purchasing import Family

QUARTER = 4
SURE = 1e-12


@dataclass(frozen=True)
class Nomination:
    """`candidates`: name, log-likelihood (of purchases in days), nats that leaving explains, doubt."""

    family: Family
    why: str
    candidates: tuple[tuple[str, float, float, str | None], ...]


def held_back(first_day: int, today: int) -> int:
    """The end of what rhythms are learnt from before they are tried."""
    return today - max((today - first_day) // QUARTER, 1)


def nominate(base: Overview, today: int, cut: int) -> Nomination | Doubt:
    """`cut`: the day that `base.before` is of."""
    visits = base.now.visits(today)
    fitted = candidates(visits, base.now.log_gaps) if len(visits.x) else Doubt.TOO_FEW
    if isinstance(fitted, Doubt):
        return fitted
    best = choose(fitted)
    if isinstance(best, Doubt):
        return best
    why = "the most likely k"
    if best.model.k > 1:
        tried = foretelling(fitted, best, lambda k: _loss(k, base.before, today, cut))
        best, why = tried.best, tried.words("the last quarter of the time that the base exists")
    loyal = with_loyal(visits, base.now.log_gaps, best)
    if loyal:
        gain = loyal.log_likelihood - best.log_likelihood
        best, why = loyal, f"{why}; that some never leave is {gain:,.1f} nats more likely"
    elif best.doubt is Doubt.NO_DROPOUT:
        why = f"{why}; that customers leave explains the base no better ({best.gain:,.1f} nats)"
    if best.doubt is Doubt.ALL_ALIKE:
        return best.doubt
    every = [*fitted, *([loyal] if loyal else [])]
    return Nomination(Family.of(best.model), why, tuple(map(_row, every)))


def _row(one: Candidate) -> tuple[str, float, float, str | None]:
    return one.name, one.log_likelihood, one.gain, one.doubt.value if one.doubt else None


def _loss(k: int, before: Snapshot, today: int, cut: int) -> float:
    """Mean log loss of who bought after the cut, cell by cell; 0 for all alike where there was no base yet."""
    if not before.customers or not enough(before.visits(cut)):
        return 0.0
    seen = before.visits(cut)
    model = fit_candidate(seen, before.log_gaps, k).model
    quiet = np.clip(model.p_no_purchase(seen.x, seen.t_x, seen.age, float(today - cut)), SURE, 1.0 - SURE)
    nats = before.bought @ np.log1p(-quiet) + (seen.customers - before.bought) @ np.log(quiet)
    return float(-nats / before.customers)
