"""Which model of purchasing a base is given: fitted side by side, chosen by the likelihood of what was seen."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from services.scoring.domain.fitting import Doubt, Optimum, maximise
from services.scoring.domain.mbg_cnbd import MbgCnbd, likelihood_of, likelihood_without_dropout
from services.scoring.domain.mbg_nbd import BOUNDS, DROPOUT_GAIN, MIN_CUSTOMERS, MIN_REPEATS, SCALED_AGE, Visits

RHYTHMS = (2, 3, 4)
"""The k that are tried after 1, until one is less likely than the one before."""


@dataclass(frozen=True)
class Candidate:
    """A fitted model. `gain`: nats by which leaving explains the base better than nobody leaving."""

    model: MbgCnbd
    log_likelihood: float
    gain: float
    doubt: Doubt | None

    @property
    def name(self) -> str:
        k = self.model.k
        family = "nbd" if k == 1 else f"cnbd-{k}"
        return family if self.model.a == 0 else f"mbg-{family}"


def fit_candidate(visits: Visits, log_gaps: float, k: int) -> Candidate:
    """Maximum likelihood for one k. Where leaving is not identified, nobody leaves, and the doubt says so.

    `log_gaps`: sum of ln of all times between purchases; with `visits` in the same unit of time, in which alpha is too.
    """
    unit, customers = float(visits.age.max()) / SCALED_AGE, float(visits.customers.sum())
    repeats = float(visits.customers @ visits.x)
    scaled = Visits(visits.x, visits.t_x / unit, visits.age / unit, visits.customers)
    gaps = log_gaps - repeats * np.log(unit)
    best = maximise(likelihood_of(scaled, k, gaps), customers, (1.0, 1.0, 1.0, 1.0), BOUNDS)
    without = maximise(likelihood_without_dropout(scaled, k, gaps), customers, (1.0, 1.0), BOUNDS[:2])
    gain = best.log_likelihood - without.log_likelihood
    leaving = best.converged and gain >= DROPOUT_GAIN
    used = best if leaving else without
    r, alpha, a, b = (*map(float, used.parameters), 0.0, 1.0)[:4]
    doubt = _doubt(used, leaving=leaving)
    # Rescaling time multiplies each customer's density by unit^-x.
    log_likelihood = float(used.log_likelihood - repeats * np.log(unit))
    return Candidate(MbgCnbd(k, r, alpha * unit, a, b), log_likelihood, gain, doubt)


def _doubt(found: Optimum, *, leaving: bool) -> Doubt | None:
    if not found.converged:
        return Doubt.NOT_CONVERGED
    if any(found.at_bound[:2]):
        return Doubt.ALL_ALIKE
    return None if leaving else Doubt.NO_DROPOUT


def candidates(visits: Visits, log_gaps: float) -> list[Candidate] | Doubt:
    """One for each rhythm, all with the same number of parameters, so that likelihoods compare as they are."""
    if visits.customers.sum() < MIN_CUSTOMERS or visits.customers @ visits.x < MIN_REPEATS or visits.age.max() <= 0:
        return Doubt.TOO_FEW
    fitted = [fit_candidate(visits, log_gaps, 1)]
    for k in RHYTHMS:
        fitted.append(fit_candidate(visits, log_gaps, k))
        if fitted[-1].log_likelihood < fitted[-2].log_likelihood:
            break
    return fitted


def choose(fitted: Iterable[Candidate]) -> Candidate | Doubt:
    """The most likely of those that have converged."""
    usable = [candidate for candidate in fitted if candidate.doubt is not Doubt.NOT_CONVERGED]
    return max(usable, key=lambda candidate: candidate.log_likelihood, default=Doubt.NOT_CONVERGED)
