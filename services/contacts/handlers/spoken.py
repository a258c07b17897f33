"""What reports say of other parties: whose each end is, and what is said of whom. Reports that name nobody cost nothing."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from services.contacts.domain.identities import Resolution, distinct
from services.contacts.domain.links import RULES, Ends, ends, implied
from services.contacts.domain.survivorship import Statement, milliseconds
from shared.contracts.fact import EARLIEST, Identifier
from shared.contracts.parties import LinkClaim, PartyLink
from shared.messaging import Received


class OtherEnd(NamedTuple):
    """A party that a report names beside its customer."""

    report: int
    """The report's number in the batch."""
    claim: LinkClaim
    identifiers: list[Identifier]


class Spoken(NamedTuple):
    """What reports say of links: of their own customers by the reports' indexes, and of others with the report's index."""

    own: dict[int, list[PartyLink]]
    others: list[tuple[str, int, Statement]]


def other_ends(events: Sequence[Received]) -> list[OtherEnd]:
    return [
        OtherEnd(index, claim, distinct(claim.to))
        for index, event in enumerate(events)
        if event.fact.links
        for claim in event.fact.links
    ]


def spoken(events: Sequence[Received], named: Sequence[OtherEnd], found: Resolution) -> Spoken:
    """Their links. `found`: the customers of all events and then of all who are named."""
    own: defaultdict[int, list[PartyLink]] = defaultdict(list)
    others: list[tuple[str, int, Statement]] = []
    for number, end in enumerate(named, len(events)):
        event, other = events[end.report], found.customers[number]
        customer = found.customers[end.report]
        # So early that anybody who says otherwise what kind of party they are prevails.
        link_ends = ends(customer, end.claim.kind, other)
        mine, theirs = parties(link_ends, customer)
        themselves = other == customer
        told = Statement("", EARLIEST, found.own(number, end.identifiers), {} if themselves else theirs)
        others.append((other, end.report, told))
        if themselves:
            continue  # whoever is both is nothing to themselves
        others.append((customer, end.report, Statement("", EARLIEST, fields=mine)))
        said = link(link_ends, end.claim, event)
        if link_ends.holder == customer:
            own[end.report].append(said)
        else:
            others.append((other, end.report, Statement(event.source, said.said_at, links=[said])))
    return Spoken(own, others)


def link(link_ends: Ends, claim: LinkClaim, event: Received) -> PartyLink:
    """A claim as it is kept with its holder."""
    at = milliseconds(event.fact.reported_at)
    return PartyLink(
        kind=link_ends.kind,
        to=link_ends.to,
        title=claim.title,
        department=claim.department,
        valid_from=claim.valid_from and milliseconds(claim.valid_from),
        valid_until=claim.valid_until and milliseconds(claim.valid_until),
        ended=claim.ended,
        source=event.source,
        said_at=at,
        stated_at=None if claim.ended else at,
        evidence=claim.evidence,
    )


def parties(link_ends: Ends, customer: str) -> tuple[dict[str, str], dict[str, str]]:
    """What the link says of what kind of party the customer and the other are, as fields: nothing, if it could be several."""
    rule = RULES[link_ends.kind]
    of_holder, of_other = (
        {"party": party} if (party := implied(kinds)) else {} for kinds in (rule.holders, rule.others)
    )
    return (of_holder, of_other) if link_ends.holder == customer else (of_other, of_holder)
