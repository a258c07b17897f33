"""Which rows may train which model, and when: features as of the decision, labels only once they have matured.

A row is written when a score is made, with the features that were known then; nothing is ever computed for it afterwards.
Its label says whether the customer left within the horizon after the decision, and is known when the horizon, and the time
by which facts may come late, are over: for those who left too, since whoever trains on early leavers before the others are
due sees too many of them. Between what a model learns from and what it is tried on lies a gap of that length, so that no
label of the former can know what happens in the latter (purging: Lopez de Prado 2018, Advances in Financial Machine
Learning, chapter 7). All times are whole numbers of one unit, such as days or milliseconds since 1970.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.scoring.domain.fitting import Floats

Times = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int64]
"""Positions of rows."""


class Decision(NamedTuple):
    """A score as it was made."""

    id: str
    customer: str
    at: int
    features: Mapping[str, float | str]
    model: str
    """Name and version."""
    probability: float
    propensity: float = 1.0
    """How probable the action taken was: for judging other ways to decide afterwards."""


class Outcome(NamedTuple):
    """A customer left: when it happened, and when it became known here."""

    customer: str
    at: int
    known_at: int


class Fold(NamedTuple):
    """Positions of rows to learn from and to be tried on."""

    train: Rows
    valid: Rows


@dataclass(frozen=True)
class Maturity:
    """`horizon`: within what time the event counts; `lateness`: how late facts of it may become known."""

    horizon: int
    lateness: int = 0

    @property
    def gap(self) -> int:
        return self.horizon + self.lateness

    def matured(self, decided: Times, now: int) -> npt.NDArray[np.bool_]:
        """(n,): whose label may be known now."""
        return decided + self.gap <= now

    def trainable(self, decided: Times, now: int) -> Rows:
        """The rows from which a model may learn now."""
        return np.flatnonzero(self.matured(decided, now))

    def split(self, decided: Times, cut: int) -> Fold:
        """What a model made at the cut could have learnt from, and what it would have scored. Rows whose label matures
        after the cut, though decided before it, are in neither.
        """
        return Fold(self.trainable(decided, cut), np.flatnonzero(decided >= cut))

    def folds(self, decided: Times, now: int, count: int) -> list[Fold]:
        """Forward in time, within what has matured: each block of decisions is tried on what was known at its beginning.

        Blocks hold about equally many rows; a block before which nothing had matured is left out, so that fewer than `count`
        folds, or none, may be found.
        """
        matured = self.trainable(decided, now)
        if not len(matured):
            return []
        cuts = np.unique(np.quantile(decided[matured], np.arange(1, count + 1) / (count + 1), method="lower"))
        ends = [*cuts[1:].tolist(), int(decided[matured].max()) + 1]
        folds = []
        for begin, end in zip(cuts.tolist(), ends, strict=True):
            at = decided[matured]
            fold = Fold(self.trainable(decided, begin), matured[(at >= begin) & (at < end)])
            if len(fold.train) and len(fold.valid):
                folds.append(fold)
        return folds

    def label(self, decision: Decision, outcomes: Sequence[Outcome], now: int) -> float | None:
        """1 if the customer left within the horizon after the decision, as far as was known when the label matured; else 0;
        None before that. What becomes known later still changes no label: it was 0 when it was learnt from.
        """
        due = decision.at + self.gap
        if due > now:
            return None
        within = (decision.at < one.at <= decision.at + self.horizon and one.known_at <= due for one in outcomes)
        return float(any(within))


@dataclass(frozen=True)
class Matured:
    """Rows with their labels, by time of decision: what may be learnt from at that moment, and nothing else."""

    decisions: tuple[Decision, ...]
    labels: Floats

    @property
    def decided(self) -> Times:
        return np.array([decision.at for decision in self.decisions], np.int64)

    @property
    def probabilities(self) -> Floats:
        """What was said at the time: for calibration and for the comparison of models."""
        return np.array([decision.probability for decision in self.decisions])


def training_set(decisions: Sequence[Decision], outcomes: Sequence[Outcome], maturity: Maturity, now: int) -> Matured:
    """All matured rows at that moment; each decision once, however often it was logged, and in one order."""
    left: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        left.setdefault(outcome.customer, []).append(outcome)
    once = {decision.id: decision for decision in decisions if decision.at + maturity.gap <= now}
    rows = sorted(once.values(), key=lambda decision: (decision.at, decision.id))
    labels = [maturity.label(row, left.get(row.customer, ()), now) for row in rows]
    return Matured(tuple(rows), np.array(labels, dtype=float))


def as_known(happened: Times, known: Times, at: int) -> npt.NDArray[np.bool_]:
    """(n,): the facts that features of a decision at that moment may use: those that had happened, and were known here."""
    return (happened <= at) & (known <= at)
