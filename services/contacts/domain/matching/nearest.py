"""Which of those who share a key with a record are worth comparing with it: those whose shared keys are rarest. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import inf, log2

from services.contacts.domain.matching.index import FREQUENT

MOST_HOLDERS = 60
"""Of those who share a key with a record, those whose shared keys are rarest. Of 3,485 true pairs that are proposed of 3,000 newcomers
among 100,000 made-up people none is lost so as against a hundred, and 6 are with forty."""
COPIES = 5
"""Of those who are alike in everything, who may be hundreds, the first."""


def nearest(keys: Iterable[int], holders: Mapping[int, Sequence[str]], copies: Iterable[str]) -> list[str]:
    """Those who share most with a record of these keys, first those that are alike in everything. A key of which `holders` says
    nothing, or that more than FREQUENT hold, is not followed.
    """
    told: dict[str, float] = defaultdict(float)
    for key in keys:
        who = holders.get(key, ())
        if 0 < len(who) <= FREQUENT:
            # In bits, as far as they differ: a key of two says seven bits more than one of two hundred.
            bits = log2(2 * FREQUENT / len(who))
            for one in who:
                told[one] += bits
    told |= dict.fromkeys(sorted(copies)[:COPIES], inf)
    return sorted(told, key=lambda one: (-told[one], one))[:MOST_HOLDERS]
