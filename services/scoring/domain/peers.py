"""BG/NBD and Pareto/NBD, the models that others use: fitted to be compared with, never to score anybody.

BG/NBD (Fader, Hardie, Lee 2005, Marketing Science 24(2)) calls customers without repeat purchases alive for ever.
Pareto/NBD (Schmittlein, Morrison, Colombo 1987; Fader, Hardie, note 009 at brucehardie.com) lets them leave at any time.
Arguments as in MBG/NBD: `x` repeat purchase days, `t_x` age at the last, `age` now, arrays in one unit of time.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

from services.scoring.domain.fitting import Floats
from services.scoring.domain.mbg_nbd import SCALED_AGE, Visits, gauss

NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)


@dataclass(frozen=True)
class BgNbd:
    """As MBG/NBD, but nobody leaves before the first repeat purchase."""

    r: float
    alpha: float
    a: float
    b: float

    def log_likelihood(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """Nats a customer."""
        stayed, left = self._fates(x, t_x, age)
        common = gammaln(self.r + x) - gammaln(self.r) + self.r * np.log(self.alpha)
        nats: Floats = common + betaln(self.a, self.b + x) - betaln(self.a, self.b) + np.logaddexp(stayed, left)
        return nats

    def p_alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        stayed, left = self._fates(x, t_x, age)
        alive: Floats = np.exp(stayed - np.logaddexp(stayed, left))
        return alive

    def p_no_purchase(self, x: Floats, t_x: Floats, age: Floats, horizon: float) -> Floats:
        buys = -np.expm1((self.r + x) * np.log((self.alpha + age) / (self.alpha + age + horizon)))
        quiet: Floats = 1.0 - self.p_alive(x, t_x, age) * buys
        return quiet

    def expected_purchases(self, x: Floats, t_x: Floats, age: Floats, horizon: float) -> Floats:
        """E[X(horizon)], with Euler's transform of 2F1."""
        ahead, a = horizon / (self.alpha + age + horizon), self.a if self.a != 1 else 1.0 + 1e-6
        series = gauss(a + self.b - self.r - 1.0, a - 1.0, a + self.b + x - 1.0, ahead)
        while_alive = (a + self.b + x - 1.0) / (a - 1.0) * (1.0 - (1.0 - ahead) ** (a - 1.0) * series)
        expected: Floats = self.p_alive(x, t_x, age) * while_alive
        return expected

    def _fates(self, x: Floats, t_x: Floats, age: Floats) -> tuple[Floats, Floats]:
        left = np.log(self.a / (self.b + np.maximum(x, 1.0) - 1.0)) - (self.r + x) * np.log(self.alpha + t_x)
        return -(self.r + x) * np.log(self.alpha + age), np.where(x > 0, left, -np.inf)


@dataclass(frozen=True)
class ParetoNbd:
    """Buys at lambda ~ Gamma(r, alpha), and leaves at mu ~ Gamma(s, beta), whether buying or not."""

    r: float
    alpha: float
    s: float
    beta: float

    def log_likelihood(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """Nats a customer."""
        stayed, left = self._fates(x, t_x, age)
        common = gammaln(self.r + x) - gammaln(self.r) + self.r * np.log(self.alpha) + self.s * np.log(self.beta)
        nats: Floats = common + np.logaddexp(stayed, left)
        return nats

    def p_alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        stayed, left = self._fates(x, t_x, age)
        alive: Floats = np.exp(stayed - np.logaddexp(stayed, left))
        return alive

    def expected_purchases(self, x: Floats, t_x: Floats, age: Floats, horizon: float) -> Floats:
        """E[X(horizon)]; at s = 1 the limit."""
        rate, gone = (self.r + x) * (self.beta + age) / (self.alpha + age), np.log1p(horizon / (self.beta + age))
        power = 1.0 - self.s
        while_alive = gone if abs(power) < 1e-9 else np.expm1(power * gone) / power
        expected: Floats = self.p_alive(x, t_x, age) * rate * while_alive
        return expected

    def p_no_purchase(self, x: Floats, t_x: Floats, age: Floats, horizon: float) -> Floats:
        """1 - P(the next purchase comes within the horizon, and before leaving), by quadrature."""
        at = (NODES + 1.0) / 2.0 * horizon
        rate = (self.r + x)[:, None] / (self.alpha + age[:, None] + at)
        waiting = (self.r + x)[:, None] * np.log1p(at / (self.alpha + age[:, None]))
        staying = self.s * np.log1p(at / (self.beta + age[:, None]))
        buys = (rate * np.exp(-waiting - staying)) @ (WEIGHTS / 2.0 * horizon)
        quiet: Floats = 1.0 - self.p_alive(x, t_x, age) * buys
        return quiet

    def _fates(self, x: Floats, t_x: Floats, age: Floats) -> tuple[Floats, Floats]:
        stayed = -(self.r + x) * np.log(self.alpha + age) - self.s * np.log(self.beta + age)
        return stayed, np.log(self.s / (self.r + self.s + x)) + self._log_a0(x, t_x, age)

    def _log_a0(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """ln of note 009's A0: a difference of two terms, each in logarithms."""
        larger, apart, n = max(self.alpha, self.beta), abs(self.alpha - self.beta), self.r + self.s + x
        second = np.full_like(x, self.s + 1.0) if self.alpha >= self.beta else self.r + x

        def term(time: Floats) -> Floats:
            # Euler's transform: the plain series overflows for hundreds of purchases.
            z = apart / (larger + time)
            series: Floats = (
                np.log(hyp2f1(1.0, n + 1.0 - second, n + 1.0, z))
                + (1.0 - second) * np.log1p(-z)
                - n * np.log(larger + time)
            )
            return series

        before, now = term(t_x), term(age)
        log_a0: Floats = before + np.log(-np.expm1(np.minimum(now - before, -1e-300)))
        return log_a0


Peer = BgNbd | ParetoNbd


def fit_peer(family: type[Peer], visits: Visits) -> tuple[Peer, float] | None:
    """Maximum likelihood by numeric gradients, with the log-likelihood; None if the search does not arrive."""
    unit, customers = float(visits.age.max()) / SCALED_AGE, float(visits.customers.sum())
    seen = (visits.x, visits.t_x / unit, visits.age / unit)

    def negative(logs: Floats) -> float:
        # The search passes through corners where the series overflow; there it is turned back.
        with np.errstate(all="ignore"):
            nats = float(visits.customers @ family(*np.exp(logs)).log_likelihood(*seen)) / customers
        return -nats if np.isfinite(nats) else 1e9

    options = {"maxiter": 200, "ftol": 1e-12, "gtol": 1e-7}
    found: Any = minimize(negative, np.zeros(4), method="L-BFGS-B", bounds=[(-9.0, 9.0)] * 4, options=options)
    if not found.success or np.abs(found.x).max() > 8.99:
        return None
    first, alpha, third, fourth = (float(value) for value in np.exp(found.x))
    model = family(first, alpha * unit, third, fourth * unit if family is ParetoNbd else fourth)
    return model, float(-found.fun * customers - visits.customers @ visits.x * np.log(unit))
