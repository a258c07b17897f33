"""Lists of those who are not to be contacted, in MongoDB: addresses as digests, each with when it has to be held against contacts."""

from collections.abc import Collection as Many, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pymongo import ASCENDING, DeleteOne, UpdateOne

from services.contacts.domain.barring import Listed, addresses, digest
from services.contacts.domain.hearsay import LEAD
from services.contacts.domain.survivorship import Known
from services.contacts.handlers.barring import Bar, Size
from services.contacts.store.rows import read_known
from services.contacts.store.secret import Secret
from shared.contracts.contacts import Contact
from shared.contracts.fact import Identifier
from shared.leases import Lease, MongoLease
from shared.mongo import Database, Document, Session, aggregate, ensure_collections

COLLECTION = "do_not_contact"
PURPOSE = "addresses"
SECOND_LOOK = timedelta(minutes=2)
"""A contact that was written while the entry was, in a transaction that did not see it, is found then: none lasts so long."""


class Due(NamedTuple):
    """An entry that has to be held against the contacts there are."""

    place: str
    digest: bytes
    look_at: datetime
    again: bool
    """There is another look after this one."""
    ended: bool


class ListStore:
    """The lists. `reached_by` of a contact are the digests of its addresses."""

    def __init__(self, database: Database, secret: Secret) -> None:
        self._database = database
        self._entries = database[COLLECTION]
        self._contacts = database["contacts"]
        self._secret = secret
        self.lease: Lease = MongoLease(database, "do-not-contact-lease")

    async def prepare(self) -> None:
        await ensure_collections(self._database, [COLLECTION])
        await self._entries.create_index([("digest", ASCENDING)])
        await self._entries.create_index([("look_at", ASCENDING)], sparse=True)
        await self._entries.create_index([("list", ASCENDING)])
        await self._entries.create_index([("until", ASCENDING)], partialFilterExpression={"until": {"$type": "date"}})
        await self._contacts.create_index([("reached_by", ASCENDING)])
        await self._secret.key(PURPOSE)

    async def digests(self, contact: Contact) -> list[bytes]:
        key = await self._secret.key(PURPOSE)
        return [digest(key, one) for one in sorted(addresses(contact))]

    async def listed(self, contacts: Many[Contact], session: Session | None) -> Mapping[str, Sequence[Listed]]:
        """What the lists say of each of these contacts; of whom nothing, is absent."""
        of = {one.customer_id: await self.digests(one) for one in contacts}
        wanted = {"digest": {"$in": [one for digests in of.values() for one in digests]}, "ended": None}
        found: dict[bytes, list[Listed]] = {}
        async for row in self._entries.find(wanted, session=session):
            found.setdefault(bytes(row["digest"]), []).append(_listed(row))
        if not found:
            return {}
        return {
            customer: [entry for one in digests for entry in found.get(one, ())] for customer, digests in of.items()
        }

    async def put(self, bar: Bar, addressed: Iterable[tuple[str, str]], now: datetime) -> None:
        """Addresses, each with its channel. What is on the list already is brought up to date."""
        key = await self._secret.key(PURPOSE)
        await self._write(_put(bar, channel, digest(key, address), now) for address, channel in addressed)

    async def end(self, name: str, addressed: Iterable[tuple[str, str]], now: datetime) -> None:
        """Take addresses with their channels off a list. They count for nothing from now on; the job lifts what followed from them."""
        key = await self._secret.key(PURPOSE)
        ended = {"$set": {"ended": now, "look_at": now, "again": True}}
        await self._write(
            UpdateOne({"_id": _place(name, channel, digest(key, address))}, ended) for address, channel in addressed
        )

    async def due(self, now: datetime, limit: int) -> Sequence[Due]:
        found = self._entries.find({"look_at": {"$lte": now}}).sort("look_at", ASCENDING).limit(limit)
        return [
            Due(row["_id"], bytes(row["digest"]), row["look_at"], row.get("again", False), "ended" in row)
            async for row in found
        ]

    async def reached(self, digests: Many[bytes], after: str, limit: int) -> Sequence[str]:
        """The customers who have any of these addresses, in the order of their ids."""
        wanted = {"reached_by": {"$in": list(digests)}, "_id": {"$gt": after}}
        found = self._contacts.find(wanted, {"_id": 1}).sort("_id", ASCENDING).limit(limit)
        return [row["_id"] async for row in found]

    async def having(self, place: Identifier, limit: int, session: Session | None) -> Sequence[Known]:
        """Contacts, each by itself, who have this address; so many at most, in no order."""
        wanted = {"reached_by": digest(await self._secret.key(PURPOSE), str(place))}
        return [read_known(row) async for row in self._contacts.find(wanted, session=session).limit(limit)]

    async def leads(self, places: Many[str], but: Many[str], limit: int, session: Session | None) -> Sequence[str]:
        """Contacts, each by itself, who have any of these addresses and of whom a form has spoken."""
        key = await self._secret.key(PURPOSE)
        wanted = {"reached_by": {"$in": [digest(key, one) for one in places]}, "identifiers.scheme": LEAD}
        found = self._contacts.find(wanted | {"_id": {"$nin": list(but)}}, {"_id": 1}, session=session).limit(limit)
        return [row["_id"] async for row in found]

    async def looked(self, due: Sequence[Due]) -> None:
        """These are done with; unless somebody has changed them meanwhile."""
        await self._write(_looked(one) for one in due)

    async def forget(self, now: datetime) -> None:
        """Not by the database itself, which does not know the time of a history that is played."""
        await self._entries.delete_many({"until": {"$type": "date", "$lte": now}})

    async def sizes(self, now: datetime) -> Mapping[str, Size]:
        stands = {"$eq": [{"$ifNull": ["$ended", None]}, None]}
        counted = {
            "entries": stands,
            "ahead": {"$and": [stands, {"$gt": ["$since", now]}]},
            "waiting": {"$ifNull": ["$again", False]},
        }
        count = {name: {"$sum": {"$cond": [asked, 1, 0]}} for name, asked in counted.items()}
        found = await aggregate(self._entries, [{"$group": {"_id": "$list"} | count}, {"$sort": {"_id": 1}}])
        return {row.pop("_id"): Size(**row) for row in found}

    async def without_digests(self, limit: int) -> Sequence[str]:
        """Customers kept before there were lists."""
        found = self._contacts.find({"reached_by": None}, {"_id": 1}).limit(limit)
        return [row["_id"] async for row in found]

    async def _write(self, writes: Iterable[Any]) -> None:
        if listed := list(writes):
            await self._entries.bulk_write(listed, ordered=False)


def _place(name: str, channel: str, digested: bytes) -> str:
    return f"{name}|{channel}|{digested.hex()}"


def _put(bar: Bar, channel: str, digested: bytes, now: datetime) -> UpdateOne:
    """What is in force goes on since when it was: whoever sends a later time frees nobody meanwhile."""
    lasts = {"$or": [{"$eq": [{"$ifNull": ["$until", None]}, None]}, {"$gt": ["$until", now]}]}
    stands = {"$eq": [{"$ifNull": ["$ended", None]}, None]}
    # What an entry lacks, because there is none yet, would be less than any time.
    begun = {"$and": [{"$eq": [{"$type": "$since"}, "date"]}, {"$lte": ["$since", now]}]}
    held = {"$cond": [{"$and": [begun, stands, lasts]}, "$since", bar.since]} if bar.since else "$since"
    told: Document = {
        "list": bar.name,
        "channel": channel,
        "digest": digested,
        "reason": bar.reason,
        "since": {"$min": [held, bar.since or now]},
        "until": bar.until,
        "look_at": now,
        "again": True,
    }
    place = {"_id": _place(bar.name, channel, digested)}
    return UpdateOne(place, [{"$set": told}, {"$unset": "ended"}], upsert=True)


def _looked(one: Due) -> UpdateOne | DeleteOne:
    same = {"_id": one.place, "look_at": one.look_at}
    if one.again:
        return UpdateOne(same, {"$set": {"look_at": one.look_at + SECOND_LOOK}, "$unset": {"again": ""}})
    return DeleteOne(same) if one.ended else UpdateOne(same, {"$unset": {"look_at": ""}})


def _listed(row: Document) -> Listed:
    return Listed(row["list"], bytes(row["digest"]), row["channel"], row["reason"], row["since"], row["until"])
