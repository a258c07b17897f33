"""Calendar effects: a clock that runs faster in times when everybody buys more, fitted together with MBG/NBD.

Without it a lull of the whole base looks like customers leaving, and too little is expected of those who are only waiting.
In MBG/NBD customers leave after purchases and not by the clock, so that a changed clock leaves the model exact: all its
times are read off the clock, and a purchase at a moment of level s counts s in the likelihood.
"""

from dataclasses import dataclass

import numpy as np

from services.scoring.domain.fitting import Floats, Likelihood, maximise
from services.scoring.domain.mbg_nbd import BOUNDS, SCALED_AGE, MbgNbd, Visits, likelihood_of

LEVELS = (0.02, 50.0)
"""Beyond these a level is no season."""


@dataclass(frozen=True)
class Clock:
    """`levels` of the periods between `edges`; both in the time of the base's first day, and 1 is the usual level."""

    edges: Floats
    levels: Floats

    def at(self, moments: Floats) -> Floats:
        """What the clock shows: the sum of the levels until then. Linear within a period."""
        shown = np.concatenate([[0.0], np.cumsum(np.diff(self.edges) * self.levels)])
        read: Floats = np.interp(moments, self.edges, shown)
        return read

    def visits(self, visits: Visits, end: float) -> Visits:
        """The base in the clock's time, `end` being the moment at which it is seen."""
        first = end - visits.age
        begin, last, now = self.at(first), self.at(first + visits.t_x), float(self.at(np.array([end]))[0])
        return Visits(visits.x, last - begin, now - begin, visits.customers)

    def log_levels(self, purchases: Floats) -> float:
        """What so many purchases a period add to the log-likelihood."""
        return float(purchases @ np.log(self.levels[: len(purchases)]))


@dataclass(frozen=True)
class SeasonsFit:
    clock: Clock
    parameters: MbgNbd
    converged: bool


def fit_seasons(visits: Visits, purchases: Floats, edges: Floats) -> SeasonsFit:
    """Levels and the four parameters at once, by maximum likelihood; the mean level of the whole time is 1.

    `purchases`: repeat purchase days in each of the periods between `edges`, of which the last is now.
    """
    unit = float(edges[-1]) / SCALED_AGE
    scaled = Visits(visits.x, visits.t_x / unit, visits.age / unit, visits.customers)
    likelihood = _likelihood(scaled, purchases, edges / unit)
    free = len(purchases) - 1
    best = maximise(likelihood, float(visits.customers.sum()), [1.0] * (4 + free), [*BOUNDS, *[LEVELS] * free])
    r, alpha, a, b = (float(value) for value in best.parameters[:4])
    levels = np.append(best.parameters[4:], 1.0)
    mean = float(np.diff(edges) @ levels / edges[-1])
    return SeasonsFit(Clock(edges, levels / mean), MbgNbd(r, alpha * unit / mean, a, b), best.converged)


def _likelihood(visits: Visits, purchases: Floats, edges: Floats) -> Likelihood:
    """Of (r, alpha, a, b, levels of all periods but the last, which is 1)."""
    first = edges[-1] - visits.age
    until_last, until_now = _overlaps(first, first + visits.t_x, edges), _overlaps(first, first + visits.age, edges)

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        levels = np.append(parameters[4:], 1.0)
        read = Visits(visits.x, until_last @ levels, until_now @ levels, visits.customers)
        value, gradient = likelihood_of(read)(parameters[:4])
        by_last, by_now = _by_times(read, MbgNbd(*parameters[:4]))
        by_level = purchases / levels + until_last.T @ by_last + until_now.T @ by_now
        return value + float(purchases @ np.log(levels)), np.concatenate([gradient, by_level[:-1]])

    return likelihood


def _overlaps(begin: Floats, end: Floats, edges: Floats) -> Floats:
    """(customers, periods): how much of each period lies between begin and end."""
    overlap: Floats = np.minimum(end[:, None], edges[1:]) - np.maximum(begin[:, None], edges[:-1])
    return np.maximum(overlap, 0.0)


def _by_times(visits: Visits, model: MbgNbd) -> tuple[Floats, Floats]:
    """The log-likelihood's derivatives by t_x and by age."""
    stayed = visits.customers * model.p_alive(visits.x, visits.t_x, visits.age)
    size = model.r + visits.x
    return -(visits.customers - stayed) * size / (model.alpha + visits.t_x), -stayed * size / (model.alpha + visits.age)
