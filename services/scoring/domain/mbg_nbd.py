"""MBG/NBD: how often customers buy, and whether they have left for good (Batislam, Denizel, Filiztekin 2007, IJRM 24(3)).

A customer buys at rate lambda ~ Gamma(r, alpha) and, after every purchase including the first, leaves with probability
p ~ Beta(a, b). `x` repeat purchase days, `t_x` age at the last one, `age` now: all times in days, all arguments arrays.
Everything is evaluated in logarithms.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, digamma, gammaln, hyp2f1

from services.scoring.domain.fitting import Doubt, Floats, Likelihood, maximise

MIN_CUSTOMERS = 50
MIN_REPEATS = 50
DROPOUT_GAIN = 1.92
"""Nats by which leaving must explain the data better than nobody ever leaving: a likelihood ratio test at 5 %."""
SCALED_AGE = 10.0
"""Times are rescaled so that the oldest customer is this old: keeps the four parameters of one magnitude."""
SERIES_TERMS = 20_000
NEAR_POLE = 3e-4
"""How far from a = 1 the closed form is trusted: cancellation and curvature both cost about 1e-7 there."""
BOUNDS = ((1e-4, 1e4), (1e-4, 1e5), (1e-6, 1e2), (1e-4, 1e3))


@dataclass(frozen=True)
class Visits:
    """What the model is fitted to: customers, or cells of alike customers with their number."""

    x: Floats
    t_x: Floats
    age: Floats
    customers: Floats


@dataclass(frozen=True)
class MbgNbd:
    """The four parameters; `alpha` in days."""

    r: float
    alpha: float
    a: float
    b: float

    def p_silent(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """How probable a silence as long as the present one is for a customer who is still there."""
        silence: Floats = np.exp((self.r + x) * (np.log(self.alpha + t_x) - np.log(self.alpha + age)))
        return silence

    def p_alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        log_odds_left = (
            np.log(self.a) - np.log(self.b + x) + (self.r + x) * np.log((self.alpha + age) / (self.alpha + t_x))
        )
        alive: Floats = np.exp(-np.logaddexp(0.0, log_odds_left))
        return alive

    def p_no_purchase(self, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> Floats:
        """Probability of no purchase within the horizon. Exact: one leaves only after a purchase."""
        buys = -np.expm1((self.r + x) * np.log((self.alpha + age) / (self.alpha + age + horizon)))
        quiet: Floats = 1.0 - self.p_alive(x, t_x, age) * buys
        return quiet

    def expected_purchases(self, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> Floats:
        """E[X(horizon)]: repeat purchase days to come."""
        expected: Floats = self.p_alive(x, t_x, age) * self.while_there(x, age, horizon)
        return expected

    def while_there(self, x: Floats, age: Floats, horizon: Floats | float) -> Floats:
        """E[X(horizon)] of a customer who has not left yet, with Euler's transform of 2F1, which holds for x of thousands."""
        if abs(self.a - 1.0) < NEAR_POLE:
            # The pole at 1 is removable, floating point is not: close to it the digits cancel. In between it is straight.
            share = (self.a - 1.0 + NEAR_POLE) / (2 * NEAR_POLE)
            below, above = (self._beside_pole(1.0 + side, x, age, horizon) for side in (-NEAR_POLE, NEAR_POLE))
            expected = (1.0 - share) * below + share * above
        else:
            expected = self._beside_pole(self.a, x, age, horizon)
        return np.clip(expected, 0.0, (self.r + x) * horizon / (self.alpha + age))

    def _beside_pole(self, a: float, x: Floats, age: Floats, horizon: Floats | float) -> Floats:
        """The same, `a` not being 1."""
        ahead = horizon / (self.alpha + age + horizon)
        series = gauss(a + self.b - self.r, a - 1.0, a + self.b + x, ahead)
        expected: Floats = (a + self.b + x) / (a - 1.0) * (1.0 - np.exp((a - 1.0) * np.log1p(-ahead)) * series)
        return expected

    def crossing_age(self, x: Floats, t_x: Floats, p: float | Floats) -> Floats:
        """The age at which P(alive) falls to p if nothing happens until then; below t_x where it is lower already."""
        log_stretch = (np.log(1.0 / p - 1.0) + np.log(self.b + x) - np.log(self.a)) / (self.r + x)
        age: Floats = (self.alpha + t_x) * np.exp(log_stretch) - self.alpha
        return age

    def silence_age(self, x: Floats, t_x: Floats, p: float | Floats) -> Floats:
        """The age at which the silence becomes as improbable as p for a customer who is still there."""
        age: Floats = (self.alpha + t_x) * np.power(p, -1.0 / (self.r + x)) - self.alpha
        return age


def gauss(a: float, b: float, c: Floats, z: Floats) -> Floats:
    """2F1(a, b; c; z) for 0 <= z < 1. SciPy's is wrong by any factor for some z above 0.9; the plain series is not."""
    near_one = z > 0.9
    value: Floats = np.asarray(hyp2f1(a, b, c, np.where(near_one, 0.0, z)), dtype=float)
    if near_one.any():
        value[near_one] = _gauss_series(a, b, c[near_one], z[near_one])
    return value


def _gauss_series(a: float, b: float, c: Floats, z: Floats) -> Floats:
    term = np.ones_like(z)
    total = np.ones_like(z)
    for n in range(SERIES_TERMS):
        term = term * ((a + n) * (b + n) / ((c + n) * (n + 1.0)) * z)
        total += term
        if np.all(np.abs(term) <= 1e-15 * (1.0 - z) * np.abs(total)):
            break
    return total


@dataclass(frozen=True)
class VisitsFit:
    parameters: MbgNbd
    log_likelihood: float
    doubt: Doubt | None


def likelihood_of(visits: Visits) -> Likelihood:
    """The weighted log-likelihood of (r, alpha, a, b) and its gradient."""
    x, t_x, age, n = visits.x, visits.t_x, visits.age, visits.customers
    total = n.sum()
    xs, ns = by_x(visits)

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = parameters
        log_now, log_last = np.log(alpha + age), np.log(alpha + t_x)
        stayed, left = -(r + x) * log_now, np.log(a / (b + x)) - (r + x) * log_last
        either = np.logaddexp(stayed, left)
        p = np.exp(stayed - either)
        q = 1.0 - p
        value = n @ either + ns @ (gammaln(r + xs) + betaln(a, b + xs + 1.0))
        constant = r * np.log(alpha) - gammaln(r) - betaln(a, b)
        psi_ab, psi_abx = digamma(a + b), ns @ digamma(a + b + xs + 1.0)
        gradient = np.array(
            [
                ns @ digamma(r + xs) - n @ (p * log_now + q * log_last) + total * (np.log(alpha) - digamma(r)),
                total * r / alpha - n @ ((r + x) * (p / (alpha + age) + q / (alpha + t_x))),
                total * psi_ab - psi_abx + n @ q / a,
                ns @ digamma(b + xs + 1.0) - psi_abx - n @ (q / (b + x)) + total * (psi_ab - digamma(b)),
            ]
        )
        return float(value + total * constant), gradient

    return likelihood


def by_x(visits: Visits) -> tuple[Floats, Floats]:
    """Customers by x: the costly functions depend on nothing else, and most cells share their x."""
    xs, where = np.unique(visits.x, return_inverse=True)
    return xs, np.bincount(where, weights=visits.customers).astype(np.float64)


def likelihood_without_dropout(visits: Visits) -> Likelihood:
    """The same of (r, alpha) where nobody ever leaves: the NBD model."""
    x, age, n = visits.x, visits.age, visits.customers
    total = n.sum()
    xs, ns = by_x(visits)

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        r, alpha = parameters
        log_now = np.log(alpha + age)
        value = ns @ gammaln(r + xs) - n @ ((r + x) * log_now) + total * (r * np.log(alpha) - gammaln(r))
        by_r = ns @ digamma(r + xs) - n @ log_now + total * (np.log(alpha) - digamma(r))
        by_alpha = total * r / alpha - n @ ((r + x) / (alpha + age))
        return float(value), np.array([by_r, by_alpha])

    return likelihood


def enough(visits: Visits) -> bool:
    """Whether there is a base to learn from."""
    few = visits.customers.sum() < MIN_CUSTOMERS or visits.customers @ visits.x < MIN_REPEATS
    return not few and bool(visits.age.max() > 0)


def fit_visits(visits: Visits, start: MbgNbd | None = None) -> VisitsFit | Doubt:
    """Maximum likelihood, from the last optimum if there is one. A doubt instead of a fit if there is too little data."""
    if not enough(visits):
        return Doubt.TOO_FEW
    unit = float(visits.age.max()) / SCALED_AGE
    scaled = Visits(visits.x, visits.t_x / unit, visits.age / unit, visits.customers)
    begin = (start.r, start.alpha / unit, start.a, start.b) if start else (1.0, 1.0, 1.0, 1.0)
    customers = float(visits.customers.sum())
    best = maximise(likelihood_of(scaled), customers, begin, BOUNDS)
    without = maximise(likelihood_without_dropout(scaled), customers, begin[:2], BOUNDS[:2])
    r, alpha, a, b = (float(value) for value in best.parameters)
    # Rescaling time multiplies each customer's density by unit^-x.
    log_likelihood = best.log_likelihood - float(visits.customers @ visits.x) * np.log(unit)
    gain = best.log_likelihood - without.log_likelihood
    return VisitsFit(MbgNbd(r, alpha * unit, a, b), float(log_likelihood), _doubt(best.converged, best.at_bound, gain))


def _doubt(converged: bool, at_bound: tuple[bool, ...], gain: float) -> Doubt | None:
    if not converged or any(at_bound[:2]):
        return Doubt.NOT_CONVERGED
    return Doubt.NO_DROPOUT if gain < DROPOUT_GAIN else None
