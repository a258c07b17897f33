"""The views, one document a customer, and the order in which they have changed.

A view is kept as the JSON of its contract: it reads back without loss (MongoDB cuts times to milliseconds), and most
readers hand it on without looking inside. What is searched for stands beside it.
"""

import secrets
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from bson.decimal128 import Decimal128
from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern

from services.sync.domain.known import read
from services.sync.domain.outgoing import Changed, Place
from services.sync.domain.positions import Cursor, ahead
from services.sync.domain.view import Held
from services.sync.handlers.folding import NewVersion
from services.sync.handlers.views import START, Stale, Tail, places
from services.sync.store.writes import update_all, update_of
from shared import mongo

Document = dict[str, Any]
SENT = {
    "version": 1,
    "changed_at": 1,
    "partition": 1,
    "position": 1,
    "origins": 1,
    "merged_into": 1,
    "restricted": 1,
    "erased": 1,
    "view": 1,
}

NOT_ERASED = {"erased": None}
"""Of the erased a version without anything in it stays, so that every channel hears of it in its turn."""


class ViewStore:
    """Views and positions.

    A partition's positions are given out by one counter document, inside the transaction that writes the views: two
    writers of one partition conflict, so positions become visible in their own order.
    """

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self.views = database["views"]
        self.positions = database["positions"]
        # A position that a failover takes back must not move a channel's cursor.
        self.durable = database.with_options(read_concern=ReadConcern("majority"))

    async def prepare(self) -> None:
        order = IndexModel([("partition", ASCENDING), ("position", ASCENDING)])
        await self.views.create_indexes([order, IndexModel("identifiers")])
        await self.positions.create_index("_id")

    async def load(self, customer_ids: Iterable[str], session: AsyncClientSession | None) -> dict[str, Held]:
        found = self.views.find(
            {"_id": {"$in": list(customer_ids)}}, {"view": 1, "origins": 1, "members": 1, "erased": 1}, session=session
        )
        return {document["_id"]: as_held(document) for document in await found.to_list(None)}

    async def places(self, partitions: Iterable[int], session: AsyncClientSession | None) -> dict[int, Tail]:
        """Where partitions end at present, by whose hand."""
        found = self.positions.find({"_id": {"$in": list(partitions)}}, {"position": 1, "mark": 1}, session=session)
        return {c["_id"]: Tail(c["position"], c.get("mark")) for c in await found.to_list(None)}

    async def save(
        self,
        versions: Sequence[NewVersion],
        tails: Mapping[int, Tail],
        session: AsyncClientSession | None,
        touched: Iterable[int] = (),
    ) -> dict[int, Tail]:
        mark = secrets.token_hex(8)
        lanes = {*touched, *(version.partition for version in versions)}
        ends = {partition: tails.get(partition, START).position for partition in lanes}
        placed = places(versions, tails)
        ends |= dict(placed)  # each partition's last one counts
        writes = [write_of(version, place) for version, place in zip(versions, placed, strict=True)]
        # The counters first: a second writer of the partition stops here.
        counters = [counted(partition, Tail(end, mark), versions) for partition, end in ends.items()]
        await self.positions.bulk_write(counters, ordered=False, session=session)
        texts = [len(version.view) for version in versions]
        if await update_all(self.views, writes, session, texts) != len(writes):
            raise Stale("a view is not what it was taken for")
        return {partition: Tail(end, mark) for partition, end in ends.items()}

    async def tails(self) -> dict[int, int]:
        """The newest position of each partition."""
        found = await self.durable["positions"].find({}, {"position": 1}).to_list(None)
        return {counter["_id"]: counter["position"] for counter in found}

    async def growth(self) -> AsyncGenerator[None]:
        """Something each time that positions have grown, whichever instance has done it. Never ends."""
        stream = await mongo.watch(self.positions, [{"$project": {"_id": 1}}])
        async with stream:
            async for _ in stream:
                yield

    async def beyond(self, cursor: Cursor, tails: Mapping[int, int], limit: int) -> list[Changed]:
        """The next changes after a cursor, in order within each partition, and up to the tails.

        What changes while this reads moves beyond them and comes next time. Without that end a customer could come
        twice, or be left out because it had come before, while the cursor passes its newest place.
        """
        partitions = ahead(tails, cursor)
        most = sum(tails[partition] - cursor.get(partition, 0) for partition in partitions)
        if partitions and most <= limit:
            return await self.all_beyond([between(cursor, tails, partition) for partition in partitions])
        changes: list[Changed] = []
        for index, partition in enumerate(partitions):
            share = -(-(limit - len(changes)) // (len(partitions) - index))
            if share:
                found = self.durable["views"].find(between(cursor, tails, partition), SENT)
                changes += await listed(found.sort("position", ASCENDING).limit(share))
        return changes

    async def all_beyond(self, ranges: Sequence[Document]) -> list[Changed]:
        """One question instead of many, where the answer is bound to be short."""
        found = self.durable["views"].find({"$or": ranges} if len(ranges) > 1 else ranges[0], SENT)
        return sorted(await listed(found), key=place_of)

    async def these(self, customer_ids: Sequence[str]) -> list[Changed]:
        return await listed(self.durable["views"].find({"_id": {"$in": list(customer_ids)}}, SENT))

    async def backlog(self, cursor: Cursor, tails: Mapping[int, int]) -> int:
        """How many customers have changed since a cursor."""
        counts = [await self.views.count_documents(after(cursor, partition)) for partition in ahead(tails, cursor)]
        return sum(counts)

    async def cursor_before(self, moment: datetime, tails: Mapping[int, int]) -> Cursor:
        """Where to begin in order to meet everything that has changed since a moment."""
        cursor: Cursor = {}
        for partition in tails:
            older = {"partition": partition, "changed_at": {"$lt": moment}}
            # From the tail: as many documents are looked at as there are to be sent again.
            last = await self.views.find_one(older, {"position": 1}, sort=[("position", DESCENDING)])
            if last:
                cursor[partition] = last["position"]
        return cursor

    async def one(self, customer_id: str) -> bytes | None:
        document = await self.views.find_one({"_id": customer_id, **NOT_ERASED}, {"view": 1})
        return document["view"].encode() if document else None

    async def identified(self, identifier: str, limit: int) -> list[bytes]:
        found = self.views.find({"identifiers": identifier}, {"view": 1}).sort("_id", ASCENDING).limit(limit)
        return [document["view"].encode() for document in await found.to_list(None)]

    async def page(self, after: str, limit: int) -> list[tuple[str, bytes]]:
        found = self.views.find({"_id": {"$gt": after}, **NOT_ERASED}, {"view": 1}).sort("_id", ASCENDING).limit(limit)
        return [(document["_id"], document["view"].encode()) for document in await found.to_list(None)]

    async def sums(self) -> tuple[int, int, Decimal]:
        """Customers, orders and the money of all orders, kept up to date with the views in their own transactions."""
        counters = await self.positions.find({}).to_list(None)
        total = sum((counter["total"].to_decimal() for counter in counters), Decimal(0))
        return sum(c["customers"] for c in counters), sum(c["orders"] for c in counters), total


def counted(partition: int, tail: Tail, versions: Sequence[NewVersion]) -> UpdateOne:
    own = [version for version in versions if version.partition == partition]
    sums = {
        "customers": sum(version.customers for version in own),
        "orders": sum(version.orders for version in own),
        "total": Decimal128(sum((version.total for version in own), Decimal(0))),
    }
    change = {"$set": {"position": tail.position, "mark": tail.mark}, "$inc": sums}
    return UpdateOne({"_id": partition}, change, upsert=True)


def write_of(version: NewVersion, place: Place) -> Document:
    """Over the version that came before and no other; what has not changed is left alone, and so are its indexes."""
    held = version.held
    fields: Document = {
        "version": held.version,
        "changed_at": held.changed_at,
        "partition": place.partition,
        "position": place.position,
        "origins": held.origins,
        "view": version.view.decode(),
    }
    first = held.version == 1
    if version.regrouped:
        known = held.known
        fields |= {"members": held.members, "merged_into": known.merged_into, "restricted": known.restricted}
    if first:
        fields["first"] = place  # before it no channel was sent anything of the customer
    if version.identifiers is not None or first:
        fields["identifiers"] = version.identifiers or []
    # The first version finds nothing and is made; should there be a view after all, its id is taken.
    return update_of({"_id": held.customer_id, "version": held.version - 1}, {"$set": fields}, upsert=first)


def as_held(document: Document) -> Held:
    version, changed_at, known = read(document["view"])
    members, erased = tuple(document.get("members", ())), document.get("erased") is not None
    return Held(document["_id"], version, changed_at, known, as_origins(document), members, erased)


def after(cursor: Cursor, partition: int) -> Document:
    return {"partition": partition, "position": {"$gt": cursor.get(partition, 0)}}


def between(cursor: Cursor, tails: Mapping[int, int], partition: int) -> Document:
    return {"partition": partition, "position": {"$gt": cursor.get(partition, 0), "$lte": tails[partition]}}


async def listed(found: AsyncCursor[Document]) -> list[Changed]:
    return [as_changed(document) for document in await found.to_list(None)]


def place_of(changed: Changed) -> Place:
    return changed.place


def as_changed(document: Document) -> Changed:
    return Changed(
        customer_id=document["_id"],
        version=document["version"],
        changed_at=document["changed_at"].isoformat().replace("+00:00", "Z"),
        place=Place(document["partition"], document["position"]),
        origins=as_origins(document),
        view=document["view"].encode(),
        merged_into=document.get("merged_into"),
        restricted=document.get("restricted", False),
        erased=document.get("erased"),
    )


def as_origins(document: Document) -> tuple[tuple[str | None, int], ...]:
    return tuple((source, version) for source, version in document["origins"])
