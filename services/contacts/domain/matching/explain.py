"""Why two records are held for one customer's, or not: field by field, in words and bits."""

from dataclasses import dataclass

from services.contacts.domain.matching.evidence import Evidence, Weights
from services.contacts.domain.matching.kinds import MISSING, SCALES
from services.contacts.domain.matching.table import Compared


@dataclass(frozen=True)
class Reason:
    """One field's part: bits above zero speak for a match. `left` and `right` are the values as compared."""

    field: str
    words: str
    bits: float
    left: str
    right: str

    def __str__(self) -> str:
        return f"{self.words} ({self.bits:+.1f})"


@dataclass(frozen=True)
class Explanation:
    reasons: tuple[Reason, ...]
    """The weightiest first; fields that one of the two lacks are absent."""
    rules: tuple[str, ...]
    """What held the sum down."""

    def __str__(self) -> str:
        return ", ".join([*map(str, self.reasons), *self.rules])


ONE_HOUSEHOLD = "family name, address and phone together say no more than: one household"
AGAINST = "what differs needs a person's decision"


def explain(
    weights: Weights, pairs: Compared, found: Evidence, index: int, values: tuple[tuple[str, ...], tuple[str, ...]]
) -> Explanation:
    """The explanation of the pair at `index`, whose records have these values."""
    reasons = []
    for place, one in enumerate(weights.fields):
        level = int(pairs.levels[place, index])
        if level == MISSING:
            continue
        words = SCALES[one.kind].degrees[level].words.format(one.label)
        reasons.append(Reason(one.name, words, float(found.bits[place, index]), values[0][place], values[1][place]))
    reasons.sort(key=lambda reason: -abs(reason.bits))
    rules = [words for held, words in ((found.one_household, ONE_HOUSEHOLD), (found.against, AGAINST)) if held[index]]
    return Explanation(tuple(reasons), tuple(rules))
