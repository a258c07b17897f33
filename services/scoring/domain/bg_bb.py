"""BG/BB: buying or not at each of a row of occasions (Fader, Hardie, Shang 2010, Marketing Science 29(6), 1086-1108).

For yearly donors, season tickets, memberships renewed at a fair: while a customer is there, they take an occasion with
probability p ~ Beta(alpha, beta), and before each they leave with probability theta ~ Beta(gamma, delta).
`x` occasions taken after the first purchase, `t_x` the last one taken (0 if none), `n` occasions there have been:
arrays of whole numbers, as floats. Everything is evaluated in logarithms.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, digamma, logsumexp

from services.scoring.domain.fitting import Doubt, Floats, Likelihood, maximise
from services.scoring.domain.quadrature import beta_nodes

MIN_CUSTOMERS = 50
MIN_REPEATS = 50
DROPOUT_GAIN = 1.92
"""Nats by which leaving must explain the data better than nobody ever leaving: a likelihood ratio test at 5 %."""
BOUNDS = ((1e-4, 1e4), (1e-4, 1e4), (1e-4, 1e3), (1e-4, 1e4))


@dataclass(frozen=True)
class Occasions:
    """What the model is fitted to: cells of alike customers with their number."""

    x: Floats
    t_x: Floats
    n: Floats
    customers: Floats


@dataclass(frozen=True)
class BgBb:
    alpha: float
    beta: float
    gamma: float
    delta: float

    def log_likelihood(self, x: Floats, t_x: Floats, n: Floats) -> Floats:
        """Nats a customer."""
        nats: Floats = logsumexp(self._fates(x, t_x, n), axis=0)
        return nats

    def p_alive(self, x: Floats, t_x: Floats, n: Floats) -> Floats:
        """Probability of being there at the next occasion, n + 1."""
        stays = betaln(self.gamma, self.delta + n + 1.0) - betaln(self.gamma, self.delta + n)
        alive: Floats = self._p_here(x, t_x, n) * np.exp(stays)
        return alive

    def expected_purchases(self, x: Floats, t_x: Floats, n: Floats, horizon: int) -> Floats:
        """E[X]: occasions taken among so many to come, as the sum that the closed form abbreviates: it has no pole."""
        ahead = n + np.arange(1.0, horizon + 1.0)[:, None]
        stays = np.exp(betaln(self.gamma, self.delta + ahead) - betaln(self.gamma, self.delta + n))
        expected: Floats = self._taken_here(x, t_x, n) * stays.sum(axis=0)
        return expected

    def discounted_purchases(self, x: Floats, t_x: Floats, n: Floats, discount: float) -> Floats:
        """DERT: all occasions to be taken, each worth 1 / (1 + discount) of the one before; discount above 0.

        Of those who are there now, the number to come is E[(1 - theta) / (theta + discount)], which the paper writes as 2F1.
        """
        occasions, where = np.unique(n, return_inverse=True)
        stays = np.array([self._stays(here, discount) for here in occasions])
        dert: Floats = self._taken_here(x, t_x, n) * stays[where]
        return dert

    def _stays(self, n: float, discount: float) -> float:
        theta = beta_nodes(self.gamma, self.delta + n)
        return float(theta.weight @ ((1.0 - theta.at) / (theta.at + discount)))

    def _taken_here(self, x: Floats, t_x: Floats, n: Floats) -> Floats:
        """P(there at n) E[p] of those who are."""
        taken: Floats = self._p_here(x, t_x, n) * (self.alpha + x) / (self.alpha + self.beta + n)
        return taken

    def _p_here(self, x: Floats, t_x: Floats, n: Floats) -> Floats:
        """Probability of having been there at occasion n."""
        fates = self._fates(x, t_x, n)
        here: Floats = np.exp(fates[0] - logsumexp(fates, axis=0))
        return here

    def _fates(self, x: Floats, t_x: Floats, n: Floats) -> Floats:
        """(1 + most occasions, customers): log-probability with having stayed; with having left after t_x, t_x + 1, ..."""
        return _log_fates(np.array([self.alpha, self.beta, self.gamma, self.delta]), x, t_x, n)


def _log_fates(parameters: Floats, x: Floats, t_x: Floats, n: Floats) -> Floats:
    alpha, beta, gamma, delta = parameters
    last = _last_occasion(t_x, n)
    left = _left(last)
    bought = betaln(alpha + x, beta + last - x) - betaln(alpha, beta)
    stays = betaln(gamma + left, delta + last) - betaln(gamma, delta)
    fates: Floats = np.where(last + left <= n, bought + stays, -np.inf)
    return fates


def _last_occasion(t_x: Floats, n: Floats) -> Floats:
    """(1 + longest silence, customers): n for those who stayed; the last occasion there for those who left."""
    silent = np.arange((n - t_x).max(initial=0.0))
    return np.concatenate([n[None, :], t_x + silent[:, None]])


def _left(last: Floats) -> Floats:
    """1 in the rows of those who left."""
    return np.concatenate([np.zeros((1, 1)), np.ones((len(last) - 1, 1))])


def likelihood_of(seen: Occasions) -> Likelihood:
    """The weighted log-likelihood of (alpha, beta, gamma, delta) and its gradient."""
    x, t_x, n, customers = seen.x, seen.t_x, seen.n, seen.customers
    last = _last_occasion(t_x, n)
    left, total = _left(last), customers.sum()

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        alpha, beta, gamma, delta = parameters
        fates = _log_fates(parameters, x, t_x, n)
        either = logsumexp(fates, axis=0)
        share = customers * np.exp(fates - either)
        psi_buy, psi_stay = digamma(alpha + beta + last), digamma(gamma + delta + left + last)
        missed = digamma(beta + last - x)
        gradient = [
            np.sum(share * (digamma(alpha + x) - psi_buy)) + total * (digamma(alpha + beta) - digamma(alpha)),
            np.sum(share * (missed - psi_buy)) + total * (digamma(alpha + beta) - digamma(beta)),
            np.sum(share * (digamma(gamma + left) - psi_stay)) + total * (digamma(gamma + delta) - digamma(gamma)),
            np.sum(share * (digamma(delta + last) - psi_stay)) + total * (digamma(gamma + delta) - digamma(delta)),
        ]
        return float(customers @ either), np.array(gradient)

    return likelihood


def likelihood_without_dropout(seen: Occasions) -> Likelihood:
    """The same of (alpha, beta) where nobody ever leaves: the beta-binomial model."""
    x, n, customers = seen.x, seen.n, seen.customers
    total = customers.sum()

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        alpha, beta = parameters
        psi = digamma(alpha + beta) * total - customers @ digamma(alpha + beta + n)
        gradient = [
            customers @ digamma(alpha + x) - total * digamma(alpha) + psi,
            customers @ digamma(beta + n - x) - total * digamma(beta) + psi,
        ]
        return float(customers @ (betaln(alpha + x, beta + n - x) - betaln(alpha, beta))), np.array(gradient)

    return likelihood


@dataclass(frozen=True)
class OccasionsFit:
    parameters: BgBb
    log_likelihood: float
    doubt: Doubt | None


def fit_occasions(seen: Occasions, start: BgBb | None = None) -> OccasionsFit | Doubt:
    """Maximum likelihood, from the last optimum if there is one. A doubt instead of a fit if there is too little data."""
    total = float(seen.customers.sum())
    if total < MIN_CUSTOMERS or seen.customers @ seen.x < MIN_REPEATS:
        return Doubt.TOO_FEW
    begin = (start.alpha, start.beta, start.gamma, start.delta) if start else (1.0, 1.0, 1.0, 3.0)
    best = maximise(likelihood_of(seen), total, begin, BOUNDS)
    without = maximise(likelihood_without_dropout(seen), total, begin[:2], BOUNDS[:2])
    alpha, beta, gamma, delta = map(float, best.parameters)
    doubt = _doubt(best.converged, best.at_bound, best.log_likelihood - without.log_likelihood)
    return OccasionsFit(BgBb(alpha, beta, gamma, delta), best.log_likelihood, doubt)


def _doubt(converged: bool, at_bound: tuple[bool, ...], gain: float) -> Doubt | None:
    if not converged:
        return Doubt.NOT_CONVERGED
    if gain < DROPOUT_GAIN:
        return Doubt.NO_DROPOUT
    return Doubt.ALL_ALIKE if any(at_bound) else None
