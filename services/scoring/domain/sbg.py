"""sBG, shifted beta-geometric: who renews a contract, and what that is worth (Fader, Hardie 2007, JIM 21(1), 76-90).

At the end of each period a customer leaves with probability theta ~ Beta(a, b). Those who stay are ever more often those
who seldom leave, so retention rises with age, and 1 / churn understates what long-standing customers are worth
(Fader, Hardie 2010, Marketing Science 29(1), 85-93). Periods are counted from 1; arrays of whole numbers, as floats.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, digamma

from services.scoring.domain.fitting import Doubt, Floats, Likelihood, maximise
from services.scoring.domain.quadrature import beta_nodes

MIN_LEFT = 25
BOUNDS = ((1e-4, 1e4), (1e-4, 1e5))


@dataclass(frozen=True)
class Contracts:
    """What the model is fitted to, by number of periods: contracts that ended then, and those seen to be renewed so often."""

    periods: Floats
    ended: Floats
    renewed: Floats


@dataclass(frozen=True)
class Sbg:
    a: float
    b: float

    def p_end(self, t: Floats) -> Floats:
        """Probability of leaving at the end of period t."""
        p: Floats = np.exp(_log_end(self.a, self.b, t))
        return p

    def survival(self, t: Floats) -> Floats:
        """Probability of renewing at the end of period t."""
        p: Floats = np.exp(_log_renewed(self.a, self.b, t))
        return p

    def retention(self, t: Floats) -> Floats:
        """Share of those in period t who renew at its end."""
        share: Floats = (self.b + t - 1.0) / (self.a + self.b + t - 1.0)
        return share

    def residual_payments(self, n: Floats, discount: float) -> Floats:
        """DERL: discounted payments still to come just before the n-th renewal, the first of them due with it, if it comes.

        Each is worth 1 / (1 + discount) of the one before, discount above 0. After n - 1 renewals theta ~ Beta(a, b + n - 1),
        and the payments to come are the expectation of (1 - theta) (1 + discount) / (theta + discount).
        """
        renewals, where = np.unique(n, return_inverse=True)
        return np.array([self._payments(one, discount) for one in renewals])[where]

    def _payments(self, n: float, discount: float) -> float:
        theta = beta_nodes(self.a, self.b + n - 1.0)
        return float(theta.weight @ ((1.0 - theta.at) * (1.0 + discount) / (theta.at + discount)))

    def residual_periods(self, n: Floats, horizon: int) -> Floats:
        """Expected number of the next `horizon` renewals that a customer makes who is about to decide on the n-th.

        Without a horizon it is (b + n - 1) / (a - 1), infinite where a <= 1.
        """
        renewals, where = np.unique(n, return_inverse=True)
        ahead = renewals - 1.0 + np.arange(1.0, horizon + 1.0)[:, None]
        kept = _log_renewed(self.a, self.b, ahead) - _log_renewed(self.a, self.b, renewals - 1.0)
        periods: Floats = np.exp(kept).sum(axis=0)[where]
        return periods


def _log_end(a: float, b: float, t: Floats) -> Floats:
    log_p: Floats = betaln(a + 1.0, b + t - 1.0) - betaln(a, b)
    return log_p


def _log_renewed(a: float, b: float, t: Floats) -> Floats:
    log_p: Floats = betaln(a, b + t) - betaln(a, b)
    return log_p


def likelihood_of(seen: Contracts) -> Likelihood:
    """The log-likelihood of (a, b) and its gradient."""
    t, ended, renewed = seen.periods, seen.ended, seen.renewed
    total = ended.sum() + renewed.sum()

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        a, b = parameters
        value = ended @ _log_end(a, b, t) + renewed @ _log_renewed(a, b, t)
        psi = total * digamma(a + b) - (ended + renewed) @ digamma(a + b + t)
        gradient = [
            ended.sum() * digamma(a + 1.0) + renewed.sum() * digamma(a) - total * digamma(a) + psi,
            ended @ digamma(b + t - 1.0) + renewed @ digamma(b + t) - total * digamma(b) + psi,
        ]
        return float(value), np.array(gradient)

    return likelihood


@dataclass(frozen=True)
class ContractsFit:
    parameters: Sbg
    log_likelihood: float
    doubt: Doubt | None


def fit_contracts(seen: Contracts, start: Sbg | None = None) -> ContractsFit | Doubt:
    """Maximum likelihood, from the last optimum if there is one. A doubt instead of a fit if there is too little data.

    Needs renewals at two ages at least: one period's losses say how many leave, not how unlike they are.
    """
    decided = (seen.ended > 0) | (seen.renewed > 0)
    if seen.ended.sum() < MIN_LEFT or not decided.any() or seen.periods[decided].max() < 2:
        return Doubt.TOO_FEW
    begin = (start.a, start.b) if start else (1.0, 3.0)
    best = maximise(likelihood_of(seen), float(seen.ended.sum() + seen.renewed.sum()), begin, BOUNDS)
    doubt = Doubt.NOT_CONVERGED if not best.converged else Doubt.ALL_ALIKE if any(best.at_bound) else None
    return ContractsFit(Sbg(*map(float, best.parameters)), best.log_likelihood, doubt)
