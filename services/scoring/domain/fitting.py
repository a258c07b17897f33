"""Maximum likelihood of positive parameters, and why a fit is not to be used. Knows no particular model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Floats = npt.NDArray[np.float64]
Likelihood = Callable[[Floats], tuple[float, Floats]]
"""Parameters to log-likelihood and its gradient."""


FLAT = 1e-6
"""Nats per customer and unit of a parameter's logarithm."""


class Doubt(StrEnum):
    """Why a fit is held back."""

    TOO_FEW = "too few customers"
    NOT_CONVERGED = "not converged"
    NO_DROPOUT = "dropout not identified"
    NO_SPREAD = "spend not identified"
    ALL_ALIKE = "differences between customers not identified"
    NO_SIGNAL = "features foretell no better than the base rate"


@dataclass(frozen=True)
class Optimum:
    parameters: Floats
    log_likelihood: float
    converged: bool
    at_bound: tuple[bool, ...]


def maximise(
    likelihood: Likelihood, customers: float, start: Sequence[float], bounds: Sequence[tuple[float, float]]
) -> Optimum:
    """L-BFGS in the logarithms of the parameters, within their bounds, on the mean of so many customers."""

    def negative(logs: Floats) -> tuple[float, Floats]:
        parameters = np.exp(logs)
        value, gradient = likelihood(parameters)
        return -value / customers, -gradient * parameters / customers

    low, high = np.log(np.asarray(bounds, dtype=float)).T
    begin = np.clip(np.log(np.asarray(start, dtype=float)), low, high)
    options = {"maxiter": 500, "maxcor": 20, "ftol": 1e-14, "gtol": 1e-8}
    result: Any = minimize(
        negative, begin, jac=True, method="L-BFGS-B", bounds=list(zip(low, high, strict=True)), options=options
    )
    at_bound = (result.x - low < 1e-6) | (high - result.x < 1e-6)
    # The line search gives up where rounding hides any further rise, as at the last optimum: that is arrival too.
    flat = bool(np.abs(np.where(at_bound, 0.0, result.jac)).max() < FLAT)
    converged = bool(np.isfinite(result.x).all() and np.isfinite(result.fun)) and (bool(result.success) or flat)
    return Optimum(np.exp(result.x), -float(result.fun) * customers, converged, tuple(at_bound.tolist()))
