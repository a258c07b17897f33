"""The five services as far as a hop goes: whom a batch concerns, one write for each of them, one record for each effect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from services.campaigns.consumers import GATHER_MS as CAMPAIGNS_GATHER_MS
from services.contacts.consumers import GATHER_MS as CONTACTS_GATHER_MS
from tests.bench.bareline.hop import Change, Document, Service
from tests.bench.bareline.wire import (
    CONTACT,
    INTERACTION,
    LENGTH,
    SALE,
    Message,
    Record,
    customer_of,
    header,
    kind_of,
    reporter,
    score,
    text,
    to,
    view,
)
from tests.bench.trial.watch import INTERACTIONS, SALES, SCORES
from tests.load.roads import INBOUND

TOLD_ON = {SALE: SALES, INTERACTION: INTERACTIONS}


class Interactions(Service):
    """An entry of the history for each sale and interaction; its id is the event's, so that a second one would be refused."""

    name = "interactions"
    topics = (INBOUND,)
    collections = ("history",)

    async def effect(self, records: Sequence[Record], change: Change) -> list[Message]:
        entries: list[Document] = []
        messages = []
        for record in records:
            kind = kind_of(record.headers)
            if kind == CONTACT:
                continue
            customer = reporter(record.key)
            kept = {"customer": customer, "kind": kind.decode(), "text": text(record.value, LENGTH.entry)}
            entries.append({"_id": header(record.headers, "ce_id").decode(), **kept})
            messages.append(to(TOLD_ON[kind], customer, text(record.value, LENGTH.fact)))
        await change.insert("history", entries)
        return messages


class Scoring(Service):
    """A state for each customer, read and written; a score for each who has bought."""

    name = "scoring"
    topics = (SALES, INTERACTIONS)
    collections = ("customers",)

    async def effect(self, records: Sequence[Record], change: Change) -> list[Message]:
        newest = newest_of(records)
        bought = Counter(customer_of(record.key) for record in records if record.topic == SALES)
        known = await change.read("customers", newest, {"purchases": 1, "text": 1})
        purchases = {one: known.get(one, {}).get("purchases", 0) + bought[one] for one in newest}
        states = {one: {"purchases": purchases[one], "text": text(of, LENGTH.state)} for one, of in newest.items()}
        await change.update("customers", [setting(one, state) for one, state in states.items()])
        return [to(SCORES, one, score(purchases[one], newest[one])) for one in bought]


class Campaigns(Service):
    """A profile for each customer, read and written."""

    name = "campaigns"
    topics = (SALES, INTERACTIONS, SCORES)
    unhurried_ms = CAMPAIGNS_GATHER_MS
    collections = ("profiles",)

    async def effect(self, records: Sequence[Record], change: Change) -> list[Message]:
        newest = newest_of(records)
        await change.read("profiles", newest, {"text": 1})
        profiles = [setting(one, {"text": text(of, LENGTH.profile)}) for one, of in newest.items()]
        await change.update("profiles", profiles)
        return []


class Contacts(Service):
    """A contact for each who is reported."""

    name = "contacts"
    topics = (INBOUND, SCORES)
    unhurried_ms = CONTACTS_GATHER_MS
    collections = ("contacts",)

    async def effect(self, records: Sequence[Record], change: Change) -> list[Message]:
        inbound = [record for record in records if record.topic == INBOUND]
        reported = {reporter(one.key): one.value for one in inbound if kind_of(one.headers) == CONTACT}
        contacts = [setting(one, {"text": text(of, LENGTH.contact)}) for one, of in reported.items()]
        await change.update("contacts", contacts)
        return []


class Seen(NamedTuple):
    """What a view counts."""

    version: int = 0
    orders: int = 0
    interactions: int = 0


class Sync(Service):
    """A view for each customer, known by heart; who gets it is told as soon as it is committed."""

    name = "sync"
    topics = (SALES, INTERACTIONS, SCORES)
    collections = ("views", "progress", "deliveries")

    def __init__(self, changed: Callable[[dict[int, bytes]], None]) -> None:
        self._changed = changed
        self._known: dict[int, Seen] = {}
        self._coming: dict[int, Seen] = {}
        self._views: dict[int, bytes] = {}

    async def effect(self, records: Sequence[Record], change: Change) -> list[Message]:
        newest = newest_of(records)
        facts = Counter((customer_of(record.key), record.topic) for record in records)
        before = {one: self._known.get(one, Seen()) for one in newest}
        self._coming = {
            one: Seen(seen.version + 1, seen.orders + facts[one, SALES], seen.interactions + facts[one, INTERACTIONS])
            for one, seen in before.items()
        }
        self._views = {
            one: view(one, seen.orders, seen.interactions, newest[one]) for one, seen in self._coming.items()
        }
        await change.update("views", [self._following(one, before[one]) for one in newest])
        return []

    def _following(self, customer: int, before: Seen) -> Document:
        """Over the version that came before and no other."""
        fields = {**self._coming[customer]._asdict(), "view": self._views[customer]}
        where: Document = {"_id": customer, "version": before.version} if before.version else {"_id": customer}
        return {"q": where, "u": {"$set": fields}, "upsert": not before.version}

    def committed(self) -> None:
        self._known |= self._coming
        self._changed(self._views)


def newest_of(records: Sequence[Record]) -> dict[int, bytes]:
    """Of each customer whom the batch concerns, what came last."""
    return {customer_of(record.key): record.value for record in records}


def setting(name: int | str, fields: Document) -> Document:
    return {"q": {"_id": name}, "u": {"$set": fields}, "upsert": True}


def service_named(name: str, changed: Callable[[dict[int, bytes]], None]) -> Service:
    if name == Sync.name:
        return Sync(changed)
    return {one.name: one for one in (Interactions, Scoring, Campaigns, Contacts)}[name]()


NAMES = tuple(one.name for one in (Interactions, Scoring, Campaigns, Contacts, Sync))
