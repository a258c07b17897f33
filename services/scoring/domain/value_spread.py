"""How uncertain a customer's future value is: quantiles of the discounted money still to come.

What will be spent is a sum of random purchases at random times by a customer whose traits are known roughly. Of somebody
who is there it is E[1 / nu] times a random number whose distribution knows only x and alpha + age, so one table of
quantiles serves all customers:

- rate lambda, leaving p, spend level nu: posteriors of the model of purchases and of Gamma-Gamma;
- how many purchases are to come is geometric with p, and between two of them lie k steps at rate lambda. Given all three, mean
  and variance of the discounted sum are closed, and the sum is taken for a gamma distribution that has them. (Asking for the
  time until they leave instead, taken for exponential, forgets that a rhythm makes purchases and their time go together: the
  lower end of the interval then lies too high.)
- over nu, which is gamma too, the ratio is a beta prime distribution: its distribution function is closed;
- over lambda, p and the number of purchases, a fixed quadrature. Against simulations the probability below a quantile is right
  to about 0.01;
- steps done since the last purchase tell of the rate (one more each) and bring the next purchase nearer: there is a table for
  each number of them, and a customer's distribution is the mixture. Of many purchases they tell little more: those columns
  are shifted to their mean only.

Somebody who has left spends nothing, with probability 1 - P(alive).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.special import digamma, ndtr, ndtri

from services.scoring.domain.discounted_sums import TINIEST, TINY, DiscountedSums
from services.scoring.domain.fitting import Floats
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.purchasing import Purchasing, general

LEVELS = np.linspace(-3.5, 3.5, 29)
"""Normal scores of the quantiles that are tabulated; beyond them the outermost counts."""
COARSE, FINE = 17, 30
"""Amounts at which the distribution function is computed, first to find its range and then in it."""
WIDEST = 40.0
"""Of that range, in logarithms."""
CLOCK_STEP = 0.5
"""Of ln(alpha + age) between columns of the table."""
COUNT_STEP = 1.35
STEPS_TELL = 8.0
"""Repeat purchases up to which a distribution of its own is computed for each number of steps done."""
HALVINGS = 24
"""Of the range in which a mixture's quantile is looked for: to the sixth digit of money."""


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
        model = general(self.visits)
        left, done = 1.0 - model.p_alive(x, t_x, age), model.steps_done(x, t_x, age)
        columns = self._table.columns(x, np.log(model.alpha + age))
        # Who is not known to have spent anything counts as somebody who spends the mean.
        mean = self.spends.expected_spend(np.zeros(1), np.zeros(1))
        unit = (self.spends.gamma + x * np.where(spend > 0, spend, mean)) * self._beyond_table(x, t_x, age, done)
        there = [(level - left) / np.maximum(1.0 - left, TINY) for level in levels]
        return [np.where(level > 0, unit * np.exp(_mixed(columns, done, level)), 0.0) for level in there]

    def _beyond_table(self, x: Floats, t_x: Floats, age: Floats, done: Floats) -> Floats:
        """By how much more money is expected of a customer than of those at the table's edge, beyond which they are; else 1."""
        more, beyond = np.ones_like(x), (x > self.most) | (age > self.oldest)
        if beyond.any():
            model, seen = general(self.visits), (x[beyond], t_x[beyond], age[beyond])
            expected = model.discounted_purchases(*seen, self.discount) / np.maximum(model.p_alive(*seen), TINIEST)
            edge = np.exp(self._table.means(seen[0], np.log(model.alpha + seen[2])))
            known, at_edge = (
                self.spends.q + self.spends.p * n - 1.0 for n in (seen[0], np.minimum(seen[0], self._table.most))
            )
            more[beyond] = expected / np.sum(done[:, beyond] * edge, axis=0) * at_edge / known
        return more

    @cached_property
    def _table(self) -> "_Table":
        low, high = np.log(self.visits.alpha), np.log(self.visits.alpha + self.oldest)
        clocks, counts = np.linspace(low, high, 2 + int((high - low) / CLOCK_STEP)), _counts(self.most)
        sums = [
            [[self._sums(x, done, clock) for clock in clocks] for x in counts] for done in range(general(self.visits).k)
        ]
        means = np.log([[[one.mean / self.spends.p for one in row] for row in table] for table in sums])
        first = np.array([[self._column(x, one) for one in row] for x, row in zip(counts, sums[0], strict=True)])
        columns = first + (means - means[0])[..., None]
        few = counts[counts <= STEPS_TELL]
        for done, table in enumerate(sums[1:], start=1):
            own = [[self._column(x, one) for one in row] for x, row in zip(few, table, strict=False)]
            columns[done, : len(few)] = own
        return _Table(np.log1p(counts), clocks, columns, means)

    def _sums(self, x: float, done: int, clock: float) -> DiscountedSums:
        """`clock`: ln(alpha + age)."""
        return DiscountedSums.of(general(self.visits), self.spends, x, done, float(np.exp(clock)) * self.discount)

    def _column(self, x: float, sums: DiscountedSums) -> Floats:
        """ln quantiles of customers with x repeat purchases."""
        shape = self.spends.q + self.spends.p * x
        middle = float(np.log(sums.mean) - digamma(shape))
        low, high = middle - WIDEST, middle + WIDEST / 4.0
        # Twice: of customers who are well known all lies between two of the first amounts.
        for _ in range(2):
            amounts = np.linspace(low, high, COARSE)
            scores = sums.scores(amounts, shape)
            low = amounts[scores < LEVELS[0]].max(initial=low)
            high = amounts[scores > LEVELS[-1]].min(initial=high)
        amounts = np.linspace(low, high, FINE)
        column: Floats = np.interp(LEVELS, sums.scores(amounts, shape), amounts)
        return column


@dataclass(frozen=True)
class _Table:
    """ln of the quantiles of future money, with gamma + x z as its unit: (steps done, ln(1 + x), ln(alpha + age), score).

    Beyond its edges the outermost column counts.
    """

    log_counts: Floats
    clocks: Floats
    log_quantiles: Floats
    log_means: Floats
    """Of discounted purchases: (steps done, ln(1 + x), ln(alpha + age))."""

    @property
    def most(self) -> float:
        return float(np.expm1(self.log_counts[-1]))

    def columns(self, x: Floats, clock: Floats) -> Floats:
        """(steps done, score, customers)."""
        return np.array([self._at(np.moveaxis(table, 2, 0), x, clock) for table in self.log_quantiles])

    def means(self, x: Floats, clock: Floats) -> Floats:
        """(steps done, customers)."""
        return self._at(self.log_means, x, clock)

    def _at(self, some: Floats, x: Floats, clock: Floats) -> Floats:
        row = np.interp(np.log1p(x), self.log_counts, np.arange(float(len(self.log_counts))))
        where = (row, (clock - self.clocks[0]) / (self.clocks[1] - self.clocks[0]))
        return np.array([map_coordinates(one, where, order=1, mode="nearest") for one in some])


def _mixed(columns: Floats, weights: Floats, p: Floats) -> Floats:
    """The quantiles at p of mixtures of parts; `columns` (parts, scores, customers) of each part's quantiles at LEVELS.

    A mixture's quantile lies between those of its parts.
    """
    depth = np.interp(ndtri(np.clip(p, TINY, 1.0 - TINY)), LEVELS, np.arange(float(len(LEVELS))))
    above = np.minimum(depth.astype(np.intp), len(LEVELS) - 2)
    below, next_ = (columns[:, at, np.arange(len(p))] for at in (above, above + 1))
    own = below + (depth - above) * (next_ - below)
    low, high = own.min(axis=0), own.max(axis=0)
    for _ in range(HALVINGS if len(columns) > 1 else 0):
        middle = (low + high) / 2.0
        too_low = np.sum(weights * ndtr(_scores(columns, middle)), axis=0) < p
        low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
    found: Floats = (low + high) / 2.0
    return found


def _scores(columns: Floats, amount: Floats) -> Floats:
    """(parts, customers): the normal scores at which the quantiles are each customer's amount; straight in between."""
    place = np.clip((columns <= amount).sum(axis=1) - 1, 0, len(LEVELS) - 2)[:, None]
    low, high = (np.take_along_axis(columns, at, axis=1)[:, 0] for at in (place, place + 1))
    share = np.clip((amount - low) / np.maximum(high - low, TINY), 0.0, 1.0)
    score: Floats = LEVELS[place[:, 0]] + share * (LEVELS[1] - LEVELS[0])
    return score


def _counts(most: float) -> Floats:
    """x for which columns are made: every one first, then in growing steps, up to `most`."""
    counts = [0.0]
    while counts[-1] < most:
        counts.append(float(max(counts[-1] + 1.0, np.ceil(counts[-1] * COUNT_STEP))))
    return np.array(counts if len(counts) > 1 else [0.0, 1.0])
