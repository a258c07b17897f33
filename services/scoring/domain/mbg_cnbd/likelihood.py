"""The likelihood of MBG/CNBD-k and its gradient: with leaving, with a share of loyal customers, and without leaving."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, digamma, gammaln, logsumexp

from services.scoring.domain.fitting import Floats, Likelihood
from services.scoring.domain.mbg_cnbd.steps import log_steps, silence_of
from services.scoring.domain.mbg_nbd import Visits, by_x


@dataclass(frozen=True)
class _Stayed:
    """Log-probability of the present silence of somebody who stayed, and its derivatives by r and alpha."""

    log_p: Floats
    by_r: Floats
    by_alpha: Floats

    @classmethod
    def at(cls, k: int, size: Floats, alpha: float, visits: Visits) -> "_Stayed":
        log_now = np.log(alpha + visits.age)
        if k == 1:
            return cls(-size * log_now, -log_now, -size / (alpha + visits.age))
        log_of_steps = log_steps(k, size, silence_of(alpha, visits.t_x, visits.age))
        some = logsumexp(log_of_steps, axis=0)
        shares = np.exp(log_of_steps - some)
        inverse = np.cumsum([1.0 / (size + j) for j in range(k - 1)], axis=0)
        by_r = np.sum(shares[1:] * inverse, axis=0)
        done = np.arange(k, dtype=float) @ shares
        return cls(some - size * log_now, by_r - log_now, -(size + done) / (alpha + visits.age))


def likelihood_of(visits: Visits, k: int, log_gaps: float) -> Likelihood:
    """The weighted log-likelihood and its gradient, of (r, alpha, a, b) or of (r, alpha, a, b, loyal / (1 - loyal)).

    `log_gaps`: sum of the logarithms of all times between purchases.
    """
    x, t_x, n = visits.x, visits.t_x, visits.customers
    total = n.sum()
    xs, of_x = np.unique(x, return_inverse=True)
    rhythm = _rhythm(visits, k, log_gaps)

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        r, alpha, a, b, *odds = parameters
        size, log_last = r + k * x, np.log(alpha + t_x)
        stayed = _Stayed.at(k, size, alpha, visits)
        fates = _Fates.of(stayed.log_p, np.log(a / (b + x)) - size * log_last, _may(a, b, xs)[of_x], odds)
        p, q, able = n * fates.stayed, n * fates.left, np.bincount(of_x, weights=n * (1.0 - fates.loyal))
        value = n @ (fates.log_p + gammaln(r + k * xs)[of_x]) + total * (r * np.log(alpha) - gammaln(r)) + rhythm
        by_r = n @ digamma(r + k * xs)[of_x] + p @ stayed.by_r - q @ log_last + total * (np.log(alpha) - digamma(r))
        gradient = [
            by_r,
            total * r / alpha + p @ stayed.by_alpha - q @ (size / (alpha + t_x)),
            able @ (digamma(a + b) - digamma(a + b + xs + 1.0)) + q.sum() / a,
            able @ (digamma(b + xs + 1.0) - digamma(b) + digamma(a + b) - digamma(a + b + xs + 1.0))
            - q @ (1.0 / (b + x)),
            *(n @ fates.loyal / o - total / (1.0 + o) for o in odds),
        ]
        return float(value), np.array(gradient)

    return likelihood


def _may(a: float, b: float, xs: Floats) -> Floats:
    """Log-probability that those who may leave have not until their last purchase."""
    stayed: Floats = betaln(a, b + xs + 1.0) - betaln(a, b)
    return stayed


@dataclass(frozen=True)
class _Fates:
    """Log-probability of what was seen, and the shares of it that never leave, are there (those among them), and have left."""

    log_p: Floats
    loyal: Floats
    stayed: Floats
    left: Floats

    @classmethod
    def of(cls, stayed: Floats, left: Floats, may: Floats, odds: Sequence[float]) -> "_Fates":
        able = np.logaddexp(stayed, left)
        if not odds:
            there = np.exp(stayed - able)
            return cls(may + able, np.zeros_like(able), there, 1.0 - there)
        log_p = np.logaddexp(may + able, np.log(odds[0]) + stayed)
        loyal, gone = np.exp(np.log(odds[0]) + stayed - log_p), np.exp(may + left - log_p)
        return cls(log_p - np.log1p(odds[0]), loyal, 1.0 - gone, gone)


def likelihood_without_dropout(visits: Visits, k: int, log_gaps: float) -> Likelihood:
    """The same of (r, alpha) where nobody ever leaves."""
    x, n = visits.x, visits.customers
    total = n.sum()
    xs, ns = by_x(visits)
    rhythm = _rhythm(visits, k, log_gaps)

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        r, alpha = parameters
        stayed = _Stayed.at(k, r + k * x, alpha, visits)
        value = n @ stayed.log_p + ns @ gammaln(r + k * xs) + rhythm + total * (r * np.log(alpha) - gammaln(r))
        by_r = ns @ digamma(r + k * xs) + n @ stayed.by_r + total * (np.log(alpha) - digamma(r))
        return float(value), np.array([by_r, total * r / alpha + n @ stayed.by_alpha])

    return likelihood


def _rhythm(visits: Visits, k: int, log_gaps: float) -> float:
    """What the lengths of the gaps add to the likelihood, whatever the parameters."""
    return float((k - 1) * log_gaps - visits.customers @ visits.x * gammaln(k))
