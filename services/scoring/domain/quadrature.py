"""Expectations over gamma and beta distributed traits, by the trapezoid rule, and smooth functions for many customers.

The nodes lie on the logarithmic (gamma) or logistic (beta) scale and spread out as a hyperbolic sine away from the
mode, where the trapezoid rule converges geometrically (Takahasi, Mori 1974, Publ. RIMS 9(3)) whatever the shape.
Nothing here knows a model.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from scipy.special import expit

from services.scoring.domain.fitting import Floats

NODES = 121
DROP = 40.0
"""Nats below its mode at which a density ends."""
TINIEST = 1e-300
DEGREE = 31
"""Of the polynomials that stand for a smooth function of age: good to about 1e-10 over five orders of magnitude."""


class Nodes(NamedTuple):
    """Values of a trait, and their probabilities, which add up to 1."""

    at: Floats
    weight: Floats


def gamma_nodes(shape: float, nodes: int = NODES) -> Nodes:
    """Gamma(shape) with rate 1."""
    offset, weight = _log_concave(lambda u: shape * (u - np.expm1(u)), 1.0 / np.sqrt(shape), nodes)
    return Nodes(np.maximum(shape * np.exp(offset), TINIEST), weight)


def beta_nodes(a: float, b: float, nodes: int = NODES) -> Nodes:
    """Beta(a, b)."""
    mode = np.log(a) - np.log(b)
    top = a * mode - (a + b) * np.logaddexp(0.0, mode)

    def log_density(u: Floats) -> Floats:
        rises: Floats = a * (mode + u) - (a + b) * np.logaddexp(0.0, mode + u) - top
        return rises

    offset, weight = _log_concave(log_density, np.sqrt(1.0 / a + 1.0 / b), nodes)
    return Nodes(np.maximum(expit(mode + offset), TINIEST), weight)


def _log_concave(log_density: Callable[[Floats], Floats], width: float, nodes: int) -> Nodes:
    """Nodes for a density with its mode, and log-density 0, at 0."""
    scale = min(1.0, width)
    below, above = (np.arcsinh(_end(log_density, side * scale) / scale) for side in (-1.0, 1.0))
    steps = np.linspace(below, above, nodes)
    offset = scale * np.sinh(steps)
    weight = np.exp(log_density(offset)) * np.cosh(steps)
    return Nodes(offset, weight / weight.sum())


def _end(log_density: Callable[[Floats], Floats], step: float) -> float:
    """Where the density is negligible, to within a quarter."""
    reach = step
    while log_density(np.array(reach)) > -DROP:
        reach *= 1.25
    return reach


def for_each(exact: Callable[[float, Floats], Floats], x: Floats, clock: Floats) -> Floats:
    """exact(x, clock) of each customer, a positive function that is smooth in ln clock: shape (customers,).

    Where many customers share an x, and they do, a polynomial stands for the function; others get it as it is.
    """
    order = np.argsort(x, kind="stable")
    starts = np.flatnonzero(np.diff(x[order])) + 1
    value = np.empty_like(clock)
    for group in np.split(order, starts) if len(order) else ():
        value[group] = along(partial(exact, float(x[group[0]])), clock[group])
    return value


def along(exact: Callable[[Floats], Floats], clock: Floats) -> Floats:
    """The same where all share their x."""
    if not len(clock):
        return clock.copy()
    low, high = np.log(clock.min()), np.log(clock.max())
    if len(clock) <= DEGREE + 1:
        return exact(clock)
    if high - low < 1e-12:
        return np.full_like(clock, exact(clock[:1])[0])
    middle, half = (high + low) / 2.0, (high - low) / 2.0
    positions = chebyshev.chebpts1(DEGREE + 1)
    series = chebyshev.chebfit(positions, np.log(exact(np.exp(middle + half * positions))), DEGREE)
    value: Floats = np.exp(chebyshev.chebval((np.log(clock) - middle) / half, series))
    return value
