"""Holds all rules against a world that stands still. What the rules are, the judge knows; where to look, the evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.torture.channels import TERMS
from tests.torture.evidence.log import Ends, NotRead
from tests.torture.judge import Breaches, deliveries, effects, health, identities, letters, topics, views
from tests.torture.judge.inbound import Inbound
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
    databases = sources.databases
    owners, conflicts = await databases.owners(), await databases.conflicts()
    found.who = identities.identities(books, NAMING, owners, conflicts, found.breaches)
    (told, ends), contacts = await still_views(sources), await databases.contacts()
    await kept(ledger, sources, contacts, found)
    seen = await topics_read(ledger, sources, ends, told, contacts, found)
    delivered(ledger, sources, told, seen, excused, found)
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
    history = effects.History(books, who, breaches)
    async for document in databases.history():
        history.take(document)
    history.close()
    copies = found.inbound.copies["sale"] + found.inbound.copies["interaction"]
    effects.figures(books, await databases.figures(), copies, breaches)
    effects.contacts(books, who, contacts, breaches)
    effects.scores(books, who, await sources.public.every("/v1/scores", sort="customer"), breaches)
    effects.profiles(books, who, await databases.profiles(), breaches)
    effects.order_rows(books, who, *await databases.order_rows(), breaches)
    letters.letters(books, found.inbound.poison, ledger.originals, await databases.letters(), breaches)


async def topics_read(
    ledger: Ledger,
    sources: Sources,
    ends: Ends,
    told: dict[str, Document],
    contacts: list[Document],
    found: Verdict,
) -> topics.Topics:
    """What services told each other while the views became what they are."""
    seen = topics.Topics(ledger.books, found.who, found.breaches)
    async for record in sources.log.records(topics.ALL, ends):
        seen.take(record)
    seen.close(versions(told), {contact["_id"]: contact["version"] for contact in contacts})
    found.republished = seen.sequences.republished.total()
    return seen


def delivered(
    ledger: Ledger, sources: Sources, told: dict[str, Document], seen: topics.Topics, excused: int, found: Verdict
) -> None:
    """The views, and what the channels have of them."""
    books, who, breaches = ledger.books, found.who, found.breaches
    views.views(books, who, NAMING, told, breaches)
    received = deliveries.Received(who, breaches, excused)
    for delivery in read_deliveries(sources.channels.folder):
        received.take(delivery)
    received.close()
    for terms in TERMS:
        copies = read_copies(sources.channels.folder, terms.channel)
        views.copies(books, who, terms, told, copies, breaches)
    found.deliveries, found.delivered_again = dict(received.count), dict(received.again)
    found.latencies = waited(ledger, sources, seen, found)


def waited(ledger: Ledger, sources: Sources, seen: topics.Topics, found: Verdict) -> list[float]:
    """Seconds from intended sending to the first delivery at the channel that never misbehaves."""
    books = ledger.books
    events = (
        Told(number, customer_id, books.kind_of(number), seen.place[number])
        for number in books.accepted("sale", "interaction")
        if (customer_id := found.who.ids.get(books.customer[number]))
    )
    steady = (d for d in read_deliveries(sources.channels.folder) if d.channel == TERMS[0].channel and d.taken)
    return latencies(events, steady, ledger.due)
