"""Gamma-Gamma: how much customers spend on a purchase day (Fader, Hardie 2013, note 025 at brucehardie.com).

Fitted to repeat purchase days only, where spend is above zero: `x` their number, `z` their mean spend, arrays both.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from services.scoring.domain.fitting import Doubt, Floats, Likelihood, maximise

MIN_CUSTOMERS = 25
BOUNDS = ((1e-3, 1e4), (1.0 + 1e-3, 1e4), (1e-4, 1e6))
"""q above 1, for the mean spend of a customer without repeat purchases is infinite otherwise."""


@dataclass(frozen=True)
class Spends:
    """What the model is fitted to: customers, or cells of alike customers with their number."""

    x: Floats
    z: Floats
    customers: Floats


@dataclass(frozen=True)
class GammaGamma:
    """The three parameters; `gamma` in money."""

    p: float
    q: float
    gamma: float

    def expected_spend(self, x: Floats, z: Floats) -> Floats:
        """E[M]: mean spend of a future purchase day; the population's mean where x is 0."""
        expected: Floats = self.p * (self.gamma + x * z) / (self.p * x + self.q - 1.0)
        return expected


@dataclass(frozen=True)
class SpendsFit:
    parameters: GammaGamma
    log_likelihood: float
    doubt: Doubt | None


def likelihood_of(spends: Spends) -> Likelihood:
    """The weighted log-likelihood of (p, q, gamma) and its gradient."""
    x, z, n = spends.x, spends.z, spends.customers
    total, log_z, log_xz = n.sum(), np.log(z), np.log(x * z)

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        p, q, gamma = parameters
        log_sum = np.log(gamma + x * z)
        per_customer = gammaln(p * x + q) - gammaln(p * x) + p * x * log_xz - log_z - (p * x + q) * log_sum
        psi = digamma(p * x + q)
        gradient = np.array(
            [
                n @ (x * (psi - digamma(p * x) + log_xz - log_sum)),
                n @ (psi - log_sum) + total * (np.log(gamma) - digamma(q)),
                total * q / gamma - n @ ((p * x + q) / (gamma + x * z)),
            ]
        )
        return float(n @ per_customer + total * (q * np.log(gamma) - gammaln(q))), gradient

    return likelihood


def fit_spends(spends: Spends, start: GammaGamma | None = None) -> SpendsFit | Doubt:
    """Maximum likelihood, from the last optimum if there is one. A doubt instead of a fit if there is too little data."""
    total = float(spends.customers.sum())
    if total < MIN_CUSTOMERS:
        return Doubt.TOO_FEW
    unit = float(spends.customers @ spends.z) / total
    scaled = Spends(spends.x, spends.z / unit, spends.customers)
    begin = (start.p, start.q, start.gamma / unit) if start else (2.0, 3.0, 1.0)
    best = maximise(likelihood_of(scaled), total, begin, BOUNDS)
    p, q, gamma = (float(value) for value in best.parameters)
    doubt = Doubt.NOT_CONVERGED if not best.converged else Doubt.NO_SPREAD if any(best.at_bound) else None
    return SpendsFit(GammaGamma(p, q, gamma * unit), best.log_likelihood - total * float(np.log(unit)), doubt)
