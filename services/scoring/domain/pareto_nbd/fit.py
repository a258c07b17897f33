"""Pareto/NBD by maximum likelihood, on customers or on cells of alike customers."""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from services.scoring.domain.fitting import Doubt, Floats, Likelihood, maximise
from services.scoring.domain.mbg_nbd import (
    DROPOUT_GAIN,
    MIN_CUSTOMERS,
    MIN_REPEATS,
    SCALED_AGE,
    Visits,
    by_x,
    likelihood_without_dropout,
)
from services.scoring.domain.pareto_nbd.model import ParetoNbd
from services.scoring.domain.pareto_nbd.powers import Powers

BOUNDS = ((1e-4, 1e4), (1e-4, 1e5), (1e-5, 1e3), (1e-4, 1e5))


@dataclass(frozen=True)
class ParetoFit:
    parameters: ParetoNbd
    log_likelihood: float
    doubt: Doubt | None


def likelihood_of(visits: Visits) -> Likelihood:
    """The weighted log-likelihood of (r, alpha, s, beta) and its gradient.

    Whoever may have left did so at an unknown time of their silence. The gradient is an expectation over that time.
    """
    x, t_x, age, n = visits.x, visits.t_x, visits.age, visits.customers
    total = n.sum()
    xs, ns = by_x(visits)

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        r, alpha, s, beta = map(float, parameters)
        size, log_alpha, log_beta = r + x, np.log(alpha + age), np.log(beta + age)
        departure = Powers(alpha, beta, size, np.full_like(x, s + 1.0), t_x, age).moments()
        stayed, left = -size * log_alpha - s * log_beta, np.log(s) + departure.log_total
        either = np.logaddexp(stayed, left)
        p = n * np.exp(stayed - either)
        q = n - p
        constant = r * np.log(alpha) - gammaln(r) + s * np.log(beta)
        value = n @ either + ns @ gammaln(r + xs) + total * constant
        gradient = [
            ns @ digamma(r + xs) + total * (np.log(alpha) - digamma(r)) - p @ log_alpha - q @ departure.log_alpha,
            total * r / alpha - p @ (size / (alpha + age)) - q @ (size * departure.per_alpha),
            total * np.log(beta) - p @ log_beta + q.sum() / s - q @ departure.log_beta,
            total * s / beta - s * (p @ (1.0 / (beta + age))) - (s + 1.0) * (q @ departure.per_beta),
        ]
        return float(value), np.array(gradient)

    return likelihood


def fit_pareto(visits: Visits, start: ParetoNbd | None = None) -> ParetoFit | Doubt:
    """Maximum likelihood, from the last optimum if there is one. A doubt instead of a fit if there is too little data."""
    if visits.customers.sum() < MIN_CUSTOMERS or visits.customers @ visits.x < MIN_REPEATS or visits.age.max() <= 0:
        return Doubt.TOO_FEW
    unit, customers = float(visits.age.max()) / SCALED_AGE, float(visits.customers.sum())
    scaled = Visits(visits.x, visits.t_x / unit, visits.age / unit, visits.customers)
    begin = (start.r, start.alpha / unit, start.s, start.beta / unit) if start else (1.0, 1.0, 1.0, 1.0)
    best = maximise(likelihood_of(scaled), customers, begin, BOUNDS)
    without = maximise(likelihood_without_dropout(scaled), customers, begin[:2], BOUNDS[:2])
    r, alpha, s, beta = map(float, best.parameters)
    # Rescaling time multiplies each customer's density by unit^-x.
    log_likelihood = best.log_likelihood - float(visits.customers @ visits.x) * np.log(unit)
    doubt = _doubt(best.converged, best.at_bound, best.log_likelihood - without.log_likelihood)
    return ParetoFit(ParetoNbd(r, alpha * unit, s, beta * unit), float(log_likelihood), doubt)


def _doubt(converged: bool, at_bound: tuple[bool, ...], gain: float) -> Doubt | None:
    if not converged:
        return Doubt.NOT_CONVERGED
    if gain < DROPOUT_GAIN:
        return Doubt.NO_DROPOUT
    return Doubt.ALL_ALIKE if any(at_bound) else None
