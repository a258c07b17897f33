"""Views that are made anew (`rapport rebuild sync`): how far the old ones had got, by whatever still knows of them, so that the
new ones go on from there.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from bson.decimal128 import Decimal128
from pymongo import ASCENDING, DESCENDING, ReturnDocument, UpdateOne

from services.sync.domain.known import NOTHING
from services.sync.domain.view import Held
from services.sync.handlers.rebuilding import PIECE, SPARE, Shown
from services.sync.store.deliveries import key
from services.sync.store.owing import COLLECTION as OWED
from services.sync.store.views import NOT_ERASED, as_held
from services.sync.store.writes import update_all, update_of
from shared.erasing.tombstones import COLLECTION as ERASED
from shared.mongo import Collection as Documents, Database, Document, Session

COLLECTION = "rebuilding"
MARK = "views"
"""Its one document, from the beginning of a rebuild to its end."""
ONE_OF_ALL = 0
"""A partition that is always there."""


class HalfMade(RuntimeError):
    """Views are being made anew, and half of one must not be shown to anybody."""


class RebuildStore:
    """The mark of a rebuild, and views above all those that were."""

    def __init__(self, database: Database) -> None:
        self._marks = database[COLLECTION]
        self._views = database["views"]
        self._positions = database["positions"]
        self._deliveries = database["deliveries"]
        self._progress = database["progress"]
        self._owed = database[OWED]
        self._erased = database[ERASED]

    async def require_whole(self) -> None:
        """Raises HalfMade."""
        if await self._marks.find_one({"_id": MARK}):
            raise HalfMade("the views are being made anew: `rapport rebuild sync` has to come to its end first")

    async def begin(self, told: int, partitions: Iterable[int]) -> None:
        """Forget the views, but for the last ones of the erased, which channels may still have to hear of.

        `told` is how many versions were ever told. As each of them had a position of its own, positions go on behind as many
        and some that may not have been told yet: beyond every channel's place, also one that only a stream's client knows.
        """
        known = await self._marks.find_one({"_id": MARK}) or {}
        versions = [await highest("version", collection) for collection in (self._views, self._deliveries)]
        above = max([known.get("above", 0), *versions])
        await self._marks.update_one({"_id": MARK}, {"$set": {"above": above}}, upsert=True)
        tails = {row["_id"]: row["position"] async for row in self._positions.find({}, {"position": 1})}
        cursors = [at async for row in self._progress.find({}, {"cursor": 1}) for at in row.get("cursor", {}).values()]
        position = max([told + SPARE, await highest("position", self._views), *tails.values(), *cursors])
        start = {"position": position, "mark": None}
        empty = {"customers": 0, "orders": 0, "total": Decimal128("0")}
        lanes = {*partitions, *tails, ONE_OF_ALL}
        await self._positions.bulk_write(
            [UpdateOne({"_id": lane}, {"$set": start | empty}, upsert=True) for lane in lanes]
        )
        await self._views.delete_many(NOT_ERASED)

    async def owe(self, erasure_id: str, channel: str, customers: Sequence[str], since: datetime) -> None:
        """That a channel was told to erase customers and has not answered; where that is known already nothing changes.

        Where it is known, so is whom of them the channel was ever sent. Of anybody else it would be asked for an answer to what
        it is never told: their last versions may lie behind its cursor.
        """
        debt_id = f"{erasure_id}:{channel}"
        if await self._owed.find_one({"_id": debt_id}, {"_id": 1}):
            return
        for customer in customers:
            # That it was ever sent something, by which it is told of the erasure.
            sent = {"channel": channel, "customer": customer, "version": 1, "retry": None}
            await self._deliveries.update_one({"_id": key(channel, customer)}, {"$setOnInsert": sent}, upsert=True)
        debt = {
            "_id": debt_id,
            "erasure": erasure_id,
            "channel": channel,
            "customers": list(customers),
            "since": since,
            "done_at": None,
        }
        await self._owed.insert_one(debt)  # last: whoever is broken off before begins with it again

    async def above(self) -> int:
        known = await self._marks.find_one({"_id": MARK}) or {}
        return int(known.get("above", 0))

    async def erased(self, customers: Collection[str]) -> Mapping[str, str]:
        found = self._erased.find({"_id": {"$in": list(customers)}}, {"erasure": 1})
        return await self._without_view({row["_id"]: row["erasure"] async for row in found})

    async def awaited(self) -> Mapping[str, str]:
        found = self._owed.find({"done_at": None}, {"erasure": 1, "customers": 1})
        return await self._without_view({one: row["erasure"] async for row in found for one in row["customers"]})

    async def _without_view(self, erased: Mapping[str, str]) -> dict[str, str]:
        if not erased:
            return {}
        there = {row["_id"] async for row in self._views.find({"_id": {"$in": list(erased)}}, {"_id": 1})}
        return {one: erasure for one, erasure in erased.items() if one not in there}

    async def bury(self, erased: Mapping[str, str], version: int, session: Session | None) -> None:
        change = {"$inc": {"position": len(erased)}}
        tail = await self._positions.find_one_and_update(
            {"_id": ONE_OF_ALL}, change, return_document=ReturnDocument.AFTER, session=session
        )
        assert tail is not None, "a rebuild begins with positions"
        now = datetime.now(UTC)
        rows = [
            last_of(Held(customer, version, now, NOTHING, ((None, version),)), erasure, tail["position"] - back)
            for back, (customer, erasure) in enumerate(erased.items())
        ]
        await self._views.insert_many(rows, session=session)

    async def lift(self, after: str, version: int, session: Session | None) -> Sequence[Shown]:
        found = self._views.find({"_id": {"$gt": after}, **NOT_ERASED}, session=session).sort("_id", ASCENDING)
        origins = ((None, version),)
        lifted = [
            as_held(row)._replace(version=version, origins=origins) for row in await found.limit(PIECE).to_list(None)
        ]
        shown = [Shown(held.customer_id, held.view()) for held in lifted]
        fields = {"version": version, "origins": origins}
        # Where their first version stood, before these were made anew, nobody knows any more.
        writes = [
            update_of({"_id": one.customer_id}, {"$set": fields | {"view": one.view.decode()}, "$unset": {"first": ""}})
            for one in shown
        ]
        if writes:
            await update_all(self._views, writes, session, [len(one.view) for one in shown])
        return shown


async def highest(name: str, documents: Documents) -> int:
    """The highest value of a field; 0 if there is none."""
    row = await documents.find_one({name: {"$gt": 0}}, {name: 1}, sort=[(name, DESCENDING)])
    return int(row[name]) if row else 0


def last_of(held: Held, erasure_id: str, position: int) -> Document:
    """The version after which there is none, as it is stored."""
    return {
        "_id": held.customer_id,
        "version": held.version,
        "changed_at": held.changed_at,
        "partition": ONE_OF_ALL,
        "position": position,
        "origins": held.origins,
        "view": held.view().decode(),
        "members": [],
        "merged_into": None,
        "restricted": False,
        "identifiers": [],
        "erased": erasure_id,
    }
