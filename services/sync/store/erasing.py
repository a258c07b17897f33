"""What sync keeps of a customer, how it is removed, and which channels have still to say that they have removed theirs.

A new collection that says something about customers gets a line in `steps`; any other is named in `HOLDS_NONE`.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime

from pymongo import ASCENDING, InsertOne, ReplaceOne

from services.sync.domain.known import NOTHING, NULL, read
from services.sync.domain.merging import absorbed_by
from services.sync.domain.view import Held, following
from services.sync.handlers.erasing import Owed, Shown
from services.sync.handlers.folding import NewVersion, counted
from services.sync.handlers.views import START
from services.sync.store.deliveries import DeliveryStore, key
from services.sync.store.trees import part_row, speaking_of
from services.sync.store.views import ViewStore, as_held
from shared.audit import COLLECTION as AUDIT, WHO_ASKED
from shared.contracts.erasures import CHANNEL, ERASURES, ErasureAwaited
from shared.contracts.sync import CUSTOMERS
from shared.erasing import Delete, Step, Work, one_of
from shared.erasing.work import COLLECTION as WORKS
from shared.links import COLLECTION as LINKS, naming
from shared.messaging import Outgoing, Unit
from shared.mongo import Database, Document, Session, ensure_collections

COLLECTION = "channel_erasures"
HOLDS_NONE = {
    "positions": "sums over everybody, by partition",
    "channels": "channels",
    "progress": "how far channels are",
    "deliveries": "which channel was sent which version of which id, and when: the proof, without what was sent",
    COLLECTION: "which channels were told of which erasure",
    "keys": "API keys",
    "notes": "leases",
    "rebuilding": "that views are being made anew, and above which version",
    AUDIT: WHO_ASKED,
}
Now = Callable[[], datetime]


def steps(views: ViewStore, deliveries: DeliveryStore, now: Now) -> list[Step]:
    # Channels are awaited before they are told, as some answer at once; then those too whose deliveries were under way.
    told = Told(deliveries, now)
    return [told, Delete("parts"), Remembered(), Viewed(views, now), Buried(views), Delete("links", naming), told]


class Remembered:
    """What contacts told last of somebody while the customer was part of them, and who has been absorbed by another since.

    Contacts tells nothing more under their id until they are their own again, and all of it then; of those who answer for
    themselves it has told what they are without the customer.
    """

    collections: Sequence[str] = ("parts",)

    async def begin(self, work: Work) -> None:
        """They are found by index."""

    async def piece(self, unit: Unit, work: Work) -> int:
        parts, links = unit.database["parts"], unit.database[LINKS]
        rows = parts.find(speaking_of(work.customers), session=unit.session)
        found = {row["_id"]: read(row["part"])[2] async for row in rows}
        naming_them = [one for one, known in found.items() if not absorbed_by(known.contact).isdisjoint(work.customers)]
        absorbed = links.find({"_id": {"$in": naming_them}, "into": {"$ne": None}}, {"_id": 1}, session=unit.session)
        writes = [
            ReplaceOne({"_id": one}, part_row(one, found[one]._replace(contact=NULL)))
            for one in [row["_id"] async for row in absorbed]
        ]
        if writes:
            await parts.bulk_write(writes, session=unit.session)
        return len(writes)


class Viewed:
    """Views: a last version with nothing in it, which goes to the channels in its turn."""

    collections: Sequence[str] = ("views",)

    def __init__(self, views: ViewStore, now: Now) -> None:
        self._views = views
        self._now = now

    async def begin(self, work: Work) -> None:
        """Nothing to find out."""

    async def piece(self, unit: Unit, work: Work) -> int:
        wanted = {"_id": {"$in": list(work.customers)}, "erased": None}
        rows = await self._views.views.find(wanted, session=unit.session).to_list(None)
        if not rows:
            return 0
        tails = await self._views.places({row["partition"] for row in rows}, unit.session)
        now = self._now()
        versions = [emptied(as_held(row), row["partition"], now) for row in rows]
        await self._views.save(versions, {v.partition: tails.get(v.partition, START) for v in versions}, unit.session)
        ids = [row["_id"] for row in rows]
        mark = {"$set": {"erased": work.erasure_id}}
        await self._views.views.update_many({"_id": {"$in": ids}}, mark, session=unit.session)
        return len(ids)


class Buried:
    """A tombstone in `crm.customers` for each of them, at each of the two looks.

    A batch that its producer has given up may reach the broker after all, behind what was told since: the view in it is
    covered by the second tombstone (docs/decisions/0046-an-erasure-is-followed-to-its-end.md).
    """

    collections: Sequence[str] = ()

    def __init__(self, views: ViewStore) -> None:
        self._views = views

    async def begin(self, work: Work) -> None:
        """Nothing to find out."""

    async def piece(self, unit: Unit, work: Work) -> int:
        """All of them at once, and nothing is removed."""
        erased = {"_id": {"$in": list(work.customers)}, "erased": {"$ne": None}}
        async for row in self._views.views.find(erased, {"_id": 1}, session=unit.session):
            unit.forward(Outgoing(CUSTOMERS.name, row["_id"].encode(), None, ()))
        return 0


def emptied(before: Held, partition: int, now: datetime) -> NewVersion:
    """The version after which there is none, and what the sums over all customers lose by it."""
    held = following(before.customer_id, before, NOTHING, {None}, now)
    sales = before.known.sales
    return NewVersion(held, held.view(), [], partition, -counted(before), -sales.orders, -sales.total, regrouped=True)


class Told:
    """The channels that were ever sent anything of the customers: each is a place of its own."""

    collections: Sequence[str] = (COLLECTION,)

    def __init__(self, deliveries: DeliveryStore, now: Now) -> None:
        self._deliveries = deliveries
        self._now = now

    async def begin(self, work: Work) -> None:
        """Nothing to find out."""

    async def piece(self, unit: Unit, work: Work) -> int:
        """All of them at once, and nothing is removed. Channels that are no more, too: what they have got they have."""
        channels = [row["_id"] async for row in self._deliveries.progresses.find({}, {"_id": 1}, session=unit.session)]
        ids = [key(channel, customer) for channel in channels for customer in work.customers]
        sent = self._deliveries.deliveries.find({"_id": {"$in": ids}, "version": {"$gt": 0}}, session=unit.session)
        knowing = {row["channel"] async for row in sent}
        works = unit.database[COLLECTION]
        asked = one_of(":")([work.erasure_id])
        known = {row["channel"] async for row in works.find(asked, session=unit.session)}
        now = self._now()
        rows = [
            InsertOne(
                {
                    "_id": f"{work.erasure_id}:{channel}",
                    "erasure": work.erasure_id,
                    "channel": channel,
                    "customers": list(work.customers),
                    "since": now,
                    "done_at": None,
                }
            )
            for channel in sorted(knowing - known)
        ]
        if rows:
            await works.bulk_write(rows, session=unit.session)
        for channel in sorted(knowing - known):
            fact = ErasureAwaited(erasure_id=work.erasure_id, place=CHANNEL + channel, since=now)
            unit.publish(ERASURES, fact, key=work.erasure_id)
        return 0


class OwedStore:
    """What channels have still to acknowledge."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._works = database[COLLECTION]
        self._own = database[WORKS]
        self._views = database["views"]
        self._deliveries = database["deliveries"]

    async def prepare(self) -> None:
        await ensure_collections(self._database, [COLLECTION])
        await self._works.create_index([("done_at", ASCENDING)])

    async def open(self) -> AsyncIterator[Owed]:
        async for row in self._works.find({"done_at": None}):
            yield owed(row)

    async def owed(self, erasure_id: str, channel: str, session: Session | None) -> Owed | None:
        row = await self._works.find_one({"_id": f"{erasure_id}:{channel}"}, session=session)
        return owed(row) if row else None

    async def settled(self, owed: Owed) -> bool:
        # What sync was done with before its database was lost is not there at all.
        under_way = {"_id": owed.erasure_id, "done_at": None}
        return await self._own.find_one(under_way, {"_id": 1}) is None

    async def shown(self, owed: Owed, session: Session | None = None) -> Sequence[Shown]:
        """Of each of the customers whom the channel was ever sent: what it has, and which version erases them."""
        ids = [key(owed.channel, customer) for customer in owed.customers]
        sent = self._deliveries.find({"_id": {"$in": ids}, "version": {"$gt": 0}}, session=session)
        versions = await self._versions(owed.customers, session)
        return [
            Shown(
                *(row["customer"], row["version"], versions.get(row["customer"], 0)),
                failed=failed_for_good(row),
                streamed=row.get("stream") is not None,
            )
            async for row in sent
        ]

    async def _versions(self, customers: Collection[str], session: Session | None) -> Mapping[str, int]:
        erased = {"_id": {"$in": list(customers)}, "erased": {"$ne": None}}
        return {row["_id"]: row["version"] async for row in self._views.find(erased, {"version": 1}, session=session)}

    async def acknowledged(self, owed: Owed, customer: str, session: Session | None) -> None:
        await self._works.update_one({"_id": owed.id}, {"$addToSet": {"acknowledged": customer}}, session=session)

    async def asked_again(self, owed: Owed, now: datetime, session: Session | None) -> None:
        await self._works.update_one({"_id": owed.id}, {"$set": {"asked_at": now}}, session=session)

    async def finish(self, erasure_id: str, channel: str, now: datetime, session: Session | None) -> bool | None:
        """Whether this was the first word of it; None: the channel was never asked."""
        wanted = {"_id": f"{erasure_id}:{channel}"}
        before = await self._works.find_one_and_update(
            wanted, [{"$set": {"done_at": {"$ifNull": ["$done_at", now]}}}], session=session
        )
        return None if before is None else before["done_at"] is None


def owed(row: Document) -> Owed:
    asked_at, acknowledged = row.get("asked_at") or row["since"], frozenset(row.get("acknowledged", ()))
    return Owed(row["_id"], row["erasure"], row["channel"], row["customers"], asked_at, acknowledged)


def failed_for_good(row: Document) -> bool:
    retry = row.get("retry")
    return retry is not None and retry["next_at"] is None
