"""The population's parameters: one version of them, and whether a new fit may replace it."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from services.scoring.domain.fitting import Doubt
from services.scoring.domain.gamma_gamma import GammaGamma, SpendsFit, fit_spends
from services.scoring.domain.histogram import Histogram
from services.scoring.domain.mbg_nbd import MbgNbd, VisitsFit, fit_visits
from services.scoring.domain.purchases import day_of

NAME = "mbg-nbd+gamma-gamma"
TOP_SHARE = 0.8
"""Customers above this share of all in money are the top fifth."""
SAME = 0.005
"""A fit that moves no parameter by more than this part of it is no news."""


@dataclass(frozen=True)
class Parameters:
    visits: MbgNbd
    spends: GammaGamma
    top_money: float
    """The money from which on a customer belongs to the top fifth."""

    def as_row(self) -> tuple[float, ...]:
        v, s = self.visits, self.spends
        return (v.r, v.alpha, v.a, v.b, s.p, s.q, s.gamma, self.top_money)

    def close_to(self, other: "Parameters") -> bool:
        return bool(np.allclose(self.as_row(), other.as_row(), rtol=SAME, atol=0))


@dataclass(frozen=True)
class Fit:
    """Parameters and the base they were fitted to."""

    parameters: Parameters
    log_likelihood_visits: float
    log_likelihood_spends: float
    customers: int
    cells: int
    as_of: datetime


@dataclass(frozen=True)
class Model:
    """A version of the parameters; versions grow by one and are never changed."""

    version: int
    fitted_at: datetime
    fit: Fit

    @property
    def parameters(self) -> Parameters:
        return self.fit.parameters

    @property
    def predictors(self) -> tuple[MbgNbd, GammaGamma]:
        return self.parameters.visits, self.parameters.spends


@dataclass(frozen=True)
class Held:
    """A fit that is not to be used, and why."""

    doubts: tuple[Doubt, ...]
    customers: int


def refit(histogram: Histogram, now: datetime, last: Parameters | None = None) -> Fit | Held:
    """Fit both models to the base as it stands."""
    customers = histogram.customers
    if not customers:
        return Held((Doubt.TOO_FEW,), 0)
    visits = fit_visits(histogram.visits_at(day_of(now)), last.visits if last else None)
    spends = fit_spends(histogram.repeat_spends(), last.spends if last else None)
    if isinstance(visits, VisitsFit) and isinstance(spends, SpendsFit) and not (visits.doubt or spends.doubt):
        parameters = Parameters(visits.parameters, spends.parameters, histogram.money_quantile(TOP_SHARE))
        likelihoods = visits.log_likelihood, spends.log_likelihood
        return Fit(parameters, *likelihoods, customers, histogram.cells, now)
    return Held(tuple(dict.fromkeys(doubt for fit in (visits, spends) if (doubt := _doubt(fit)))), customers)


def _doubt(fit: VisitsFit | SpendsFit | Doubt) -> Doubt | None:
    return fit if isinstance(fit, Doubt) else fit.doubt
