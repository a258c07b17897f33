"""The population's parameters: one version of them, and whether a new fit may replace it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

import numpy as np

from services.scoring.domain.channels import UNKNOWN, Channel, code_of
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.gamma_gamma import GammaGamma, SpendsFit, fit_spends
from services.scoring.domain.histogram import Histogram, Ints
from services.scoring.domain.purchases import day_of
from services.scoring.domain.purchasing import PLAIN, Family, Fitted, Purchasing, fit_family, shifted
from services.scoring.domain.tempo import EVEN, Tempo
from services.scoring.domain.yearly import STEADY, Season

TOP_SHARE = 0.8
"""Customers above this share of all in money are the top fifth."""
SAME = 0.005
"""A fit that moves no parameter by more than this part of it is no news."""


@dataclass(frozen=True)
class ByChannel:
    """How the channels that customers came by differ from the base, in parameters of this family. Those not named do not."""

    family: Family
    channels: tuple[Channel, ...]

    def close_to(self, other: "ByChannel") -> bool:
        mine, theirs = ({one.name: one.shift for one in each.channels} for each in (self, other))
        alike = mine.keys() == theirs.keys() and (self.family == other.family or not mine)
        return alike and all(bool(np.allclose(mine[name], theirs[name], rtol=0, atol=SAME)) for name in mine)


class Group(NamedTuple):
    """Customers whom one model is for: where they stand among all."""

    visits: Purchasing
    where: Ints | slice


@dataclass(frozen=True)
class Parameters:
    visits: Purchasing
    spends: GammaGamma
    top_money: float
    """The money from which on a customer belongs to the top fifth."""

    by_channel: ByChannel | None = None
    """None: nobody has looked yet. Of another family than `visits`, it says nothing."""
    season: Season = STEADY
    """By which a horizon is as good as a longer or a shorter one."""
    tempo: Tempo = EVEN
    """By which it is so to each customer."""

    @cached_property
    def by_code(self) -> dict[int, Purchasing]:
        """Models of those channels that differ."""
        if self.by_channel is None or self.by_channel.family != self.family:
            return {}
        return {code_of(one.name): shifted(self.visits, one.shift) for one in self.by_channel.channels}

    def visits_of(self, code: int) -> Purchasing:
        """Of customers who came by the channel of this code; the base's where it is not told apart."""
        return self.by_code.get(code, self.visits)

    def groups(self, came: Ints | None) -> Iterator[Group]:
        """Customers, by the codes of their channels, and the model of each; at least one group."""
        if came is None or not self.by_code:
            yield Group(self.visits, slice(None))
            return
        rest = np.ones(len(came), bool)
        for code, visits in self.by_code.items():
            theirs = came == code
            if theirs.any():
                rest &= ~theirs
                yield Group(visits, np.flatnonzero(theirs))
        if rest.any() or not len(came):
            yield Group(self.visits, np.flatnonzero(rest))

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
        alike = alike and self.family == other.family and _alike(self.by_channel, other.by_channel)
        return alike and self.season.close_to(other.season) and self.tempo.close_to(other.tempo)


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
        return self.predictors_of(UNKNOWN)

    def predictors_of(self, came: int) -> tuple[Purchasing, GammaGamma]:
        """Of customers who came by the channel of this code."""
        return self.parameters.visits_of(came), self.parameters.spends


@dataclass(frozen=True)
class Held:
    """A fit that is not to be used, and why."""

    doubts: tuple[Doubt, ...]
    customers: int


def _alike(mine: ByChannel | None, theirs: ByChannel | None) -> bool:
    return mine is theirs or (mine is not None and theirs is not None and mine.close_to(theirs))


def refit(
    histogram: Histogram,
    now: datetime,
    last: Parameters | None = None,
    chosen: Family | None = None,
    why: str = "",
    by_channel: ByChannel | None = None,
    season: Season | None = None,
    tempo: Tempo | None = None,
) -> Fit | Held:
    """Fit both models to the base as it stands: of the family chosen, or of the one in use, which at first is MBG/NBD.

    Channels are told apart by `by_channel`, or as they were: their distances from the base stay, and so they move along
    with it. Season and tempo are those given, or those in use. As long as nothing was in use, a base that leaving does not
    explain is scored as one that nobody leaves.
    """
    customers = histogram.customers
    if not customers:
        return Held((Doubt.TOO_FEW,), 0)
    family = chosen or (last.family if last else PLAIN)
    visits = _fit_visits(histogram, now, last.visits if last else None, family)
    spends = fit_spends(histogram.repeat_spends(), last.spends if last else None)
    if isinstance(visits, Fitted) and isinstance(spends, SpendsFit) and not spends.doubt:
        by_channel = by_channel or (last.by_channel if last else None)
        if season is None:
            season = last.season if last else STEADY
        if tempo is None:
            tempo = last.tempo if last else EVEN
        top_money = histogram.money_quantile(TOP_SHARE)
        parameters = Parameters(visits.model, spends.parameters, top_money, by_channel, season, tempo)
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
