"""The one integral of Pareto/NBD: of (alpha + t)^-c (beta + t)^-d over a stretch of time.

With c = r + x and d = s + 1 it says how probably a silence hides a departure (Fader, Hardie, note 009 at brucehardie.com,
writes it as a difference of two 2F1, which loses its digits when the silence is short and overflows for hundreds of
purchases); with c = r + x + 1 and d = s, how probably the next purchase comes. Here it is done by quadrature, which has
neither trouble, and whose nodes also give the expectations that the gradient of the likelihood consists of.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from services.scoring.domain.fitting import Floats

AT, WEIGHT = np.polynomial.legendre.leggauss(24)
AT, LOG_WEIGHT = (AT + 1.0) / 2.0, np.log(WEIGHT / 2.0)
DROP = 36.0
"""Nats below its start at which the integrand no longer counts."""
NEWTON_STEPS = 6
ROWS = 4_096
"""So many customers at a time: their nodes then fit a processor's cache."""


@dataclass(frozen=True)
class Powers:
    """(alpha + t)^-c (beta + t)^-d from `start` to `end`: arrays of one shape, but for the two scalars."""

    alpha: float
    beta: float
    c: Floats
    d: Floats
    start: Floats
    end: Floats

    def log_integral(self) -> Floats:
        """Its logarithm; -inf where start equals end."""
        logs = [part.nodes().log_total() for part in self._parts()]
        return np.concatenate(logs) if logs else np.empty(0)

    def moments(self) -> "Moments":
        """With it, what a gradient needs of the time t whose density the integrand is."""
        parts = [part.nodes().moments() for part in self._parts()]
        return Moments(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def nodes(self) -> "Nodes":
        """In v = ln(smaller shift + t) the integrand is log-concave, and analytic within pi of the real axis."""
        smaller = min(self.alpha, self.beta)
        low = np.log(smaller + self.start)
        reach = self._reach(low, np.log1p((self.end - self.start) / (smaller + self.start)))
        log_shifted = low + reach * AT[:, None]
        shifted = np.exp(log_shifted)
        other = shifted + abs(self.alpha - self.beta)
        by_shift = (shifted, log_shifted, other, np.log(other))
        alpha, log_alpha, beta, log_beta = by_shift if self.alpha == smaller else by_shift[2:] + by_shift[:2]
        logs = LOG_WEIGHT[:, None] + log_shifted - self.c * log_alpha - self.d * log_beta
        return Nodes(reach, logs, alpha, log_alpha, beta, log_beta)

    def _reach(self, low: Floats, whole: Floats) -> Floats:
        """How far in v to integrate: where the integrand has fallen by DROP, if that is before the end.

        Newton's steps on a concave function come from above and never pass the root, so nothing that counts is cut off.
        """
        reach = whole
        height = self._height(low, 0.0 * whole)[0] - DROP
        for _ in range(NEWTON_STEPS):
            value, slope = self._height(low, reach)
            beyond = value < height
            if not beyond.any():
                break
            reach = np.where(beyond, reach - (value - height) / np.where(beyond, slope, -1.0), reach)
        return reach

    def _height(self, low: Floats, v: Floats) -> tuple[Floats, Floats]:
        """Log-integrand and its slope in v."""
        smaller = min(self.alpha, self.beta)
        time_shifted = np.exp(low + v)
        by_alpha, by_beta = time_shifted + (self.alpha - smaller), time_shifted + (self.beta - smaller)
        value = low + v - self.c * np.log(by_alpha) - self.d * np.log(by_beta)
        return value, 1.0 - self.c * time_shifted / by_alpha - self.d * time_shifted / by_beta

    def _parts(self) -> Iterator["Powers"]:
        for first in range(0, len(self.start), ROWS):
            rows = slice(first, first + ROWS)
            yield Powers(self.alpha, self.beta, self.c[rows], self.d[rows], self.start[rows], self.end[rows])


class Moments(NamedTuple):
    """Log-integral, and expectations of ln(alpha + t), ln(beta + t), 1 / (alpha + t) and 1 / (beta + t)."""

    log_total: Floats
    log_alpha: Floats
    log_beta: Floats
    per_alpha: Floats
    per_beta: Floats


@dataclass(frozen=True)
class Nodes:
    """(customers,) the stretch; (nodes, customers) log-weights, alpha + t, beta + t and their logarithms."""

    reach: Floats
    logs: Floats
    alpha: Floats
    log_alpha: Floats
    beta: Floats
    log_beta: Floats

    def log_total(self) -> Floats:
        top = self.logs.max(axis=0)
        with np.errstate(divide="ignore"):
            log_total: Floats = top + np.log(self.reach * np.exp(self.logs - top).sum(axis=0))
        return log_total

    def moments(self) -> Moments:
        shares = np.exp(self.logs - self.logs.max(axis=0))
        shares /= shares.sum(axis=0)
        means = (
            np.einsum("nc,nc->c", shares, of_node)
            for of_node in (self.log_alpha, self.log_beta, 1.0 / self.alpha, 1.0 / self.beta)
        )
        return Moments(self.log_total(), *means)
