"""Which facts to name: those without which the score would be another one, the most telling first."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from services.scoring.domain.prediction import NO_VALUE, P_BAND, VALUE_BAND
from services.scoring.domain.reasons.fact import Among, Code, Fact, Figures
from services.scoring.domain.reasons.facts import facts
from services.scoring.domain.reasons.situation import Scorer, Scores, Situation

MOST = 3
CENT = 0.01


@dataclass(frozen=True)
class Reason:
    """A fact in words and figures, and what it did: by how much it raised (+) or lowered (-) each score.

    No effect is named of what brought the customer their first score.
    """

    code: Code
    text: str
    figures: Figures
    effect: Mapping[str, float]


def reasons(before: Situation | None, after: Situation, scorer: Scorer, among: Among) -> tuple[Reason, ...]:
    """At most three, by how much each fact moved a score: what it is, less what it would be without this fact alone.

    Effects of probabilities and of money are compared in bands of material change. What moved no score by a band, and so
    would not have been told on its own, is left out; values below 1 % of a typical purchase count as that much. Left out
    are effects against the sense of the words too: to a model, many purchases can make a silence worse (the
    increasing-frequency paradox), but nobody can read that aloud.
    """
    if not after.purchases.days:
        return ()
    found = list(facts(before, after, among))
    scores = scorer([after, *(fact.without or after for fact in found)])
    weighed = [(_weight(fact, scores, i, among), i, fact) for i, fact in enumerate(found, start=1)]
    telling = sorted((entry for entry in weighed if entry[0] >= 1.0), key=lambda entry: (-entry[0], entry[1]))
    return tuple(_reason(fact, scores, i) for _, i, fact in telling[:MOST])


def _weight(fact: Fact, scores: Scores, i: int, among: Among) -> float:
    """In bands, of the score that it moved most in the sense of its words."""
    if fact.without is None:
        return math.inf
    sign = -1.0 if fact.good else 1.0
    churn = float(scores.p_churn[0] - scores.p_churn[i])
    floor = max(NO_VALUE * among.typical_spend, CENT)
    value, without = (max(float(scores.value[j]), floor) for j in (0, i))
    # In logarithms, so that halving a value weighs as much as doubling it.
    return max(sign * churn / P_BAND, -sign * math.log(value / without) / math.log1p(VALUE_BAND))


def _reason(fact: Fact, scores: Scores, i: int) -> Reason:
    if fact.without is None:
        return Reason(fact.code, fact.text, fact.figures, {})
    churn, value = (float(score[0] - score[i]) for score in scores)
    return Reason(fact.code, fact.text, fact.figures, {"p_churn": round(churn, 6), "value": round(value, 2)})
