"""What is known of customers and pairs while a piece of them is matched, and who of them is surely one. Nothing is read here."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.contacts.domain.matching.proposals import Customers, Weighed, apart, couple, name_of, sure_of, weigh
from services.contacts.domain.matching.record import Record
from services.contacts.handlers.proposals import Kept, Model, Report


@dataclass(frozen=True)
class Look:
    """What was found out about one customer before weighing."""

    kept: Kept
    reports: Mapping[str, Report]
    """By the other customer."""
    shown: frozenset[str]
    """With whom it is proposed to be one already."""
    holders: frozenset[str]
    """Who shares a key with it."""

    @property
    def others(self) -> frozenset[str]:
        return (self.shown | self.holders | self.reports.keys()) - {self.kept.customer}


@dataclass(frozen=True)
class Sure:
    """Two customers who are one without a person's asking, and the records that say so."""

    customers: Customers
    weighed: Weighed
    records: Mapping[str, Record]

    @property
    def name(self) -> str:
        return name_of(self.customers)


@dataclass(frozen=True)
class Outcome:
    """The pairs that were weighed; None: nothing of the two can be compared."""

    kept: Mapping[str, Kept]
    weighed: Mapping[Customers, Weighed | None]

    def of(self, customer: str, others: Iterable[str]) -> dict[str, float]:
        """Probabilities by the other customer."""
        pairs = {other: self.weighed.get(couple(customer, other)) for other in others}
        return {other: one.probability for other, one in pairs.items() if one is not None}

    def surely(self, pair: Customers, automatic: float) -> bool:
        weighed = self.weighed.get(pair)
        return weighed is not None and weighed.probability >= automatic

    def with_all(self, more: "Outcome") -> "Outcome":
        return Outcome({**self.kept, **more.kept}, {**more.weighed, **self.weighed})


def likeliest(looks: Iterable[Look], outcome: Outcome, automatic: float) -> Iterator[Customers]:
    for look in looks:
        if found := sure_of(outcome.of(look.kept.customer, look.others), automatic):
            yield look.kept.customer, found[0]


def all_sure(looks: Iterable[Look], outcome: Outcome, automatic: float) -> dict[str, list[str]]:
    return {look.kept.customer: sure_of(outcome.of(look.kept.customer, look.others), automatic) for look in looks}


def between(pairs: Iterable[Customers], sure: Mapping[str, Sequence[str]]) -> set[Customers]:
    """Pairs of the one of two and whoever the other may surely be too."""
    return {
        couple(one, third)
        for pair in pairs
        for one, other in (pair, pair[::-1])
        for third in sure.get(other, ())
        if third != one
    }


def told_apart(pair: Customers, kept: Mapping[str, Kept], rejected: Collection[Customers]) -> bool:
    one, other = pair
    return apart(kept[one].everybody, kept[other].everybody, rejected)


def weigh_all(
    pairs: Sequence[Customers], kept: Mapping[str, Kept], model: Model, least: float
) -> dict[Customers, Weighed | None]:
    found: dict[Customers, Weighed | None] = dict.fromkeys(pairs)
    of_party: defaultdict[str, dict[Customers, tuple[Record, Record]]] = defaultdict(dict)
    for pair in pairs:
        one, other = kept[pair[0]].record, kept[pair[1]].record
        if one.party == other.party and not (one.empty or other.empty):
            of_party[one.party][pair] = one, other
    for party, records in of_party.items():
        found |= dict(zip(records, weigh(model.knowledge(party), list(records.values()), least), strict=True))
    return found
