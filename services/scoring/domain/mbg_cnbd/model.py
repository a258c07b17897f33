"""MBG/CNBD-k: MBG/NBD where buying may be regular (Platzer, Reutterer 2016, Marketing Science 35(5), and BTYDplus).

Between two purchases lie k steps of a Poisson process at rate lambda ~ Gamma(r, alpha): k = 1 is MBG/NBD, a larger k is
a rhythm. After every purchase the customer leaves with probability p ~ Beta(a, b); a = 0 says that nobody leaves, and a
share of `loyal` customers never does, which a Beta distribution alone cannot say.
`x` repeat purchase days, `t_x` age at the last, `age` now: in the fit's unit of time, all arguments arrays; `horizon`
one for all, or each customer's own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import betainc, betaincinv, betaln, expit

from services.scoring.domain.counts import AtLeast, Places, counts, distinct
from services.scoring.domain.fitting import Floats
from services.scoring.domain.mbg_cnbd.steps import silence_of, steps
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.quadrature import Nodes, beta_nodes, for_each, gamma_nodes

NEGLIGIBLE = 1e-13
"""Purchases less probable than this are left out of an expectation."""
FEW = 10_000
"""So many customers are computed one by one: more of them share their x."""
AT, WEIGHT = (np.polynomial.legendre.leggauss(48) + np.array([[1.0], [0.0]])) / 2.0
"""Of the time within which somebody may leave, on a logarithmic scale."""

Ahead = Callable[[Floats, Floats, Floats | float], Floats]
"""Of x, age and horizon."""


@dataclass(frozen=True)
class MbgCnbd:
    """The parameters. `alpha` in units of time; r / alpha is the mean rate of steps, k of which make a purchase."""

    k: int
    r: float
    alpha: float
    a: float
    b: float
    loyal: float = 0.0

    def p_silent(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """How probable a silence as long as the present one is for a customer who is still there: at most k - 1 steps."""
        silence: Floats = np.exp(self._log_silent(x, t_x, age))
        return silence

    def p_alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """Probability of not having left."""
        loyal, waiting = self._fates(x, t_x, age)
        return loyal + waiting

    def p_no_purchase(self, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> Floats:
        """Probability of no purchase within the horizon. Exact: one leaves only after a purchase."""
        quiet: Floats = 1.0 - self.p_alive(x, t_x, age) * (1.0 - self.p_still(x, t_x, age, horizon))
        return quiet

    def p_still(self, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> Floats:
        """How probably the silence until now goes on for the horizon, for a customer who is still there."""
        # A clock's reading may be rounded to before that of the last purchase.
        size, age = self.r + self.k * x, np.maximum(age, t_x)
        now, then = (steps(self.k, size, silence_of(self.alpha, t_x, at)).sum(axis=0) for at in (age, age + horizon))
        still: Floats = then / now * np.exp(-size * np.log1p(horizon / (self.alpha + age)))
        return np.minimum(still, 1.0)

    def expected_purchases(self, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> Floats:
        """E[X(horizon)]: repeat purchase days to come."""
        purchases = [self._along(partial(self.purchases, done), x, age, horizon) for done in range(self.k)]
        expected: Floats = self.p_alive(x, t_x, age) * np.sum(self.steps_done(x, t_x, age) * purchases, axis=0)
        return expected

    def purchases(self, done: int, x: Floats, age: Floats, horizon: Floats | float) -> Floats:
        """E[X(horizon)] of somebody who is there, `done` steps after the last purchase.

        Closed for k = 1, else a sum of P(at least n) over n, which holds for any k and any x.
        """
        never = self.never_leaves(x)
        if self.k == 1:
            staying = (self.r + x) * horizon / (self.alpha + age)
            leaving = MbgNbd(self.r, self.alpha, self.a, self.b).while_there(x, age, horizon) if self.a else staying
        else:
            staying, leaving, _ = self._sums(done, x, age, horizon)
        expected: Floats = never * staying + (1.0 - never) * leaving
        return expected

    def discounted_purchases(self, x: Floats, t_x: Floats, age: Floats, discount: float) -> Floats:
        """DERT: all purchases to come, each discounted continuously to now at this rate per unit of time, above 0.

        A step is worth f = lambda / (lambda + discount): the next purchase f^(k - steps done), each later one f^k of it.
        """
        dert = np.zeros_like(x)
        for done, share in enumerate(self.steps_done(x, t_x, age)):
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

    def residual_lifetime(self, x: Floats, t_x: Floats, age: Floats, horizon: float) -> Floats:
        """E[min(time until the customer leaves, horizon)], 0 for those who have left; the horizon for who never does."""
        loyal, waiting = self._fates(x, t_x, age)
        if self.a == 0:
            return loyal * horizon
        clock = self.alpha + age
        stretch = np.log1p(horizon / clock)[:, None]
        ahead = clock[:, None] * np.expm1(stretch * AT)
        rows = [np.repeat(part, len(AT)) for part in (x, age)]
        left = np.zeros_like(ahead)
        for done, share in enumerate(self.steps_done(x, t_x, age)):
            left += share[:, None] * self._sums(done, rows[0], rows[1], ahead.ravel())[2].reshape(ahead.shape)
        stays = ((1.0 - left) * (clock[:, None] + ahead) * stretch) @ WEIGHT
        lifetime: Floats = loyal * horizon + waiting * stays
        return lifetime

    def at_least(self, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> AtLeast:
        """P(at least n purchases within the horizon), whose sum over n is E[X(horizon)]."""
        loyal, waiting = self._fates(x, t_x, age)
        ahead, done = horizon / (self.alpha + age + horizon), self.steps_done(x, t_x, age)

        def reached(n: float, whose: Places) -> Floats:
            some, stays = x[whose], self._stays(n, x[whose])
            each = [betainc(self.k * n - j, self.r + self.k * some + j, ahead[whose]) for j in range(self.k)]
            p: Floats = np.sum(done[:, whose] * each, axis=0) * (loyal[whose] + waiting[whose] * stays)
            return p

        return reached

    def crossing_age(self, x: Floats, t_x: Floats, p: float | Floats) -> Floats:
        """The age at which P(alive) falls to p if nothing happens until then; t_x where it is lower already, else infinite."""
        if self.a == 0:
            return np.full_like(x, np.inf)

        def crossed(x: Floats, p: float | Floats) -> Floats:
            log_odds = np.log(p) - np.log1p(-np.asarray(p)) + self.log_left(x)
            return self._stretch(x, np.exp(np.minimum(log_odds, 0.0)))

        return (self.alpha + t_x) * _for_some(crossed, x, p) - self.alpha

    def silence_age(self, x: Floats, t_x: Floats, p: float | Floats) -> Floats:
        """The age at which the silence becomes as improbable as p for a customer who is still there."""
        return (self.alpha + t_x) * _for_some(self._stretch, x, p) - self.alpha

    def _stretch(self, x: Floats, p: float | Floats) -> Floats:
        """By how much the clock grows from the last purchase until the silence is as improbable as p."""
        size = self.r + self.k * x
        stretch: Floats = 1.0 / (np.power(p, 1.0 / size) if self.k == 1 else betaincinv(size, self.k, p))
        return stretch

    def _log_silent(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        size = self.r + self.k * x
        some = steps(self.k, size, silence_of(self.alpha, t_x, age)).sum(axis=0)
        log_p: Floats = np.log(some) - size * np.log1p(np.maximum(age - t_x, 0.0) / (self.alpha + t_x))
        return np.minimum(log_p, 0.0)

    def _fates(self, x: Floats, t_x: Floats, age: Floats) -> tuple[Floats, Floats]:
        """Probabilities of never leaving, and of being able to leave but not having left."""
        if self.a == 0:
            return np.ones_like(x), np.zeros_like(x)
        alive, never = expit(self._log_silent(x, t_x, age) - self.log_left(x)), self.never_leaves(x)
        return alive * never, alive * (1.0 - never)

    def log_left(self, x: Floats) -> Floats:
        """Log-odds of having left after the last purchase, against being there then."""
        xs, where = distinct(x)
        able = self._log_able(xs)
        there = np.logaddexp(able, np.log(self.loyal)) if self.loyal else able
        log_odds: Floats = np.take(able + np.log(self.a) - np.log(self.b + xs) - there, where)
        return log_odds

    def never_leaves(self, x: Floats) -> Floats:
        """Of those who are there, the part that never leaves: purchases tell it, and silence does not."""
        if self.a == 0 or not self.loyal:
            return np.full_like(x, float(self.a == 0))
        xs, where = distinct(x)
        never: Floats = expit(np.log(self.loyal) - self._log_able(xs))[where]
        return never

    def _log_able(self, xs: Floats) -> Floats:
        """Log-probability of being able to leave, and of not having done so after x + 1 purchases."""
        log_p: Floats = np.log1p(-self.loyal) + betaln(self.a, self.b + xs + 1.0) - betaln(self.a, self.b)
        return log_p

    def steps_done(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """(k, customers): how probably j of the k steps to the next purchase are done, of customers who stayed."""
        some = steps(self.k, self.r + self.k * x, silence_of(self.alpha, t_x, age))
        shares: Floats = some / some.sum(axis=0)
        return shares

    def _along(self, of: Ahead, x: Floats, age: Floats, horizon: Floats | float) -> Floats:
        """What depends on x, age and horizon only: for one horizon, many customers share an x and lie on one curve of age."""
        if self.k == 1 or len(x) <= FEW or isinstance(horizon, np.ndarray):
            return of(x, age, horizon)
        return for_each(lambda n, clock: of(np.full_like(clock, n), clock - self.alpha, horizon), x, self.alpha + age)

    def _sums(self, done: int, x: Floats, age: Floats, horizon: Floats | float) -> tuple[Floats, Floats, Floats]:
        """E[X(horizon)] of those who never leave and of those who may, and P(the latter leave in it); all are there now."""
        sums = np.zeros((3, len(x)))
        open_, some, size = np.arange(len(x)), x, self.r + self.k * x + done
        ahead = np.broadcast_to(horizon / (self.alpha + age + horizon), x.shape)
        for n, width in counts():
            reached = width * betainc(self.k * n - done, size, ahead)
            bought = reached * self._stays(n, some)
            sums[:, open_] += reached, bought, bought * (self.a / (self.a + self.b + some + n))
            more = reached * n > NEGLIGIBLE * sums[0, open_]
            if not more.all():
                open_, some, size, ahead = open_[more], some[more], size[more], ahead[more]
            if not len(open_):
                break
        staying, leaving, left = sums
        return staying, leaving, np.minimum(left, 1.0)

    def _stays(self, n: float, x: Floats) -> Floats:
        """Probability of staying after each of the next n - 1 purchases, of those who may leave."""
        if self.a == 0:
            return np.ones_like(x)
        stays: Floats = np.exp(betaln(self.a, self.b + x + n) - betaln(self.a, self.b + x + 1.0))
        return stays


def _for_some(of: Callable[[Floats, float | Floats], Floats], x: Floats, p: float | Floats) -> Floats:
    """of(x, p), once for each x where p is the same for all."""
    if isinstance(p, np.ndarray):
        return of(x, p)
    xs, where = distinct(x)
    return np.take(of(xs, p), where)
