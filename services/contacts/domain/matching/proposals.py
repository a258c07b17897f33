"""Records held against each other with what has been learnt of all, and which pairs of them come before a person. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from services.contacts.domain.matching.decide import AUTOMATIC, REVIEW, WrongThresholds
from services.contacts.domain.matching.evidence import Floats, Weights, evidence
from services.contacts.domain.matching.explain import Explanation, explain
from services.contacts.domain.matching.frequencies import Frequencies, assumed
from services.contacts.domain.matching.learning import start
from services.contacts.domain.matching.record import FIELDS, Record, beside
from services.contacts.domain.matching.table import Table

SHOWN = 10
"""Pairs of one record that are proposed, the likeliest first: whoever is like hundreds is a mistake of the data's, and a person
sees that after ten."""
LEAST_RECORDS = 1_000
"""So many records are assumed where fewer are known: with ten customers, chance would agree far too seldom."""
MOVED = 0.5
"""Bits by which a degree's weight, or the prior, must have moved for what was decided before to be decided anew: a probability of
0.95 is 0.93 after that."""


@dataclass(frozen=True)
class Limits:
    """Probabilities of one customer, an installation's own: merged at `automatic` and above (None: never by itself), shown to a
    person from `review` (None: only what channels report). Raises WrongThresholds.
    """

    automatic: float | None = None
    review: float | None = REVIEW

    def __post_init__(self) -> None:
        if self.automatic is not None and not 0.5 <= self.automatic <= 1:
            raise WrongThresholds(f"automatic must be between 0.5 and 1, not {self.automatic}")
        highest = AUTOMATIC if self.automatic is None else self.automatic
        if self.review is not None and not 0 < self.review <= highest:
            raise WrongThresholds(f"review must be above 0 and at most {highest}, not {self.review}")

    @property
    def least(self) -> float:
        """The probability below which a pair that nobody reported is nothing."""
        return min(limit for limit in (self.review, self.automatic, 2.0) if limit is not None)


@dataclass(frozen=True)
class Knowledge:
    """What is known of the records of one party: how they agree, and how frequent their values are."""

    weights: Weights
    frequencies: Frequencies
    records: int


def unlearnt(party: str, records: int) -> Knowledge:
    """Before anything was learnt."""
    fields, records = FIELDS[party], max(records, LEAST_RECORDS)
    return Knowledge(start(fields, records), assumed(len(fields), records), records)


def moved(before: Weights, after: Weights) -> bool:
    """Whether what was decided with `before` should be decided anew."""
    bits = [abs(before.prior - after.prior), abs(before.household - after.household)]
    for old, new in zip(zip(before.m, before.u, strict=True), zip(after.m, after.u, strict=True), strict=True):
        bits.append(float(np.abs(_bits(*old) - _bits(*new)).max()))
    return max(bits) >= MOVED


def _bits(m: Floats, u: Floats) -> Floats:
    found: Floats = np.log2(m / u)
    return found


@dataclass(frozen=True)
class Weighed:
    """The probability that two records are one customer's; `why` where it is worth telling."""

    probability: float
    why: Explanation | None


def weigh(knowledge: Knowledge, pairs: Sequence[tuple[Record, Record]], least: float) -> list[Weighed]:
    """Each of the pairs, all of one party; those of `least` or more are explained."""
    if not pairs:
        return []
    table = Table(knowledge.weights.fields)
    values = [beside(*pair) for pair in pairs]
    rows = {one: row for row, one in enumerate(dict.fromkeys(chain.from_iterable(values)))}
    table.extend(list(rows))
    left, right = (np.array([rows[pair[side]] for pair in values], np.int64) for side in (0, 1))
    compared = knowledge.frequencies.compared(table, left, right)
    found = evidence(knowledge.weights, compared)
    return [
        Weighed(p, explain(knowledge.weights, compared, found, place, values[place]) if p >= least else None)
        for place, p in enumerate(found.probability.tolist())
    ]


Customers = tuple[str, str]
"""Two ids, the lesser first."""


BETWEEN = "~"
"""Between the ids in the name of a pair: needs no escape in a URL (RFC 3986), and is in no id."""


def name_of(customers: Customers) -> str:
    """A pair's name."""
    return BETWEEN.join(customers)


def couple(one: str, other: str) -> Customers:
    return (one, other) if one < other else (other, one)


def proposed(
    found: Mapping[str, float], reported: Collection[str], shown: Collection[str], limits: Limits
) -> list[str]:
    """With whom a customer is proposed to be one: of those `found`, by probability, the SHOWN likeliest that reach the limit, and
    those `shown` already that still do; of those `reported` by a channel all.
    """
    likely = sorted((who for who, p in found.items() if p >= limits.least), key=lambda who: (-found[who], who))
    return sorted({*likely[:SHOWN], *(who for who in likely if who in shown), *reported})


def sure_of(found: Mapping[str, float], automatic: float) -> list[str]:
    """Whom a customer surely is one with, by probability, the likeliest first."""
    return sorted((who for who, p in found.items() if p >= automatic), key=lambda who: (-found[who], who))


def apart(one: Iterable[str], other: Iterable[str], rejected: Collection[Customers]) -> bool:
    """Whether somebody has said of two of them that they are not one."""
    others = list(other)
    return any(couple(a, b) in rejected for a in one for b in others)
