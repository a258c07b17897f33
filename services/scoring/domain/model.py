"""The population's parameters: one version of them, and whether a new fit may replace it."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from services.scoring.domain.fitting import Doubt
from services.scoring.domain.gamma_gamma import GammaGamma, SpendsFit, fit_spends
from services.scoring.domain.histogram import Histogram
from services.scoring.domain.purchases import day_of
from services.scoring.domain.purchasing import PLAIN, Family, Fitted, Purchasing, fit_family
from services.scoring.domain.yearly import STEADY, Season

TOP_SHARE = 0.8
"""Customers above this share of all in money are the top fifth."""
SAME = 0.005
"""A fit that moves no parameter by more than this part of it is no news."""


@dataclass(frozen=True)
class Parameters:
    visits: Purchasing
    spends: GammaGamma
    top_money: float
    """The money from which on a customer belongs to the top fifth."""
    season: Season = STEADY
    """By which a horizon is as good as a longer or a shorter one."""

    @property
    def family(self) -> Family:
        return Family.of(self.visits)

    @property
    def name(self) -> str:
        return f"{self.family.name}+gamma-gamma"

    def as_row(self) -> tuple[float, ...]:
        v, s = self.visits, self.spends
        loyal = getattr(v, "loyal", 0.0)
        return (v.r, v.alpha, v.a, v.b, loyal, s.p, s.q, s.gamma, self.top_money)

    def close_to(self, other: "Parameters") -> bool:
        alike = bool(np.allclose(self.as_row(), other.as_row(), rtol=SAME, atol=0))
        return alike and self.family == other.family and self.season.close_to(other.season)


@dataclass(frozen=True)
class Fit:
    """Parameters and the base they were fitted to."""

    parameters: Parameters
    log_likelihood_visits: float
    log_likelihood_spends: float
    customers: int
    cells: int
    as_of: datetime
    doubts: tuple[str, ...] = ()
    """What is to be known of it, though it is used: that nobody is taken to leave."""
    why: str = ""
    """Why this family came into use with this version; empty where it was in use before."""


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
    def predictors(self) -> tuple[Purchasing, GammaGamma]:
        return self.parameters.visits, self.parameters.spends


@dataclass(frozen=True)
class Held:
    """A fit that is not to be used, and why."""

    doubts: tuple[Doubt, ...]
    customers: int


def refit(
    histogram: Histogram,
    now: datetime,
    last: Parameters | None = None,
    chosen: Family | None = None,
    why: str = "",
    season: Season | None = None,
) -> Fit | Held:
    """Fit both models to the base as it stands: of the family chosen, or of the one in use, which at first is MBG/NBD.

    With the season given, or the one in use. As long as nothing was in use, a base that leaving does not explain is scored as one that nobody leaves.
    """
    customers = histogram.customers
    if not customers:
        return Held((Doubt.TOO_FEW,), 0)
    family = chosen or (last.family if last else PLAIN)
    visits = _fit_visits(histogram, now, last.visits if last else None, family)
    spends = fit_spends(histogram.repeat_spends(), last.spends if last else None)
    if isinstance(visits, Fitted) and isinstance(spends, SpendsFit) and not spends.doubt:
        if season is None:
            season = last.season if last else STEADY
        top_money = histogram.money_quantile(TOP_SHARE)
        parameters = Parameters(visits.model, spends.parameters, top_money, season=season)
        likelihoods = visits.log_likelihood, spends.log_likelihood
        doubts = (visits.doubt.value,) if visits.doubt else ()
        told = why if parameters.family == chosen and not (last and last.family == chosen) else ""
        return Fit(parameters, *likelihoods, customers, histogram.cells, now, doubts, told)
    return Held(tuple(dict.fromkeys(doubt for fit in (visits, spends) if (doubt := _doubt(fit)))), customers)


def _fit_visits(histogram: Histogram, now: datetime, last: Purchasing | None, family: Family) -> Fitted | Doubt:
    visits = histogram.visits_at(day_of(now))
    fit = fit_family(visits, family, last)
    if fit is Doubt.NO_DROPOUT and last is None:
        return fit_family(visits, replace(family, loyal=False, leaving=False), None)
    return fit


def _doubt(fit: Fitted | SpendsFit | Doubt) -> Doubt | None:
    return fit if isinstance(fit, Doubt) else fit.doubt
