"""What a horizon brings to somebody who is there, for any number of customers: E[X(horizon)] as polynomials.

It depends on x, on the steps done since the last purchase, and on the clock alpha + age in horizons: twice the horizon at
twice the clock brings as much. So horizons may differ from day to day and from customer to customer. In the logarithm of that
ratio it is smooth: each x and octave of the ratio (from one power of 2 to the next) has a polynomial for each number of steps
done, made when the first such customer comes and kept as long as the parameters are in use. To be told apart from the plain
way (`MbgCnbd.expected_purchases`), which sums over purchases for each customer, one has to look at the eleventh digit.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from services.scoring.domain.fitting import Floats
from services.scoring.domain.mbg_cnbd.model import MbgCnbd

Keys = npt.NDArray[np.int64]
NODES = np.polynomial.chebyshev.chebpts1(14)
"""Where in an octave, from -1 to 1, curves are computed. With 11 nodes the ninth digit would be wrong for some of k = 4."""
POWERS = np.linalg.inv(np.vander(NODES, increasing=True))
"""From values at the nodes to a polynomial's coefficients, lowest power first."""
LEAST, OCTAVES = -32, 64
"""The first octave and their number: from 2^-32 to 2^32 horizons there is any clock, from seconds to millions of years."""
TINY = 1e-9
SURE = 45.0
"""Nats: steps so improbable are left out."""
MOST_STEPS = 50_000
"""Where more may come, curves are computed the plain way: some megabytes for each x. Such a clock is a thousandth of the horizon."""
MODELS = 64
"""So many models' curves are kept: the base's and its channels', of the version in use and the one before."""


@dataclass(frozen=True)
class _Table:
    """`row` by key, -1 where there is none yet; `coefficients` (powers, k, rows)."""

    row: Keys
    coefficients: Floats


@lru_cache(maxsize=MODELS)
def curves_of(model: MbgCnbd) -> "Curves":
    """The same ones for everybody who asks, so that they are made once."""
    return Curves(model)


class Curves:
    """Of one model. Threads may share them: tables never change, at worst rows are made twice."""

    def __init__(self, model: MbgCnbd) -> None:
        self._model = model
        self._table = _Table(np.empty(0, np.int64), np.empty((len(NODES), model.k, 0)))

    def at(self, x: Floats, ratio: Floats) -> Floats:
        """(k, customers): E[X(horizon)] by steps done since the last purchase. `x` whole numbers, `ratio` alpha + age in
        horizons.
        """
        octaves = np.clip(np.log2(ratio) - LEAST, 0.0, OCTAVES - TINY)
        octave = octaves.astype(np.int64)
        key: Keys = x.astype(np.int64) * OCTAVES + octave
        table = self._with(key)
        row, where = np.take(table.row, key), 2.0 * (octaves - octave) - 1.0
        # Five times as fast as to index by `row`.
        expected: Floats = np.take(table.coefficients[-1], row, axis=1)
        for coefficients in table.coefficients[-2::-1]:
            expected *= where
            expected += np.take(coefficients, row, axis=1)
        return expected

    def _with(self, key: Keys) -> _Table:
        """The table with rows for all these keys."""
        table, most = self._table, int(key.max(initial=-1))
        if most < len(table.row) and np.take(table.row, key).min(initial=0) >= 0:
            return table
        row = np.full(max(most + 1, len(table.row)), -1, np.int64)
        row[: len(table.row)] = table.row
        wanted = np.zeros(len(row), bool)
        wanted[key] = True
        fresh = np.flatnonzero(wanted & (row < 0))
        made = [self._rows(float(x), fresh[fresh // OCTAVES == x] % OCTAVES) for x in np.unique(fresh // OCTAVES)]
        row[fresh] = table.coefficients.shape[-1] + np.arange(len(fresh))
        table = _Table(row, np.concatenate([table.coefficients, *made], axis=-1))
        self._table = table
        return table

    def _rows(self, x: float, octaves: Keys) -> Floats:
        """(powers, k, octaves): the curves' coefficients of customers of this x."""
        ratio = np.exp2(LEAST + octaves[:, None] + (NODES + 1.0) / 2.0)
        values = self._exact(x, ratio.ravel()).reshape(len(octaves), len(NODES), self._model.k)
        coefficients: Floats = np.einsum("pn,onk->pko", POWERS, values)
        return coefficients

    def _exact(self, x: float, ratio: Floats) -> Floats:
        """(ratios, k): what each number of steps in the horizon brings, times how probable it is.

        Steps are negative binomial with size r + k x, to which each step done adds one: that tilts the probability of m
        steps to come by (size + m) / size, and by 1 - ahead.
        """
        model, size = self._model, self._model.r + self._model.k * x
        ahead = (1.0 / (ratio + 1.0))[:, None]
        most = _most_steps(size, float(ahead.max()))
        if most > MOST_STEPS:
            alike, today = np.full_like(ratio, x), np.zeros_like(ratio)
            return np.stack([model.purchases(n, alike, today, model.alpha / ratio) for n in range(model.k)], -1)
        steps = np.arange(most)
        log_p = gammaln(size + steps) - gammaln(steps + 1.0) + steps * np.log(ahead)
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        bought, tilt, columns = self._bought(x, len(steps) // model.k + 1), np.ones(len(steps)), []
        for done in range(model.k):
            columns.append(p @ (tilt * bought[(steps + done) // model.k]) * (1.0 - ahead[:, 0]) ** done)
            tilt = tilt * (size + done + steps) / (size + done)
        return np.stack(columns, axis=1)

    def _bought(self, x: float, most: int) -> Floats:
        """Purchases out of 0, 1, ... `most` occasions for one: fewer, where the customer may leave in between."""
        never, before = float(self._model.never_leaves(np.array([x]))[0]), np.arange(1.0, most)
        if self._model.a > 0:
            stays = np.cumprod((self._model.b + x + before) / (self._model.a + self._model.b + x + before))
        else:
            stays = np.ones_like(before)
        return np.cumsum(np.concatenate([[0.0, 1.0], never + (1.0 - never) * stays]))


def _most_steps(size: float, ahead: float) -> int:
    """More come with a probability below exp(-SURE): a negative binomial's tail is sub-gamma (Boucheron, Lugosi, Massart 2013)."""
    scale = 1.0 / (1.0 - ahead)
    mean = size * ahead * scale
    return 2 + int(mean + np.sqrt(2.0 * SURE * mean * scale) + SURE * scale)
