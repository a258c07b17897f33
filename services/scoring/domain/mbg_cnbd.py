"""MBG/CNBD-k: MBG/NBD where buying may be regular (Platzer, Reutterer 2016, Marketing Science 35(5), and BTYDplus).

Between two purchases lie k steps of a Poisson process at rate lambda ~ Gamma(r, alpha): k = 1 is MBG/NBD, a larger k is
a rhythm. After every purchase the customer leaves with probability p ~ Beta(a, b); a = 0 says that nobody leaves, and a
share of `loyal` customers never does, which a Beta distribution alone cannot say.
`x` repeat purchase days, `t_x` age at the last, `age` now: in the fit's unit of time, all arguments arrays; `horizon`
one for all, or each customer's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import betainc, betaln, digamma, gammaln, logsumexp

from services.scoring.domain.counts import AtLeast, Places, counts
from services.scoring.domain.fitting import Floats, Likelihood
from services.scoring.domain.mbg_nbd import Visits, by_x
from services.scoring.domain.quadrature import Nodes, beta_nodes, for_each, gamma_nodes

NEGLIGIBLE = 1e-13
"""Purchases less probable than this are left out of an expectation."""


@dataclass(frozen=True)
class MbgCnbd:
    """The parameters. `alpha` in units of time; r / alpha is the mean rate of steps, k of which make a purchase."""

    k: int
    r: float
    alpha: float
    a: float
    b: float
    loyal: float = 0.0

    def p_alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """Probability of not having left."""
        loyal, waiting = self._fates(x, t_x, age)
        return loyal + waiting

    def p_no_purchase(self, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> Floats:
        """Probability of no purchase within the horizon. Exact: one leaves only after a purchase."""
        ahead = horizon / (self.alpha + age + horizon)
        steps = self._steps_done(x, t_x, age)
        buys = sum(share * betainc(self.k - j, self.r + self.k * x + j, ahead) for j, share in enumerate(steps))
        quiet: Floats = 1.0 - self.p_alive(x, t_x, age) * buys
        return quiet

    def expected_purchases(self, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> Floats:
        """E[X(horizon)]: repeat purchase days to come. Sums P(at least n) over n, so it holds for any k and any x."""
        loyal, waiting = self._fates(x, t_x, age)
        expected = np.zeros_like(x)
        for done, share in enumerate(self._steps_done(x, t_x, age)):
            staying, leaving = self._purchases(done, x, age, horizon)
            expected += share * (loyal * staying + waiting * leaving)
        return expected

    def discounted_purchases(self, x: Floats, t_x: Floats, age: Floats, discount: float) -> Floats:
        """DERT: all purchases to come, each discounted continuously to now at this rate per unit of time, above 0.

        A step is worth f = lambda / (lambda + discount): the next purchase f^(k - steps done), each later one f^k of it.
        """
        dert = np.zeros_like(x)
        for done, share in enumerate(self._steps_done(x, t_x, age)):
            for fate, leaves in zip(self._fates(x, t_x, age), (False, True), strict=True):
                if fate.any():
                    worth = partial(self._worth, done, discount, leaves=leaves)
                    dert += share * fate * for_each(worth, x, self.alpha + age)
        return dert

    def _worth(self, done: int, discount: float, x: float, clock: Floats, *, leaves: bool) -> Floats:
        """DERT of somebody who is there, `done` steps after the last purchase, who may leave or never will."""
        rate = gamma_nodes(self.r + self.k * x + done)
        leaving = beta_nodes(self.a, self.b + x + 1.0) if leaves else Nodes(np.zeros(1), np.ones(1))
        log_step = -np.log1p(discount * clock[:, None] / rate.at)
        again = np.exp(self.k * log_step)
        worth = np.exp((self.k - done) * log_step) * rate.weight
        lost = -np.expm1(self.k * log_step)
        later = [
            1.0 / (one[:, None] + often[:, None] * leaving.at) @ leaving.weight
            for one, often in zip(lost, again, strict=True)
        ]
        value: Floats = np.einsum("cn,cn->c", worth, np.array(later))
        return value

    def at_least(self, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> AtLeast:
        """P(at least n purchases within the horizon), whose sum over n is E[X(horizon)]."""
        loyal, waiting = self._fates(x, t_x, age)
        ahead, steps = horizon / (self.alpha + age + horizon), self._steps_done(x, t_x, age)

        def reached(n: float, whose: Places) -> Floats:
            some, stays = x[whose], self._stays(n, x[whose])
            each = [betainc(self.k * n - j, self.r + self.k * some + j, ahead[whose]) for j in range(self.k)]
            p: Floats = np.sum(steps[:, whose] * each, axis=0) * (loyal[whose] + waiting[whose] * stays)
            return p

        return reached

    def _fates(self, x: Floats, t_x: Floats, age: Floats) -> tuple[Floats, Floats]:
        """Probabilities of never leaving, and of being able to leave but not having left."""
        if self.a == 0:
            return np.ones_like(x), np.zeros_like(x)
        size = self.r + self.k * x
        stayed = logsumexp(_log_steps(self.k, size, _silence(self.alpha, t_x, age)), axis=0)
        left = np.log(self.a) - np.log(self.b + x) + size * np.log((self.alpha + age) / (self.alpha + t_x))
        able = np.log1p(-self.loyal) + betaln(self.a, self.b + x + 1.0) - betaln(self.a, self.b)
        never = np.log(self.loyal) + stayed if self.loyal else np.full_like(x, -np.inf)
        either = np.logaddexp(able + np.logaddexp(stayed, left), never)
        return np.exp(never - either), np.exp(able + stayed - either)

    def _steps_done(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """(k, customers): how probably j of the k steps to the next purchase are done, of customers who stayed."""
        log_steps = _log_steps(self.k, self.r + self.k * x, _silence(self.alpha, t_x, age))
        shares: Floats = np.exp(log_steps - logsumexp(log_steps, axis=0))
        return shares

    def _purchases(self, done: int, x: Floats, age: Floats, horizon: Floats | float) -> tuple[Floats, Floats]:
        """E[X(horizon)], `done` steps after the last purchase: of those who never leave, and of those who may."""
        # Many customers share x, age and horizon; the sums know nothing else of them.
        rows = np.stack([x, age, np.broadcast_to(horizon, x.shape)])
        kinds, whose = np.unique(rows, axis=1, return_inverse=True)
        ahead, size = kinds[2] / (self.alpha + kinds[1] + kinds[2]), self.r + self.k * kinds[0] + done
        staying, leaving, open_ = np.zeros_like(size), np.zeros_like(size), np.arange(len(size))
        for n, width in counts():
            reached = width * betainc(self.k * n - done, size[open_], ahead[open_])
            staying[open_] += reached
            leaving[open_] += reached * self._stays(n, kinds[0][open_])
            open_ = open_[reached * n > NEGLIGIBLE * staying[open_]]
            if not len(open_):
                break
        return staying[whose], leaving[whose]

    def _stays(self, n: float, x: Floats) -> Floats:
        """Probability of staying after each of the next n - 1 purchases, of those who may leave."""
        if self.a == 0:
            return np.ones_like(x)
        xs, where = np.unique(x, return_inverse=True)
        stays: Floats = np.exp(betaln(self.a, self.b + xs + n) - betaln(self.a, self.b + xs + 1.0))[where]
        return stays


def _silence(alpha: float, t_x: Floats, age: Floats) -> Floats:
    # A clock's reading may be rounded to before that of the last purchase.
    return np.maximum(age - t_x, 0.0) / (alpha + age)


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
