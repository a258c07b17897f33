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
    """Customers from the highest score to the lowest, with arm and outcome. Sorted once, counted under any weights.

    `ends`: positions in `order` after which the score changes. `treated` (0 or 1) and `outcome` are in that order.
    """

    order: Ints
    ends: Ints
    treated: Floats
    outcome: Floats

    @classmethod
    def by(cls, score: Floats, outcome: Floats, treated: Bools) -> "Ranking":
        order = by_score(score)
        ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
        return cls(order, ends, treated[order].astype(np.float64), outcome[order])

    @classmethod
    def best_by_qini(cls, outcome: Floats, treated: Bools) -> "Ranking":
        """Treated customers by what they gave first, control customers by it last."""
        return cls.by(np.where(treated, outcome, -outcome), outcome, treated)

    @classmethod
    def best_by_uplift(cls, outcome: Floats, treated: Bools) -> "Ranking":
        """For outcomes of 0 and 1: the treated with and the control customers without it come first."""
        responders, unmoved = ((outcome == 1) & ~treated).sum(), ((outcome == 0) & treated).sum()
        then = outcome if responders > unmoved else treated.astype(np.float64)
        return cls.by(2.0 * (outcome == treated) + then, outcome, treated)

    def qini_curve(self, weight: Floats | None = None) -> Curve:
        """The outcome of the treated above that of as many control customers."""
        treated, control, by_treated, by_control = self._counted(weight)
        return _from_zero(treated + control, by_treated - by_control * _ratio(treated, control))

    def uplift_curve(self, weight: Floats | None = None) -> Curve:
        """The difference of the arms' mean outcomes, times all customers addressed."""
        treated, control, by_treated, by_control = self._counted(weight)
        difference = _ratio(by_treated, treated) - _ratio(by_control, control)
        return _from_zero(treated + control, difference * (treated + control))

    def _counted(self, weight: Floats | None) -> tuple[Floats, Floats, Floats, Floats]:
        """Treated and control customers, then their outcomes, down to each end.

        `weight`: how often each customer counts, as in a bootstrap; in the order of the trial, not of the ranking.
        """
        every = np.ones_like(self.outcome) if weight is None else weight[self.order]
        treated = every * self.treated
        customers, with_it = np.cumsum(every)[self.ends], np.cumsum(treated)[self.ends]
        outcome = np.cumsum(every * self.outcome)[self.ends]
        by_treated = np.cumsum(treated * self.outcome)[self.ends]
        return with_it, customers - with_it, by_treated, outcome - by_treated


def by_score(score: Floats) -> Ints:
    """The highest first; equal scores in the reverse of their order, as scikit-uplift has them."""
    return np.argsort(score, kind="stable")[::-1]


def qini_auc(outcome: Floats, score: Floats, treated: Bools) -> float:
    """Area between Qini curve and random, as a part of the best possible one's (which includes negative effects).

    0 where nothing came of anybody. Equal to scikit-uplift's `qini_auc_score(..., negative_effect=True)`.
    """
    curve = Ranking.by(score, outcome, treated).qini_curve()
    return part_of_best(curve, Ranking.best_by_qini(outcome, treated).qini_curve())


def uplift_auc(outcome: Floats, score: Floats, treated: Bools) -> float:
    """The same of the uplift curve, for outcomes of 0 and 1. Equal to scikit-uplift's `uplift_auc_score`."""
    curve = Ranking.by(score, outcome, treated).uplift_curve()
    return part_of_best(curve, Ranking.best_by_uplift(outcome, treated).uplift_curve())


def uplift_at(share: float, outcome: Floats, score: Floats, treated: Bools) -> float | None:
    """Difference of the arms' mean outcomes among this share of customers (rounded down), those of the highest scores.

    None where one of the arms is not among them. Equal to scikit-uplift's `uplift_at_k(strategy="overall")`.
    """
    first = by_score(score)[: int(len(score) * share)]
    among = treated[first]
    if among.all() or not among.any():
        return None
    return float(outcome[first][among].mean() - outcome[first][~among].mean())


def part_of_best(curve: Curve, best: Curve) -> float:
    """Areas above random. Among a handful of customers in uneven arms, luck may even exceed the best: then it is above 1."""
    possible = best.area - best.area_at_random
    return (curve.area - curve.area_at_random) / possible if possible > 0 else 0.0


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)


def _from_zero(customers: Floats, gain: Floats) -> Curve:
    return Curve(np.append(0.0, customers), np.append(0.0, gain))
