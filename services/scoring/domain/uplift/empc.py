"""EMPC: the expected maximum profit of a retention campaign that goes by a churn score.

Verbraken, Verbeke, Baesens (2013), IEEE TKDE 25(5) 961-973. Those of the highest scores are offered something worth
`offer` at a cost of `contact` each; would-be leavers accept with a probability drawn from Beta(alpha, beta) and then stay,
all others accept gladly. Of every acceptance rate the best share of customers is addressed.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc

from services.scoring.domain.fitting import Floats
from services.scoring.domain.uplift.ranking import by_score


@dataclass(frozen=True)
class Campaign:
    """The defaults of the paper, in money per customer; alpha and beta of the acceptance rate."""

    alpha: float = 6.0
    beta: float = 14.0
    value: float = 200.0
    offer: float = 10.0
    contact: float = 1.0


@dataclass(frozen=True)
class MaximumProfit:
    """`profit` per customer of the base, and the `share` of them that is addressed, both expected."""

    profit: float
    share: float


def empc(score: Floats, churned: Floats, campaign: Campaign | None = None) -> MaximumProfit:
    """(n,) scores, the higher the likelier to leave; (n,) 1 for those who left, else 0. Needs some of both."""
    terms = campaign or Campaign()
    leavers = float(churned.mean())
    if not 0 < leavers < 1:
        raise ValueError("needs customers who left and customers who stayed")
    left, stayed = _hull(score, churned)
    delta, phi = terms.offer / terms.value, terms.contact / terms.value
    # Addressing one more stretch of the hull pays from this acceptance rate on.
    cost = (1 - leavers) * (delta + phi) * np.diff(stayed) + leavers * phi * np.diff(left)
    gain = leavers * (1 - delta) * np.diff(left)
    pays = np.divide(cost, gain, out=np.full_like(cost, np.inf), where=gain > 0)
    edges = np.concatenate([[0.0], np.minimum(pays, 1.0), [1.0]])
    probable = np.diff(betainc(terms.alpha, terms.beta, edges))
    mean = terms.alpha / (terms.alpha + terms.beta) * np.diff(betainc(terms.alpha + 1, terms.beta, edges))
    saved = (1 - delta) * leavers * left * mean
    spent = (phi * leavers * left + (delta + phi) * (1 - leavers) * stayed) * probable
    addressed = (leavers * left + (1 - leavers) * stayed) * probable
    return MaximumProfit(terms.value * float((saved - spent).sum()), float(addressed.sum()))


def _hull(score: Floats, churned: Floats) -> tuple[Floats, Floats]:
    """Convex hull of the ROC curve from (0, 0) to (1, 1): shares of leavers and of stayers above each threshold."""
    order = by_score(score)
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    left, stayed = (np.append(0.0, np.cumsum(these[order])[ends] / these.sum()) for these in (churned, 1.0 - churned))
    kept: list[int] = []
    for i in range(len(left)):
        while len(kept) > 1 and _not_above(stayed, left, kept[-2], kept[-1], i):
            kept.pop()
        kept.append(i)
    return left[kept], stayed[kept]


def _not_above(x: Floats, y: Floats, a: int, b: int, c: int) -> bool:
    """Whether point b lies on or below the line from a to c."""
    return bool((y[b] - y[a]) * (x[c] - x[a]) <= (y[c] - y[a]) * (x[b] - x[a]))
