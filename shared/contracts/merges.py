"""How whoever hears of merges says who belongs to whom: the one rule that all services must agree on. Pure.

What `crm.contact.merged.v1` and `crm.contact.unmerged.v1` tell is one value, into whom a customer is merged at present, with a turn
that grows. So copies may be heard in any order, and one document for each customer who was ever absorbed is enough.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from shared.contracts.contacts import ContactMerged, ContactUnmerged

LinkFact: TypeAlias = ContactMerged | ContactUnmerged
LINK_FACTS = (ContactMerged, ContactUnmerged)


class Link(NamedTuple):
    """Into whom a customer is merged at present (None: into nobody). The greatest turn holds."""

    absorbed: str
    into: str | None
    turn: int


def link_of(fact: LinkFact) -> Link:
    return Link(fact.absorbed, fact.survivor if isinstance(fact, ContactMerged) else None, fact.turn)


def newest(facts: Iterable[LinkFact]) -> dict[str, Link]:
    """By the absorbed customer, whatever the order and however often each is told."""
    found: dict[str, Link] = {}
    for link in map(link_of, facts):
        if link.absorbed not in found or link.turn > found[link.absorbed].turn:
            found[link.absorbed] = link
    return found


def root_of(customer: str, into: Mapping[str, str]) -> str:
    """Who answers for a customer.

    Contacts makes trees. But copies of its facts come over several partitions, so that for a moment a link may stand with one
    that was ended before it; where they make a circle, the first registered of the circle answers.
    """
    path: list[str] = []
    while customer in into and customer not in path:
        path.append(customer)
        customer = into[customer]
    return min(path[path.index(customer) :]) if customer in path else customer
