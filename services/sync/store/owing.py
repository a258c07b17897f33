"""Which channels were sent anything of a customer who is erased, or may have been, and which have still to say that they keep
nothing of it.
"""

from collections.abc import AsyncIterator, Callable, Collection as Many, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from pymongo import ASCENDING, InsertOne

from services.sync.domain.outgoing import Place
from services.sync.domain.reach import may_have_got
from services.sync.handlers.erasing import Owed, Shown
from services.sync.store.deliveries import DeliveryStore, as_cursor, key
from services.sync.store.views import ViewStore
from shared.contracts.erasures import CHANNEL, ERASURES, ErasureAwaited
from shared.erasing import Work, one_of
from shared.erasing.work import COLLECTION as WORKS
from shared.messaging import Unit
from shared.mongo import Collection, Database, Document, Session, ensure_collections

COLLECTION = "channel_erasures"
AT_THE_LATEST = timedelta(minutes=1)
"""After which a channel that may have got somebody is sent that they are erased, should it not have come in its turn."""
Now = Callable[[], datetime]


class Told:
    """The channels that were ever sent anything of the customers, or may have been: each is a place of its own."""

    collections: Sequence[str] = (COLLECTION,)

    def __init__(self, views: ViewStore, deliveries: DeliveryStore, now: Now) -> None:
        self._views = views
        self._deliveries = deliveries
        self._now = now

    async def begin(self, work: Work) -> None:
        """Nothing to find out."""

    async def piece(self, unit: Unit, work: Work) -> int:
        """All of them at once, and nothing is removed. Channels that are no more, too: what they have got they have."""
        now = self._now()
        reaches = await reaches_of(self._deliveries.progresses, unit.session)
        ids = [key(channel, customer) for channel in reaches for customer in work.customers]
        rows = self._deliveries.deliveries.find(
            {"_id": {"$in": ids}}, {"channel": 1, "customer": 1}, session=unit.session
        )
        known = {(row["channel"], row["customer"]) async for row in rows}
        suspected = await maybe_sent(self._views.views, reaches, work.customers, unit.session) - known
        await self._deliveries.suspect(sorted(suspected), now + AT_THE_LATEST, unit.session)
        await self._await(unit, work, {channel for channel, _ in known | suspected}, now)
        return 0

    async def _await(self, unit: Unit, work: Work, channels: Iterable[str], now: datetime) -> None:
        works = unit.database[COLLECTION]
        asked = works.find(one_of(":")([work.erasure_id]), session=unit.session)
        awaited = {row["channel"] async for row in asked}
        new = sorted(set(channels) - awaited)
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
            for channel in new
        ]
        if rows:
            await works.bulk_write(rows, session=unit.session)
        for channel in new:
            fact = ErasureAwaited(erasure_id=work.erasure_id, place=CHANNEL + channel, since=now)
            unit.publish(ERASURES, fact, key=work.erasure_id)


async def reaches_of(progresses: Collection, session: Session | None = None) -> dict[str, Mapping[int, int]]:
    """Of every channel there ever was, up to where it may have been sent anything; only webhooks have got a reach."""
    found = progresses.find({}, {"reach": 1}, session=session)
    return {row["_id"]: as_cursor(row.get("reach", {})) async for row in found}


async def maybe_sent(
    views: Collection, reaches: Mapping[str, Mapping[int, int]], customers: Many[str], session: Session | None = None
) -> set[tuple[str, str]]:
    """Channels with these customers, as far as they may have been sent them, whether or not that was put down."""
    found = views.find({"_id": {"$in": list(customers)}}, {"partition": 1, "first": 1}, session=session)
    return {
        (channel, row["_id"])
        async for row in found
        for channel, reach in reaches.items()
        if may_have_got(reach, row["partition"], first_place(row))
    }


def first_place(row: Document) -> Place | None:
    return Place(*row["first"]) if "first" in row else None


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
        """Of each of the customers whom the channel was or may have been sent: what it has, and which version erases them."""
        ids = [key(owed.channel, customer) for customer in owed.customers]
        sent = self._deliveries.find({"_id": {"$in": ids}}, session=session)
        versions = await self._versions(owed.customers, session)
        return [
            Shown(
                *(row["customer"], row.get("version", 0), versions.get(row["customer"], 0)),
                failed=failed_for_good(row),
                streamed=row.get("stream") is not None,
            )
            async for row in sent
        ]

    async def _versions(self, customers: Many[str], session: Session | None) -> Mapping[str, int]:
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
