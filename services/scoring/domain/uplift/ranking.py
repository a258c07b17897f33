"""How well a score ranks customers by what the treatment does to them: Qini and uplift curves, and their areas.

Radcliffe (2007), "Using control groups to target on predicted lift", in the conventions of scikit-uplift, whose figures
these equal: customers of the same score enter together, and 1 is a ranking that knows every outcome beforehand.
"""

from dataclasses import dataclass

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.uplift.trial import Bools, Ints


@dataclass(frozen=True)
class Curve:
    """`customers` addressed, the best first, and the `gain` in outcome by them; both begin at 0."""

    customers: Floats
    gain: Floats

    @property
    def area(self) -> float:
        return float(np.trapezoid(self.gain, self.customers))

    @property
    def area_at_random(self) -> float:
        """Under the straight line to the same end: customers addressed in no order."""
        return float(self.customers[-1] * self.gain[-1] / 2)


@dataclass(frozen=True)
class Ranking:
    """Customers from the highest score to the lowest. Sorted once, counted under any weights."""

    order: Ints
    ends: Ints
    """Positions in `order` after which the score changes."""

    @classmethod
    def by(cls, score: Floats) -> "Ranking":
        # Equal scores in the reverse of their order, as scikit-uplift has them: it matters for uplift_at only.
        order = np.argsort(score, kind="stable")[::-1]
        ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
        return cls(order, ends)

    def sums(self, values: Floats) -> Floats:
        """Sums of the values over all customers down to each end."""
        total: Floats = np.cumsum(values[self.order])[self.ends]
        return total


@dataclass(frozen=True)
class Outcomes:
    """What came of a trial; `weight`: how often each customer counts, as in a bootstrap."""

    outcome: Floats
    treated: Bools
    weight: Floats

    @classmethod
    def once(cls, outcome: Floats, treated: Bools) -> "Outcomes":
        return cls(outcome, treated, np.ones(len(outcome)))

    def counted(self, ranking: Ranking) -> tuple[Floats, Floats, Floats, Floats]:
        """Treated and control customers, then their outcomes, down to each end."""
        treated = np.where(self.treated, self.weight, 0.0)
        control = self.weight - treated
        return (
            ranking.sums(treated),
            ranking.sums(control),
            ranking.sums(treated * self.outcome),
            ranking.sums(control * self.outcome),
        )

    def qini_curve(self, ranking: Ranking) -> Curve:
        """The outcome of the treated above that of as many control customers."""
        treated, control, by_treated, by_control = self.counted(ranking)
        return _from_zero(treated + control, by_treated - by_control * _ratio(treated, control))

    def uplift_curve(self, ranking: Ranking) -> Curve:
        """The difference of the arms' mean outcomes, times all customers addressed."""
        treated, control, by_treated, by_control = self.counted(ranking)
        difference = _ratio(by_treated, treated) - _ratio(by_control, control)
        return _from_zero(treated + control, difference * (treated + control))

    def best_by_qini(self) -> Ranking:
        """Treated customers by what they gave first, control customers by it last."""
        return Ranking.by(np.where(self.treated, self.outcome, -self.outcome))

    def best_by_uplift(self) -> Ranking:
        """For outcomes of 0 and 1: the treated with and the control customers without it come first."""
        responders = ((self.outcome == 1) & ~self.treated).sum()
        unmoved = ((self.outcome == 0) & self.treated).sum()
        then = self.outcome if responders > unmoved else self.treated.astype(np.float64)
        return Ranking.by(2.0 * (self.outcome == self.treated) + then)


def qini_auc(outcome: Floats, score: Floats, treated: Bools) -> float:
    """Area between Qini curve and random, as a part of the best possible one's (which includes negative effects).

    0 where nothing came of anybody. Equal to scikit-uplift's `qini_auc_score(..., negative_effect=True)`.
    """
    outcomes = Outcomes.once(outcome, treated)
    return part_of_best(outcomes.qini_curve(Ranking.by(score)), outcomes.qini_curve(outcomes.best_by_qini()))


def uplift_auc(outcome: Floats, score: Floats, treated: Bools) -> float:
    """The same of the uplift curve, for outcomes of 0 and 1. Equal to scikit-uplift's `uplift_auc_score`."""
    outcomes = Outcomes.once(outcome, treated)
    return part_of_best(outcomes.uplift_curve(Ranking.by(score)), outcomes.uplift_curve(outcomes.best_by_uplift()))


def uplift_at(share: float, outcome: Floats, score: Floats, treated: Bools) -> float | None:
    """Difference of the arms' mean outcomes among this share of customers (rounded down), those of the highest scores.

    None where one of the arms is not among them. Equal to scikit-uplift's `uplift_at_k(strategy="overall")`.
    """
    first = Ranking.by(score).order[: int(len(score) * share)]
    among = treated[first]
    if among.all() or not among.any():
        return None
    return float(outcome[first][among].mean() - outcome[first][~among].mean())


def part_of_best(curve: Curve, best: Curve) -> float:
    possible = best.area - best.area_at_random
    return (curve.area - curve.area_at_random) / possible if possible > 0 else 0.0


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)


def _from_zero(customers: Floats, gain: Floats) -> Curve:
    return Curve(np.append(0.0, customers), np.append(0.0, gain))
