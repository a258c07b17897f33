"""The models that others use, fitted to be compared with: BG/NBD, which is at home here, and Pareto/NBD.

BG/NBD (Fader, Hardie, Lee 2005, Marketing Science 24(2)) calls customers without repeat purchases alive for ever, and
never scores anybody.
Arguments as in MBG/NBD: `x` repeat purchase days, `t_x` age at the last, `age` now, arrays in one unit of time.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.mbg_nbd import SCALED_AGE, Visits, gauss
from services.scoring.domain.pareto_nbd import ParetoFit, ParetoNbd, fit_pareto


@dataclass(frozen=True)
class BgNbd:
    """As MBG/NBD, but nobody leaves before the first repeat purchase."""

    r: float
    alpha: float
    a: float
    b: float

    def log_likelihood(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """Nats a customer."""
        stayed, left = self._fates(x, t_x, age)
        common = gammaln(self.r + x) - gammaln(self.r) + self.r * np.log(self.alpha)
        nats: Floats = common + betaln(self.a, self.b + x) - betaln(self.a, self.b) + np.logaddexp(stayed, left)
        return nats

    def p_alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        stayed, left = self._fates(x, t_x, age)
        alive: Floats = np.exp(stayed - np.logaddexp(stayed, left))
        return alive

    def p_no_purchase(self, x: Floats, t_x: Floats, age: Floats, horizon: float) -> Floats:
        buys = -np.expm1((self.r + x) * np.log((self.alpha + age) / (self.alpha + age + horizon)))
        quiet: Floats = 1.0 - self.p_alive(x, t_x, age) * buys
        return quiet

    def expected_purchases(self, x: Floats, t_x: Floats, age: Floats, horizon: float) -> Floats:
        """E[X(horizon)], with Euler's transform of 2F1."""
        ahead, a = horizon / (self.alpha + age + horizon), self.a if self.a != 1 else 1.0 + 1e-6
        series = gauss(a + self.b - self.r - 1.0, a - 1.0, a + self.b + x - 1.0, ahead)
        while_alive = (a + self.b + x - 1.0) / (a - 1.0) * (1.0 - (1.0 - ahead) ** (a - 1.0) * series)
        expected: Floats = self.p_alive(x, t_x, age) * while_alive
        return expected

    def _fates(self, x: Floats, t_x: Floats, age: Floats) -> tuple[Floats, Floats]:
        left = np.log(self.a / (self.b + np.maximum(x, 1.0) - 1.0)) - (self.r + x) * np.log(self.alpha + t_x)
        return -(self.r + x) * np.log(self.alpha + age), np.where(x > 0, left, -np.inf)


Peer = BgNbd | ParetoNbd


def fit_peer(family: type[Peer], visits: Visits) -> tuple[Peer, float] | None:
    """Maximum likelihood, with the log-likelihood; None if the search does not arrive."""
    if issubclass(family, BgNbd):
        return _fit_bg(visits)
    fit = fit_pareto(visits)
    if not isinstance(fit, ParetoFit) or fit.doubt not in {None, Doubt.NO_DROPOUT}:
        return None
    return fit.parameters, fit.log_likelihood


def _fit_bg(visits: Visits) -> tuple[BgNbd, float] | None:
    """By numeric gradients."""
    unit, customers = float(visits.age.max()) / SCALED_AGE, float(visits.customers.sum())
    seen = (visits.x, visits.t_x / unit, visits.age / unit)

    def negative(logs: Floats) -> float:
        # The search passes through corners where the series overflow; there it is turned back.
        with np.errstate(all="ignore"):
            nats = float(visits.customers @ BgNbd(*np.exp(logs)).log_likelihood(*seen)) / customers
        return -nats if np.isfinite(nats) else 1e9

    options = {"maxiter": 200, "ftol": 1e-12, "gtol": 1e-7}
    found: Any = minimize(negative, np.zeros(4), method="L-BFGS-B", bounds=[(-9.0, 9.0)] * 4, options=options)
    if not found.success or np.abs(found.x).max() > 8.99:
        return None
    r, alpha, a, b = (float(value) for value in np.exp(found.x))
    return BgNbd(r, alpha * unit, a, b), float(-found.fun * customers - visits.customers @ visits.x * np.log(unit))
