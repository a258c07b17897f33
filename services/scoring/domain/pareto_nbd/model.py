"""What Pareto/NBD says about customers (Schmittlein, Morrison, Colombo 1987, Management Science 33(1)).

A customer buys at rate lambda ~ Gamma(r, alpha) until leaving, which happens at rate mu ~ Gamma(s, beta) whether buying
or not. `x` repeat purchase days, `t_x` age at the last one, `age` now: arrays, times in one unit, usually days.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from services.scoring.domain.fitting import Floats
from services.scoring.domain.pareto_nbd.powers import Powers
from services.scoring.domain.quadrature import along, for_each, gamma_nodes

NEWTON_STEPS = 60
CLOSE = 1e-13
FARTHEST = 300.0
"""Ages are said up to e to this power: who would cross later never does."""


@dataclass(frozen=True)
class ParetoNbd:
    """The four parameters; `alpha` and `beta` in the unit of time."""

    r: float
    alpha: float
    s: float
    beta: float

    def log_likelihood(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """Nats a customer (Fader, Hardie, note 009 at brucehardie.com)."""
        stayed, left = self._fates(x, t_x, age)
        common = gammaln(self.r + x) - gammaln(self.r) + self.r * np.log(self.alpha) + self.s * np.log(self.beta)
        nats: Floats = common + np.logaddexp(stayed, left)
        return nats

    def p_alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        alive: Floats = np.exp(self._log_p_alive(x, t_x, age))
        return alive

    def expected_purchases(self, x: Floats, t_x: Floats, age: Floats, horizon: float) -> Floats:
        """E[X(horizon)]: repeat purchase days to come (note 009); at s = 1 the limit."""
        gone = np.log1p(horizon / (self.beta + age))
        power = 1.0 - self.s
        while_alive = gone if abs(power) < 1e-9 else np.expm1(power * gone) / power
        expected: Floats = self.p_alive(x, t_x, age) * self._rate(x, age) * (self.beta + age) * while_alive
        return expected

    def p_no_purchase(self, x: Floats, t_x: Floats, age: Floats, horizon: float) -> Floats:
        """1 - P(the next purchase comes within the horizon, and before leaving)."""
        size = self.r + x
        ahead = Powers(self.alpha, self.beta, size + 1.0, np.full_like(x, self.s), age, age + horizon).log_integral()
        log_buys = np.log(size) + size * np.log(self.alpha + age) + self.s * np.log(self.beta + age) + ahead
        quiet: Floats = 1.0 - self.p_alive(x, t_x, age) * np.exp(np.minimum(log_buys, 0.0))
        return quiet

    def discounted_purchases(self, x: Floats, t_x: Floats, age: Floats, discount: float) -> Floats:
        """DERT: all purchases to come, discounted continuously at this rate per unit of time, which is above 0.

        P(alive) E[lambda] E[1 / (mu + discount)], which Fader, Hardie and Lee 2005 (JMR 42(4)) write with the
        confluent hypergeometric U. The expectation over mu is done by quadrature: SciPy's U is NaN for many s from 4 on.
        """
        mu = gamma_nodes(self.s)

        def stay(clock: Floats) -> Floats:
            expected: Floats = (mu.weight / (mu.at / clock[:, None] + discount)).sum(axis=1)
            return expected

        dert: Floats = self.p_alive(x, t_x, age) * self._rate(x, age) * along(stay, self.beta + age)
        return dert

    def crossing_age(self, x: Floats, t_x: Floats, p: float) -> Floats:
        """The age, above t_x, at which P(alive) falls to p if nothing happens until then; 0 < p < 1."""
        smaller = min(self.alpha, self.beta)

        def log_crossing(purchases: float, clock: Floats) -> Floats:
            return self._crossing(np.full_like(clock, purchases), clock - smaller, -np.log(p)) - np.log(clock)

        stretch = for_each(log_crossing, x, smaller + t_x)
        age: Floats = (smaller + t_x) * np.exp(stretch) - smaller
        return age

    def _crossing(self, x: Floats, t_x: Floats, target: float) -> Floats:
        """ln(smaller shift + age) where -ln P(alive) reaches the target, which as a function of it is convex.

        So Newton's steps come from above after the first. With y = -ln P(alive):
        dy/dage = s / (beta + age) + (1 - P(alive)) (r + x) / (alpha + age).
        """
        smaller = min(self.alpha, self.beta)
        at = np.log(smaller + t_x)
        for _ in range(NEWTON_STEPS):
            age = np.maximum(np.exp(at) - smaller, t_x)
            nats = -self._log_p_alive(x, t_x, age)
            slope = self.s / (self.beta + age) - np.expm1(-nats) * (self.r + x) / (self.alpha + age)
            step = (target - nats) / (slope * (smaller + age))
            at = np.minimum(at + step, FARTHEST)
            if np.all(np.abs(step) < CLOSE * (1.0 + np.abs(at))):
                break
        return at

    def _rate(self, x: Floats, age: Floats) -> Floats:
        """E[lambda] of those who are there."""
        rate: Floats = (self.r + x) / (self.alpha + age)
        return rate

    def _log_p_alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        stayed, left = self._fates(x, t_x, age)
        log_p: Floats = stayed - np.logaddexp(stayed, left)
        return log_p

    def _fates(self, x: Floats, t_x: Floats, age: Floats) -> tuple[Floats, Floats]:
        """Log-probabilities of the silence of those who stayed, and of those who left in it, but for what is common."""
        size = self.r + x
        stayed = -size * np.log(self.alpha + age) - self.s * np.log(self.beta + age)
        departed = Powers(self.alpha, self.beta, size, np.full_like(x, self.s + 1.0), t_x, age)
        return stayed, np.log(self.s) + departed.log_integral()
