"""The discounted money of all purchases to come of somebody who is there, as a mixture of gamma distributions.

Over the rate, the probability of leaving and the number of purchases to come; what becomes of it is in `value_spread`.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, ndtri

from services.scoring.domain.fitting import Floats
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.quadrature import Nodes, beta_nodes, gamma_nodes

RATES, LEAVINGS = 9, 13
"""Nodes over lambda and p."""
RATES_FOR_EVER = 81
"""Who never leaves buys so often that only the rate is not known: between few nodes there would be gaps."""
ONE_BY_ONE = 3
"""Purchases to come of those who leave after so few are told apart exactly; of the others their number counts as continuous."""
STAYS, STAY_WEIGHTS = (np.polynomial.legendre.leggauss(6) + np.array([[1.0], [0.0]])) / 2.0
"""Probabilities of buying still more often, at the quadrature's nodes."""
MOST = 1e12
"""Purchases to come: more are no different, all being discounted."""
NEGLIGIBLE = 1e-5
"""Combinations of traits less probable than this are left out."""
TINY, TINIEST = 1e-12, 1e-250


@dataclass(frozen=True)
class DiscountedSums:
    """The discounted sum of future purchases, each worth Gamma(p, 1), as a mixture of gamma distributions."""

    weight: Floats
    shape: Floats
    scale: Floats

    @property
    def mean(self) -> float:
        return float(self.weight @ (self.shape * self.scale))

    @classmethod
    def of(cls, visits: MbgCnbd, spends: GammaGamma, x: float, done: int, discounted: float) -> "DiscountedSums":
        """`discounted`: discount times alpha + age. All moments are of sums of purchases worth 1 on average."""
        size, never, parts = visits.r + visits.k * x + done, float(visits.never_leaves(np.array([x]))[0]), []
        if never > 0:
            rate = gamma_nodes(size, RATES_FOR_EVER)
            parts.append(
                (never * rate.weight, *moments((visits.k, done), spends.p, rate.at, np.array(np.inf), discounted))
            )
        if never < 1:
            rate, number = gamma_nodes(size, RATES), _numbers(beta_nodes(visits.a, visits.b + x + 1.0, LEAVINGS))
            mean, variance = moments((visits.k, done), spends.p, rate.at[:, None], number.at, discounted)
            weight = (1.0 - never) * rate.weight[:, None] * number.weight
            parts.append((weight.ravel(), mean.ravel(), variance.ravel()))
        weight, mean, variance = (np.concatenate(column) for column in zip(*parts, strict=True))
        kept = weight > NEGLIGIBLE
        mean, variance = np.maximum(mean[kept], TINIEST), np.maximum(variance[kept], TINIEST)
        scale = variance / mean
        return cls(weight[kept] / weight[kept].sum(), mean / scale, scale * spends.p)

    def scores(self, amounts: Floats, shape: float) -> Floats:
        """Normal scores of the probability to stay below exp(amounts), when divided by nu ~ Gamma(shape, 1)."""
        money = np.exp(amounts)[:, None]
        below = betainc(self.shape, shape, money / (money + self.scale)) @ self.weight
        scores: Floats = np.maximum.accumulate(ndtri(np.clip(below, TINY, 1.0 - TINY)))
        return scores


def _numbers(leaving: Nodes) -> Nodes:
    """Purchases to come, the last being the one after which they leave: geometric on 1, 2, ..., for each probability of leaving."""
    p, few = leaving.at[:, None], np.arange(1.0, ONE_BY_ONE + 1.0)
    # One half more than the exponential's quantile gives a geometric number its mean, 1 / p, to the order of p.
    more = ONE_BY_ONE + 0.5 + np.log(STAYS) / np.minimum(np.log1p(-np.minimum(p, 1.0 - TINY)), -TINIEST)
    at = np.concatenate([np.broadcast_to(few, (len(p), ONE_BY_ONE)), more], axis=1)
    weight = np.concatenate([p * (1.0 - p) ** (few - 1.0), (1.0 - p) ** ONE_BY_ONE * STAY_WEIGHTS], axis=1)
    return Nodes(np.minimum(at, MOST).ravel(), (leaving.weight[:, None] * weight).ravel())


def moments(
    steps: tuple[int, int], shape: float, rate: Floats, number: Floats, discounted: float
) -> tuple[Floats, Floats]:
    """Mean and variance of the discounted sum of so many purchases, each worth Gamma(shape, shape), at this rate of steps.

    `steps`: k, and how many of the first purchase's are done. A step is worth f = rate / (rate + discount), its square
    e = rate / (rate + 2 discount); k of them g and h. The i-th purchase is worth f^(k - done) g^(i - 1), its square the same
    of e and h, and the product of the i-th and the one d purchases later is worth the i-th's square times g^d.
    """
    (k, done), log_f, log_e = steps, -np.log1p(discounted / rate), -np.log1p(2.0 * discounted / rate)
    g, h, first = np.exp(k * log_f), np.exp(k * log_e), np.exp((k - done) * log_e)
    mean = np.exp((k - done) * log_f) * np.expm1(number * k * log_f) / np.expm1(k * log_f)
    squares = first * np.expm1(number * k * log_e) / np.expm1(k * log_e)
    # h is below g, but a rate beyond all bounds leaves no digit between them: then nothing is scattered by time.
    last = first * (np.exp(number * k * log_f) - np.exp(number * k * log_e)) / np.maximum(g - h, TINIEST)
    pairs = g * (squares - last) / -np.expm1(k * log_f)
    return mean, (1.0 + 1.0 / shape) * squares + 2.0 * pairs - mean**2
