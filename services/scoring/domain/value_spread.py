"""How uncertain a customer's future value is: quantiles of the discounted money still to come.

What will be spent is a sum of random purchases at random times by a customer whose traits are known roughly. Of somebody
who is there it is E[1 / nu] times a random number whose distribution knows only x and alpha + age, so one table of
quantiles serves all customers:

- rate lambda, leaving p, spend level nu: posteriors of MBG/NBD and Gamma-Gamma; the stay is exponential at rate lambda p;
- given lambda, p and the stay, purchases before its last are a Poisson process, and the discounted sum is taken for a
  gamma distribution with its own mean and variance;
- over nu, which is gamma too, the ratio is a beta prime distribution: its distribution function is closed;
- over lambda, p and the stay, a fixed quadrature. Against simulations the probability below a quantile is right to about 0.01;
- of k steps between purchases: purchases come at lambda / k and scatter less, by 1 / k of a Poisson process. How many steps
  are done is not in the table: its mean is made right for each customer. Right to about 0.05 then.

Somebody who has left spends nothing, with probability 1 - P(alive).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.special import betainc, digamma, ndtri

from services.scoring.domain.fitting import Floats
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.purchasing import Purchasing, general
from services.scoring.domain.quadrature import Nodes, beta_nodes, gamma_nodes

RATES, LEAVINGS = 9, 13
"""Nodes over lambda and p."""
RATES_FOR_EVER = 81
"""Who never leaves buys so often that only the rate is not known: between few nodes there would be gaps."""
LEVELS = np.linspace(-3.5, 3.5, 29)
"""Normal scores of the quantiles that are tabulated; beyond them the outermost counts."""
STAYS, STAY_WEIGHTS = (np.polynomial.legendre.leggauss(6) + np.array([[1.0], [0.0]])) / 2.0
"""Survival probabilities of the stay, at the quadrature's nodes."""
COARSE, FINE = 17, 30
"""Amounts at which the distribution function is computed, first to find its range and then in it."""
WIDEST = 40.0
"""Of that range, in logarithms."""
CLOCK_STEP = 0.5
"""Of ln(alpha + age) between columns of the table."""
COUNT_STEP = 1.35
NEGLIGIBLE = 1e-5
"""Combinations of traits less probable than this are left out."""
TINY, TINIEST = 1e-12, 1e-250


@dataclass(frozen=True)
class ValueSpread:
    """Quantiles of future money for all customers of up to `most` repeat purchases and up to `oldest` days of age."""

    visits: Purchasing
    spends: GammaGamma
    discount: float
    most: float
    oldest: float

    def quantiles(self, x: Floats, t_x: Floats, age: Floats, spend: Floats, levels: Sequence[float]) -> list[Floats]:
        """The future money, discounted, that a customer stays below with each of these probabilities; (customers,) each.

        `spend`: mean of repeat purchase days, 0 without one. `discount` of the table is continuous, per day.
        """
        left, table = 1.0 - self.visits.p_alive(x, t_x, age), self._table
        # Who is not known to have spent anything counts as somebody who spends the mean.
        mean = self.spends.expected_spend(np.zeros(1), np.zeros(1))
        where = (table.row(x), table.column(np.log(self.visits.alpha + age)))
        unit = (self.spends.gamma + x * np.where(spend > 0, spend, mean)) * self._ahead_of_table(x, t_x, age, where)
        return [self._quantile(unit, where, (level - left) / np.maximum(1.0 - left, TINY)) for level in levels]

    def _ahead_of_table(self, x: Floats, t_x: Floats, age: Floats, where: tuple[Floats, Floats]) -> Floats | float:
        """By how much more the customer is expected to buy than others of this x and age, steps being done already."""
        if isinstance(self.visits, MbgNbd) or self.visits.k == 1:
            return 1.0
        there = np.maximum(self.visits.p_alive(x, t_x, age), TINIEST)
        expected = self.visits.discounted_purchases(x, t_x, age, self.discount) / there
        log_of_table = map_coordinates(self._table.log_means, where, order=1, mode="nearest")
        ahead: Floats = expected / np.exp(log_of_table)
        return ahead

    def _quantile(self, unit: Floats, where: tuple[Floats, Floats], of_those_there: Floats) -> Floats:
        """The quantile at this level among those who are there; below all of them it is nothing."""
        scores = ndtri(np.clip(of_those_there, TINY, 1.0 - TINY))
        depth = (np.clip(scores, LEVELS[0], LEVELS[-1]) - LEVELS[0]) / (LEVELS[1] - LEVELS[0])
        log_quantile = map_coordinates(self._table.log_quantiles, (*where, depth), order=1, mode="nearest")
        quantile: Floats = np.where(of_those_there > 0, unit * np.exp(log_quantile), 0.0)
        return quantile

    @cached_property
    def _table(self) -> "_Table":
        low, high = np.log(self.visits.alpha), np.log(self.visits.alpha + self.oldest)
        clocks = np.linspace(low, high, 2 + int((high - low) / CLOCK_STEP))
        counts = _counts(self.most)
        model = general(self.visits)
        sums = [
            [_Sums.of(model, self.spends, x, float(np.exp(clock)) * self.discount) for clock in clocks] for x in counts
        ]
        columns = np.array([[self._column(x, one) for one in row] for x, row in zip(counts, sums, strict=True)])
        means = np.array([[one.mean / self.spends.p for one in row] for row in sums])
        return _Table(np.log1p(counts), clocks, columns, np.log(means))

    def _column(self, x: float, sums: "_Sums") -> Floats:
        """ln quantiles of customers with x repeat purchases."""
        shape = self.spends.q + self.spends.p * x
        middle = float(np.log(sums.mean) - digamma(shape))
        amounts = np.linspace(middle - WIDEST, middle + WIDEST / 4.0, COARSE)
        scores = sums.scores(amounts, shape)
        low, high = np.interp((LEVELS[0] - 0.2, LEVELS[-1] + 0.2), scores, amounts)
        amounts = np.linspace(low, high, FINE)
        column: Floats = np.interp(LEVELS, sums.scores(amounts, shape), amounts)
        return column


@dataclass(frozen=True)
class _Table:
    """ln of the quantiles of future money, with gamma + x z as its unit, by ln(1 + x), ln(alpha + age) and score; and of the
    expected discounted purchases. Beyond its edges the outermost column counts.
    """

    log_counts: Floats
    clocks: Floats
    log_quantiles: Floats
    log_means: Floats

    def row(self, x: Floats) -> Floats:
        position: Floats = np.interp(np.log1p(x), self.log_counts, np.arange(float(len(self.log_counts))))
        return position

    def column(self, clock: Floats) -> Floats:
        position: Floats = (clock - self.clocks[0]) / (self.clocks[1] - self.clocks[0])
        return position


@dataclass(frozen=True)
class _Sums:
    """The discounted sum of future purchases, each worth Gamma(p, 1), as a mixture of gamma distributions."""

    weight: Floats
    shape: Floats
    scale: Floats

    @property
    def mean(self) -> float:
        return float(self.weight @ (self.shape * self.scale))

    @classmethod
    def of(cls, visits: MbgCnbd, spends: GammaGamma, x: float, discounted: float) -> "_Sums":
        """`discounted`: discount times alpha + age. All moments are of sums of purchases worth 1 on average."""
        size, never = visits.r + visits.k * x, float(visits.never_leaves(np.array([x]))[0])
        scatter, parts = 1.0 / visits.k + 1.0 / spends.p, []
        if never > 0:
            rate = gamma_nodes(size, RATES_FOR_EVER)
            often = rate.at / visits.k
            parts.append((never * rate.weight, often / discounted, often * scatter / (2.0 * discounted)))
        if never < 1:
            rate = gamma_nodes(size, RATES)
            weight, mean, variance = _until_leaving(
                visits, spends, x, discounted, Nodes(rate.at / visits.k, rate.weight)
            )
            parts.append(((1.0 - never) * weight, mean, variance))
        weight, mean, variance = (np.concatenate(column) for column in zip(*parts, strict=True))
        kept = weight > NEGLIGIBLE
        mean, variance = mean[kept], np.maximum(variance[kept], TINIEST)
        return cls(weight[kept] / weight[kept].sum(), mean**2 / variance, variance / mean * spends.p)

    def scores(self, amounts: Floats, shape: float) -> Floats:
        """Normal scores of the probability to stay below exp(amounts), when divided by nu ~ Gamma(shape, 1)."""
        money = np.exp(amounts)[:, None]
        below = betainc(self.shape, shape, money / (money + self.scale)) @ self.weight
        scores: Floats = np.maximum.accumulate(ndtri(np.clip(below, TINY, 1.0 - TINY)))
        return scores


def _until_leaving(
    visits: MbgCnbd, spends: GammaGamma, x: float, discounted: float, often: Nodes
) -> tuple[Floats, Floats, Floats]:
    """Weight, mean and variance by rate, leaving and stay; the last purchase is the one after which they leave."""
    leaving = beta_nodes(visits.a, visits.b + x + 1.0, LEAVINGS)
    e, p = often.at[:, None, None], leaving.at[:, None]
    stay = -np.log(STAYS) / np.maximum(e * p, TINIEST)
    other, last = e * (1.0 - p), np.exp(-discounted * stay)
    mean = last + other * -np.expm1(-discounted * stay) / discounted
    scatter = 1.0 / visits.k + 1.0 / spends.p
    variance = last**2 / spends.p + other * scatter * -np.expm1(-2.0 * discounted * stay) / (2.0 * discounted)
    weight = often.weight[:, None, None] * leaving.weight[:, None] * STAY_WEIGHTS
    return weight.ravel(), mean.ravel(), variance.ravel()


def _counts(most: float) -> Floats:
    """x for which columns are made: every one first, then in growing steps, up to `most`."""
    counts = [0.0]
    while counts[-1] < most:
        counts.append(float(max(counts[-1] + 1.0, np.ceil(counts[-1] * COUNT_STEP))))
    return np.array(counts if len(counts) > 1 else [0.0, 1.0])
