"""The path of one event through the services, as far as it got: for whoever has to find out where it went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.torture.evidence import Databases, Log
from tests.torture.judge import topics
from tests.torture.judge.breach import Breach
from tests.torture.judge.inbound import Record
from tests.torture.judge.topics import Sequences
from tests.torture.ledger import UNSENT, Ledger
from tests.torture.receivers.records import read_deliveries
from tests.torture.settling import Sources
from tests.torture.verdict import Verdict

MOST_LINES = 80
TOPICS = ("crm.inbound", topics.CONTACTS, topics.SALES, topics.MET, topics.SCORED, topics.CUSTOMERS, "crm.dead-letters")


async def path(breach: Breach, ledger: Ledger, sources: Sources, verdict: Verdict) -> list[str]:
    """What is known of the breach's event, or of its customer where it is about no single event."""
    number = breach.event if breach.event is not None else last_event(ledger, breach.customer)
    if number is None:
        return ["It is about no event and no customer."]
    books, customer = ledger.books, ledger.books.customer[number]
    customer_id = verdict.who.ids.get(customer)
    event_id = books.event_id(number)
    head = f"event {event_id}: {books.kind_of(number)} of customer {customer} ({customer_id})"
    lines = [
        f"{head}, accepted {books.copies[number]} times{waited(ledger, number)}",
        f"  inbound        {books.partition[number]}:{books.offset[number]}",
        *await told(event_id, customer_id, sources.log),
        *[line async for line in held(event_id, customer_id, sources.databases)],
        *shown(customer_id, sources),
    ]
    return lines[:MOST_LINES]


def waited(ledger: Ledger, number: int) -> str:
    if UNSENT in {ledger.due[number], ledger.accepted_at[number]}:
        return ""
    return f", first {ledger.accepted_at[number] - ledger.due[number]:.3f} s after it was due"


def last_event(ledger: Ledger, customer: int | None) -> int | None:
    """The latest that was accepted of this customer."""
    books = ledger.books
    events = (
        number for number in books.accepted("sale", "interaction", "contact") if books.customer[number] == customer
    )
    return None if customer is None else max(events, default=None)


async def told(event_id: str, customer_id: str | None, log: Log) -> list[str]:
    """Records that the event has caused, and the latest about its customer, in the order in which topics follow."""
    sequences, key = Sequences(), (customer_id or "").encode()
    own: list[tuple[int, str]] = []
    latest: dict[tuple[int, int], str] = {}
    async for record in log.records(TOPICS):
        fresh, step = sequences.fresh(record), TOPICS.index(record.topic)
        if event_id in {record.text("ce_correlationid"), record.text("ce_id")}:
            own.append((step, described(record, fresh)))
        elif record.key == key:
            latest[step, record.partition] = described(record, fresh) + " (the latest of this customer)"
    return [line for _, line in sorted([*own, *((step, line) for (step, _), line in latest.items())])]


def described(record: Record, fresh: bool) -> str:
    place = f"{record.partition}:{record.offset}"
    about = f"{record.text('ce_type') or ''} sequence {record.text('ce_sequence')}"
    return f"  {record.topic:<16} {place:<10} {about}{'' if fresh else ' REPUBLISHED'} {(record.value or b'')[:160]!r}"


async def held(event_id: str, customer_id: str | None, databases: Databases) -> Any:
    """What the services keep."""
    for service, collection, query in places(event_id, customer_id):
        async for document in databases.client[f"rapport_{service}"][collection].find(query).limit(3):
            yield f"  {service}.{collection:<14} {str(document)[:300]}"


def places(event_id: str, customer_id: str | None) -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "interactions", "history", {"event": event_id}
    yield "interactions", "dead_letters", {"event_id": event_id}
    yield "contacts", "contacts", {"_id": customer_id}
    yield "scoring", "customers", {"_id": customer_id}
    yield "campaigns", "profiles", {"_id": customer_id}
    yield "sync", "views", {"_id": customer_id}
    yield "sync", "deliveries", {"customer": customer_id}


def shown(customer_id: str | None, sources: Sources) -> list[str]:
    """The deliveries of the customer, the last ones of each channel."""
    lines = [
        f"  {one.channel:<16} version {one.version}, {one.orders} orders, {one.interactions} interactions, "
        f"{'taken' if one.taken else 'not taken'} at {one.arrived_at:.3f}"
        for one in read_deliveries(sources.channels.folder)
        if one.customer_id == customer_id
    ]
    return lines[-20:]
