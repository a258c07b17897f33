"""Which model of purchasing a base is given: fitted side by side, chosen by the likelihood of what was seen."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from services.scoring.domain.fitting import Doubt, Optimum, maximise
from services.scoring.domain.mbg_cnbd import MbgCnbd, likelihood_of, likelihood_without_dropout
from services.scoring.domain.mbg_nbd import BOUNDS, DROPOUT_GAIN, SCALED_AGE, MbgNbd, Visits, enough

RHYTHMS = (2, 3, 4)
"""The k that are tried after 1, until one is less likely than the one before."""

LOYAL_GAIN = 5.41
"""Nats that a share of loyal customers must explain: a likelihood ratio test at 0.1 %, for one more parameter."""
ODDS = (1e-6, 1e2)
Start = MbgNbd | MbgCnbd


@dataclass(frozen=True)
class Candidate:
    """A fitted model. `gain`: nats by which leaving explains the base better than nobody leaving."""

    model: MbgCnbd
    log_likelihood: float
    gain: float
    doubt: Doubt | None

    @property
    def name(self) -> str:
        return name_of(self.model)


class Foretelling(NamedTuple):
    """The candidate whose k has foretold best, and the losses by k."""

    best: Candidate
    losses: dict[int, float]

    def words(self, what: str) -> str:
        told = ", ".join(f"{loss:.4f} for k = {k}" for k, loss in self.losses.items())
        return f"the k that best foretold who buys in {what} (log loss {told})"


def name_of(model: MbgCnbd) -> str:
    """As it is called in reports."""
    family = "nbd" if model.k == 1 else f"cnbd-{model.k}"
    loyal = "+loyal" if model.loyal else ""
    return family if model.a == 0 else f"mbg-{family}{loyal}"


def fit_candidate(visits: Visits, log_gaps: float, k: int) -> Candidate:
    """Maximum likelihood for one k. Where leaving is not identified, nobody leaves, and the doubt says so.

    `log_gaps`: sum of ln of all times between purchases; with `visits` in the same unit of time, in which alpha is too.
    """
    search = Search(visits, log_gaps, k)
    best, without = search.leaving(), search.without_dropout()
    leaving = best.converged and best.log_likelihood - without.log_likelihood >= DROPOUT_GAIN
    return search.candidate(best if leaving else without, without, best)


def with_loyal(visits: Visits, log_gaps: float, plain: Candidate) -> Candidate | None:
    """The same k with a share of customers who never leave; None unless that is well founded."""
    if plain.doubt:
        return None
    search = Search(visits, log_gaps, plain.model.k)
    best = search.loyal()
    log_likelihood = search.log_likelihood(best)
    if not best.converged or any(best.at_bound) or log_likelihood - plain.log_likelihood < LOYAL_GAIN:
        return None
    gain = plain.gain + log_likelihood - plain.log_likelihood
    return Candidate(search.model(best), log_likelihood, gain, None)


class Search:
    """The likelihoods of one k on a base, in a unit of time that keeps the parameters of one magnitude."""

    def __init__(self, visits: Visits, log_gaps: float, k: int) -> None:
        self.k, self.unit, self.customers = k, float(visits.age.max()) / SCALED_AGE, float(visits.customers.sum())
        self.repeats = float(visits.customers @ visits.x)
        self.visits = Visits(visits.x, visits.t_x / self.unit, visits.age / self.unit, visits.customers)
        self.log_gaps = log_gaps - self.repeats * np.log(self.unit)

    def leaving(self, start: Start | None = None) -> Optimum:
        """Of (r, alpha, a, b). `start`: a model of the same k in the base's unit of time, the last optimum."""
        return self._best(BOUNDS, self._begin(start))

    def loyal(self, start: Start | None = None) -> Optimum:
        """The same with the odds of being loyal."""
        return self._best((*BOUNDS, ODDS), [*self._begin(start), _odds(start)])

    def _best(self, bounds: Sequence[tuple[float, float]], start: Sequence[float]) -> Optimum:
        return maximise(likelihood_of(self.visits, self.k, self.log_gaps), self.customers, start, bounds)

    def without_dropout(self, start: Start | None = None) -> Optimum:
        likelihood = likelihood_without_dropout(self.visits, self.k, self.log_gaps)
        return maximise(likelihood, self.customers, self._begin(start)[:2], BOUNDS[:2])

    def _begin(self, start: Start | None) -> list[float]:
        if start is None:
            return [1.0] * 4
        return [start.r, start.alpha / self.unit, start.a or 1.0, start.b]

    def candidate(self, used: Optimum, without: Optimum, best: Optimum | None = None) -> Candidate:
        """`used` is the best with leaving, or the one without."""
        gain = (best or used).log_likelihood - without.log_likelihood
        doubt = _doubt(used, leaving=used is not without)
        return Candidate(self.model(used), self.log_likelihood(used), gain, doubt)

    def log_likelihood(self, found: Optimum) -> float:
        """In the unit of the base: rescaling time multiplies each customer's density by unit^-x."""
        return float(found.log_likelihood - self.repeats * np.log(self.unit))

    def model(self, found: Optimum) -> MbgCnbd:
        """Nobody leaves where the optimum is of two parameters only."""
        r, alpha, *rest = map(float, found.parameters)
        a, b, *odds = rest or (0.0, 1.0)
        return MbgCnbd(self.k, r, alpha * self.unit, a, b, *(o / (1.0 + o) for o in odds))


def _odds(start: Start | None) -> float:
    loyal = 0.0 if start is None else getattr(start, "loyal", 0.0)
    return loyal / (1.0 - loyal) if loyal else 0.1


def _doubt(found: Optimum, *, leaving: bool) -> Doubt | None:
    if not found.converged:
        return Doubt.NOT_CONVERGED
    if any(found.at_bound[:2]):
        return Doubt.ALL_ALIKE
    return None if leaving else Doubt.NO_DROPOUT


def candidates(visits: Visits, log_gaps: float) -> list[Candidate] | Doubt:
    """One for each rhythm, all with the same number of parameters, so that likelihoods compare as they are."""
    if not enough(visits):
        return Doubt.TOO_FEW
    fitted = [fit_candidate(visits, log_gaps, 1)]
    for k in RHYTHMS:
        fitted.append(fit_candidate(visits, log_gaps, k))
        if fitted[-1].log_likelihood < fitted[-2].log_likelihood:
            break
    return fitted


def choose(fitted: Iterable[Candidate]) -> Candidate | Doubt:
    """The most likely of those that have converged."""
    usable = [candidate for candidate in fitted if candidate.doubt is not Doubt.NOT_CONVERGED]
    return max(usable, key=lambda candidate: candidate.log_likelihood, default=Doubt.NOT_CONVERGED)


def foretelling(fitted: Iterable[Candidate], likely: Candidate, loss: Callable[[int], float]) -> Foretelling:
    """Purchases of whole days look more regular than they are: a rhythm has to foretell what came later, too.

    `loss`: mean log loss of a k, learnt before, on who bought afterwards. For k = 1 likelihood is enough.
    """
    usable = [one for one in fitted if one.doubt is not Doubt.NOT_CONVERGED]
    losses = {one.model.k: loss(one.model.k) for one in usable}
    best = min(usable, key=lambda one: (losses[one.model.k], one is not likely))
    return Foretelling(best, losses)
