"""MBG/CNBD-k: MBG/NBD where buying may be regular (Platzer, Reutterer 2016, Marketing Science 35(5), and BTYDplus).

Between two purchases lie k steps of a Poisson process at rate lambda ~ Gamma(r, alpha): k = 1 is MBG/NBD, a larger k is
a rhythm. After every purchase the customer leaves with probability p ~ Beta(a, b); a = 0 says that nobody leaves.
`x` repeat purchase days, `t_x` age at the last, `age` now: in the fit's unit of time, all arguments arrays.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaln, digamma, gammaln, logsumexp

from services.scoring.domain.fitting import Floats, Likelihood
from services.scoring.domain.mbg_nbd import Visits, by_x

NEGLIGIBLE = 1e-13
"""Purchases less probable than this are left out of an expectation."""
ONE_BY_ONE = 128
"""So many coming purchases are added one by one, later ones in blocks of a 64th of their number, at the middle."""


@dataclass(frozen=True)
class MbgCnbd:
    """The parameters. `alpha` in units of time; r / alpha is the mean rate of steps, k of which make a purchase."""

    k: int
    r: float
    alpha: float
    a: float
    b: float

    def p_alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """Probability of not having left."""
        if self.a == 0:
            return np.ones_like(x)
        size = self.r + self.k * x
        stayed = logsumexp(_log_steps(self.k, size, _silence(self.alpha, t_x, age)), axis=0)
        left = np.log(self.a) - np.log(self.b + x) + size * np.log((self.alpha + age) / (self.alpha + t_x))
        alive: Floats = np.exp(stayed - np.logaddexp(stayed, left))
        return alive

    def p_no_purchase(self, x: Floats, t_x: Floats, age: Floats, horizon: float) -> Floats:
        """Probability of no purchase within the horizon. Exact: one leaves only after a purchase."""
        ahead = horizon / (self.alpha + age + horizon)
        steps = self._steps_done(x, t_x, age)
        buys = sum(share * betainc(self.k - j, self.r + self.k * x + j, ahead) for j, share in enumerate(steps))
        quiet: Floats = 1.0 - self.p_alive(x, t_x, age) * buys
        return quiet

    def expected_purchases(self, x: Floats, t_x: Floats, age: Floats, horizon: float) -> Floats:
        """E[X(horizon)]: repeat purchase days to come. Sums P(at least n) over n, so it holds for any k and any x."""
        steps = self._steps_done(x, t_x, age)
        while_alive = sum(share * self._while_alive(j, x, age, horizon) for j, share in enumerate(steps))
        expected: Floats = self.p_alive(x, t_x, age) * while_alive
        return expected

    def _steps_done(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """(k, customers): how probably j of the k steps to the next purchase are done, of customers who stayed."""
        log_steps = _log_steps(self.k, self.r + self.k * x, _silence(self.alpha, t_x, age))
        shares: Floats = np.exp(log_steps - logsumexp(log_steps, axis=0))
        return shares

    def _while_alive(self, done: int, x: Floats, age: Floats, horizon: float) -> Floats:
        """E[X(horizon)] of customers who have not left, `done` steps after their last purchase."""
        ahead, size = horizon / (self.alpha + age + horizon), self.r + self.k * x + done
        expected = np.zeros_like(x)
        open_ = np.arange(len(x))
        for n, width in _counts():
            reached = betainc(self.k * n - done, size[open_], ahead[open_])
            expected[open_] += width * reached * self._stays(n, x[open_])
            open_ = open_[reached * n > NEGLIGIBLE * (1.0 + expected[open_])]
            if not len(open_):
                break
        return expected

    def _stays(self, n: float, x: Floats) -> Floats:
        """Probability of staying after each of the next n - 1 purchases."""
        if self.a == 0:
            return np.ones_like(x)
        stays: Floats = np.exp(betaln(self.a, self.b + x + n) - betaln(self.a, self.b + x + 1.0))
        return stays


def _counts() -> Iterator[tuple[float, int]]:
    """Numbers of purchases with the width of the block that each stands for."""
    n = 1
    while True:
        width = 1 if n < ONE_BY_ONE else n // 64
        yield n + (width - 1) / 2, width
        n += width


def _silence(alpha: float, t_x: Floats, age: Floats) -> Floats:
    return (age - t_x) / (alpha + age)


def _log_steps(k: int, size: Floats, silence: Floats) -> Floats:
    """(k, customers): log-probability of j = 0..k-1 steps since the last purchase, relative to none."""
    with np.errstate(divide="ignore"):
        log_silence = np.log(silence)
    rows = [np.zeros_like(size)]
    for j in range(1, k):
        rows.append(rows[-1] + np.log((size + j - 1.0) / j) + log_silence)
    return np.stack(rows)


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
        log_steps = _log_steps(k, size, _silence(alpha, visits.t_x, visits.age))
        some = logsumexp(log_steps, axis=0)
        shares = np.exp(log_steps - some)
        inverse = np.cumsum([1.0 / (size + j) for j in range(k - 1)], axis=0)
        by_r = np.sum(shares[1:] * inverse, axis=0)
        done = np.arange(k, dtype=float) @ shares
        return cls(some - size * log_now, by_r - log_now, -(size + done) / (alpha + visits.age))


def likelihood_of(visits: Visits, k: int, log_gaps: float) -> Likelihood:
    """The weighted log-likelihood of (r, alpha, a, b) and its gradient; `log_gaps`: all days between purchases, as sum of ln."""
    x, t_x, n = visits.x, visits.t_x, visits.customers
    total = n.sum()
    xs, ns = by_x(visits)
    rhythm = _rhythm(visits, k, log_gaps)

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = parameters
        size, log_last = r + k * x, np.log(alpha + t_x)
        stayed = _Stayed.at(k, size, alpha, visits)
        left = np.log(a / (b + x)) - size * log_last
        either = np.logaddexp(stayed.log_p, left)
        p = n * np.exp(stayed.log_p - either)
        q = n - p
        value = n @ either + ns @ (gammaln(r + k * xs) + betaln(a, b + xs + 1.0)) + rhythm
        constant = r * np.log(alpha) - gammaln(r) - betaln(a, b)
        psi_ab, psi_abx = digamma(a + b), ns @ digamma(a + b + xs + 1.0)
        gradient = np.array(
            [
                ns @ digamma(r + k * xs) + p @ stayed.by_r - q @ log_last + total * (np.log(alpha) - digamma(r)),
                total * r / alpha + p @ stayed.by_alpha - q @ (size / (alpha + t_x)),
                total * psi_ab - psi_abx + q.sum() / a,
                ns @ digamma(b + xs + 1.0) - psi_abx - q @ (1.0 / (b + x)) + total * (psi_ab - digamma(b)),
            ]
        )
        return float(value + total * constant), gradient

    return likelihood


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
