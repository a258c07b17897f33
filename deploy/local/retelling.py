"""What the services have told, told again from what they keep: the log forgets after two weeks, their databases do not.

Facts come in no order, which none of those who listen needs (decisions 0009 and 0012). They are the same facts, but for
their time, which is when they happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from services.campaigns.store import retelling as campaigns
from services.contacts.domain.erasure import is_channel
from services.contacts.domain.survivorship import Known
from services.contacts.store.erasing import read as read_erasure
from services.contacts.store.rows import read_known
from services.interactions.store.retelling import told
from shared.contracts.campaigns import CAMPAIGNS
from shared.contracts.contacts import (
    CONTACTS,
    Contact,
    ContactChanged,
    ContactMerged,
    ContactRestricted,
)
from shared.contracts.erasures import CHANNEL
from shared.contracts.fact import Fact, Topic
from shared.contracts.interactions import INTERACTIONS, SALES, InteractionRecorded
from shared.contracts.scoring import SCORES, ScoreChanged
from shared.contracts.topics import REPLAYS
from shared.ids import uuid7
from shared.messaging import Outgoing
from shared.messaging.dead_letters import REPLAY_GROUP, REPLAY_TOPIC
from shared.messaging.envelope import rfc3339

PIECE = 1_000
"""Documents read at once."""
Database = Any
Databases = Callable[[str], Database]
"""A service's database by the service's name."""


class Again(NamedTuple):
    """A fact as it was told, as JSON."""

    topic: Topic
    type: str
    customer: str
    at: datetime
    data: bytes


def record(again: Again, group: str) -> Outgoing:
    """Addressed to one consumer group, as a dead letter that is sent back: nobody else takes it."""
    event_id = uuid7(again.at).encode()
    headers = [
        (REPLAY_GROUP, group.encode()),
        (REPLAY_TOPIC, again.topic.name.encode()),
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_source", b"/rapport/rebuild"),
        ("ce_type", again.type.encode()),
        ("ce_id", event_id),
        ("ce_time", rfc3339(again.at).encode()),
        ("ce_subject", again.customer.encode()),
        ("ce_correlationid", event_id),
    ]
    return Outgoing(REPLAYS.name, again.customer.encode(), again.data, headers)


class Source(NamedTuple):
    """Where facts are read from, and the topics that they were told on."""

    topics: Sequence[Topic]
    read: Callable[[Databases], AsyncIterator[list[Again]]]
    """In pieces."""


async def _history(databases: Databases) -> AsyncIterator[list[Again]]:
    history = databases("interactions")["history"]
    async for rows in _pieces(history, {"waiting": None}):
        ids = {row["of"]["id"] for row in rows if "of" in row}
        orders = {row["_id"]: row async for row in history.find({"_id": {"$in": list(ids)}})}
        yield await asyncio.to_thread(_lines, rows, orders)


def _lines(rows: Sequence[Mapping[str, Any]], orders: Mapping[str, Mapping[str, Any]]) -> list[Again]:
    return [_again(_topic_of(fact), fact, row["customer"], row["at"]) for row in rows for fact in [told(row, orders)]]


def _topic_of(fact: Fact) -> Topic:
    return INTERACTIONS if isinstance(fact, InteractionRecorded) else SALES


async def _contacts(databases: Databases) -> AsyncIterator[list[Again]]:
    contacts = databases("contacts")
    async for rows in _pieces(contacts["contacts"], {}):
        yield [again for row in rows for again in _of_contact(row)]
    async for rows in _pieces(contacts["restrictions"], {}):
        facts = [ContactRestricted(customer_id=row["_id"], restricted=True, since=row["since"]) for row in rows]
        yield [_again(CONTACTS, fact, fact.customer_id, fact.since) for fact in facts]


def _of_contact(row: Mapping[str, Any]) -> Iterable[Again]:
    """Who answers for themselves is told as they are; of who was merged, into whom."""
    known = read_known(dict(row))
    if known.place.into is not None:
        yield from _under_both(_merged(known))
        return
    contact: Contact = known.published
    changed = ContactChanged(contact=contact, changed=[])
    yield _again(CONTACTS, changed, contact.customer_id, contact.changed_at)


async def merged(databases: Databases) -> AsyncIterator[list[ContactMerged]]:
    """The merges that stand, once each."""
    async for rows in _pieces(databases("contacts")["contacts"], {"place.root": {"$gt": ""}}):
        yield [_merged(read_known(dict(row))) for row in rows]


async def restricted(databases: Databases) -> AsyncIterator[list[str]]:
    """Whose data must not be used."""
    async for rows in _pieces(databases("contacts")["restrictions"], {}):
        yield [row["_id"] for row in rows]


async def _merges(databases: Databases) -> AsyncIterator[list[Again]]:
    async for facts in merged(databases):
        yield [again for fact in facts for again in _under_both(fact)]


def _merged(known: Known) -> ContactMerged:
    place = known.place
    assert place.into is not None
    assert place.merge_id is not None
    assert place.since is not None
    return ContactMerged(
        merge_id=place.merge_id,
        survivor=place.into,
        absorbed=known.contact.customer_id,
        turn=place.turn,
        merged_at=place.since,
    )


def _under_both(fact: ContactMerged) -> Iterable[Again]:
    return [_again(CONTACTS, fact, one, fact.merged_at) for one in (fact.survivor, fact.absorbed)]


async def _open_erasures(databases: Databases) -> AsyncIterator[list[Again]]:
    """Those that not every place has done: a group whose position is moved may not have heard of them."""
    async for rows in _pieces(databases("contacts")["erasures"], {"done_at": None}):
        facts = [read_erasure(dict(row)).fact for row in rows]
        yield [_again(CONTACTS, fact, one, fact.requested_at) for fact in facts for one in fact.customers]


class Owed(NamedTuple):
    """A channel that was told to erase customers, and has not said that it has."""

    erasure_id: str
    channel: str
    customers: Sequence[str]
    since: datetime


async def channels_that_erase(databases: Databases) -> AsyncIterator[Owed]:
    """No fact for sync, which has told it; but contacts knows it as well."""
    async for rows in _pieces(databases("contacts")["erasures"], {"done_at": None}):
        for erasure in [read_erasure(dict(row)) for row in rows]:
            for place in erasure.places:
                if is_channel(place.place) and place.at is None:
                    channel = place.place.removeprefix(CHANNEL)
                    yield Owed(erasure.erasure_id, channel, erasure.customers, place.since)


async def _scores(databases: Databases) -> AsyncIterator[list[Again]]:
    async for rows in _pieces(databases("scoring")["customers"], {"told": {"$exists": True}}):
        yield [_score(row) for row in rows]


def _score(row: Mapping[str, Any]) -> Again:
    at = ScoreChanged.model_validate_json(data := b'{"score":%s}' % row["told"].encode()).score.as_of
    return Again(SCORES, ScoreChanged.TYPE, row["_id"], at, data)


async def _selections(databases: Databases) -> AsyncIterator[list[Again]]:
    async for rows in _pieces(databases("campaigns")["campaigns"], campaigns.DRAWN):
        for row in rows:
            campaign = campaigns.as_launched(row)
            at, _ = campaign.window()
            async for drawn in _pieces(databases("campaigns")["selections"], campaigns.contacted(row)):
                facts = [campaigns.told(campaign, one) for one in drawn]
                yield [_again(CAMPAIGNS, fact, fact.customer_id, at) for fact in facts]


def _again(topic: Topic, fact: Fact, customer: str, at: datetime) -> Again:
    return Again(topic, fact.TYPE, customer, at, fact.model_dump_json().encode())


async def _pieces(collection: Any, wanted: Mapping[str, Any]) -> AsyncIterator[list[dict[str, Any]]]:
    after: Any = None
    while True:
        beyond = {"_id": {"$gt": after}} if after is not None else {}
        rows = await collection.find({"$and": [wanted, beyond]}).sort("_id", 1).limit(PIECE).to_list(PIECE)
        if not rows:
            return
        yield rows
        after = rows[-1]["_id"]


EVERYBODY = Source((CONTACTS,), _contacts)
MERGES = Source((CONTACTS,), _merges)
"""Only who was merged into whom."""
OPEN_ERASURES = Source((CONTACTS,), _open_erasures)
"""For a group that hears of erasures with everything else. To be told first: what is told of the erased is then passed over."""
HISTORY = Source((SALES, INTERACTIONS), _history)
NEWEST_SCORES = Source((SCORES,), _scores)
SELECTIONS = Source((CAMPAIGNS,), _selections)
"""Only who is to be contacted."""
