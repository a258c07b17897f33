"""Holds all rules against a world that stands still. What the rules are, the judge knows; where to look, the evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.torture.channels import TERMS
from tests.torture.evidence.log import Ends, NotRead
from tests.torture.evidence.traces import traces
from tests.torture.judge import (
    Breaches,
    deliveries,
    effects,
    health,
    identities,
    letters,
    persons,
    topics,
    unity,
    views,
)
from tests.torture.judge.inbound import Inbound
from tests.torture.judge.persons import Census, Persons
from tests.torture.latencies import Told, latencies
from tests.torture.ledger import Ledger
from tests.torture.receivers.records import read_copies, read_deliveries
from tests.torture.sendings import NAMING
from tests.torture.settling import Sources

STILL_TRIES = 6
STILL_PAUSE = 5.0
Document = dict[str, Any]


class NotStill(NotRead):
    """Views kept changing while they were read, so copies and views could not be compared."""


@dataclass
class Verdict:
    """What was found, and the figures that the report needs."""

    breaches: Breaches
    who: identities.Identities = field(default_factory=identities.Identities)
    persons: Persons | None = None
    inbound: Inbound | None = None
    republished: int = 0
    deliveries: dict[str, int] = field(default_factory=dict)
    delivered_again: dict[str, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    versions: int = 0


async def verdict(
    ledger: Ledger, sources: Sources, processes: Sequence[health.Readiness], excused: int, rejected: dict[str, int]
) -> Verdict:
    """Raises NotRead where the evidence cannot be had."""
    books, found = ledger.books, Verdict(Breaches())
    found.inbound = Inbound(books, found.breaches)
    async for record in sources.log.records(["crm.inbound"]):
        found.inbound.take(record)
    found.inbound.close()
    databases, decided = sources.databases, ledger.decided
    owners, conflicts = await databases.owners(), await databases.conflicts()
    gone = {customer_id: decided.numbers[customer_id] for customer_id in decided.erased}
    found.who = identities.identities(books, NAMING, owners, conflicts, found.breaches, gone)
    (told, ends), contacts = await still_views(sources), await databases.contacts()
    seen = await topics_read(ledger, sources, ends, found)
    census = Census(books, found.who, NAMING, decided, found.breaches)
    found.persons = census.persons(seen.under, ledger.due, contacts, owners)
    seen.agree(found.persons, versions(told), {contact["_id"]: contact["version"] for contact in contacts})
    persons.answers(decided, found.breaches)
    await kept(ledger, sources, contacts, found)
    await decisions(ledger, sources, found)
    delivered(ledger, sources, told, seen, excused, found)
    views.sums(found.persons, await sources.public.get("/v1/customers/summary"), found.breaches)
    health.taken(rejected, found.breaches)
    health.well(processes, found.breaches)
    found.versions = sum(view["version"] for view in told.values())
    return found


async def still_views(sources: Sources) -> tuple[dict[str, Document], Ends]:
    """All views, with the channels' files and the ends of the topics as of the same moment: nothing has changed between
    two looks around them. Later it may: time passes, and scoring tells of it.
    """
    before = await sources.public.views()
    for _ in range(STILL_TRIES):
        await sources.channels.save()
        ends = await sources.log.ends(topics.ALL)
        after = await sources.public.views()
        if versions(before) == versions(after):
            return after, ends
        before = after
        await asyncio.sleep(STILL_PAUSE)
    raise NotStill("the views kept changing")


def versions(views_told: dict[str, Document]) -> dict[str, int]:
    return {customer_id: view["version"] for customer_id, view in views_told.items()}


async def kept(ledger: Ledger, sources: Sources, contacts: list[Document], found: Verdict) -> None:
    """What every service keeps."""
    books, who, breaches, databases = ledger.books, found.who, found.breaches, sources.databases
    assert found.inbound is not None
    living = found.persons
    assert living is not None
    history = effects.History(books, who, breaches, living.gone)
    async for document in databases.history():
        history.take(document)
    history.close()
    copies = found.inbound.copies["sale"] + found.inbound.copies["interaction"]
    effects.figures(books, await databases.figures(), copies, breaches)
    effects.contacts(living, who, contacts, breaches)
    effects.scores(living, who, await sources.public.every("/v1/scores", sort="customer"), breaches)
    effects.profiles(living, who, await databases.profiles(), breaches)
    effects.order_rows(living, who, *await databases.order_rows(), breaches)
    # What names somebody who was erased is removed, what comes afterwards is about somebody new.
    maybe = {ledger.decided.numbers[customer_id] for customer_id in living.erased}
    letters.letters(books, found.inbound.poison, ledger.originals, await databases.letters(), breaches, maybe)


async def decisions(ledger: Ledger, sources: Sources, found: Verdict) -> None:
    """Who is one and who is no more, wherever anything of it is kept."""
    decided, breaches, databases = ledger.decided, found.breaches, sources.databases
    unity.links(decided, await databases.links(), breaches)
    told = await sources.public.every("/v1/erasures")
    ledgered = {one["erasure_id"]: unity.Ledgered(*map(frozenset, parts_of(one))) for one in told}
    channels = [terms.channel for terms in TERMS]
    unity.receipted(decided, ledgered, await databases.tombstones(), channels, breaches)
    nameless = {decided.numbers[one] for one in decided.erased} - found.who.ids.keys()
    left = [one async for one in traces(databases.url, decided.erased, nameless)]
    unity.forgotten(decided, nameless, left, breaches)


def parts_of(erasure: Document) -> tuple[list[str], list[str], list[str]]:
    return erasure["customers"], [place["place"] for place in erasure["places"]], erasure["open"]


async def topics_read(ledger: Ledger, sources: Sources, ends: Ends, found: Verdict) -> topics.Topics:
    """What services told each other while the views became what they are."""
    seen = topics.Topics(ledger.books, found.who, found.breaches)
    async for record in sources.log.records(topics.ALL, ends):
        seen.take(record)
    seen.close()
    found.republished = seen.sequences.republished.total()
    return seen


def delivered(
    ledger: Ledger, sources: Sources, told: dict[str, Document], seen: topics.Topics, excused: int, found: Verdict
) -> None:
    """The views, and what the channels have of them."""
    who, breaches, living = found.who, found.breaches, found.persons
    assert living is not None
    views.views(living, who, NAMING, told, breaches)
    received = deliveries.Received(who, breaches, excused)
    for delivery in read_deliveries(sources.channels.folder):
        received.take(delivery)
    received.close()
    for terms in TERMS:
        copies = read_copies(sources.channels.folder, terms.channel)
        views.copies(living, who, terms, told, copies, breaches)
    found.deliveries, found.delivered_again = dict(received.count), dict(received.again)
    found.latencies = waited(ledger, sources, seen, found)


def waited(ledger: Ledger, sources: Sources, seen: topics.Topics, found: Verdict) -> list[float]:
    """Seconds from intended sending to the first delivery at the channel that never misbehaves."""
    books = ledger.books
    events = (
        Told(number, customer_id, books.kind_of(number), seen.place[number])
        for number in books.accepted("sale", "interaction")
        # Of those who are merged a delivery's sums do not say which events it has.
        if books.customer[number] not in books.watched and (customer_id := found.who.ids.get(books.customer[number]))
    )
    steady = (d for d in read_deliveries(sources.channels.folder) if d.channel == TERMS[0].channel and d.taken)
    return latencies(events, steady, ledger.due)
