"""What each channel has received and is owed, one document for each channel and customer, and how far channels are."""

import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from services.sync.domain.outgoing import Place, Progress, Receipt, Retry, Trouble
from services.sync.domain.positions import Cursor
from services.sync.handlers.deliveries import DeliveryStatus, LostLease, Settlement
from services.sync.store.writes import update_all, update_of

Document = dict[str, Any]
OWED = {"retry": {"$type": "object"}}
JUDGED = dict.fromkeys(("status", "at", "first_at", "channel"), 0)


class Seen(NamedTuple):
    """Somebody else's lease: whose it is and its last renewal, and since when, by our clock, it has been so."""

    mark: tuple[str | None, datetime | None]
    since: float


class DeliveryStore:
    """Receipts, retries, cursors and leases."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self.deliveries = database["deliveries"]
        self.progresses = database["progress"]
        self._seen: dict[str, Seen] = {}

    async def prepare(self) -> None:
        owed = [("channel", ASCENDING), ("retry.next_at", ASCENDING)]
        await self.deliveries.create_indexes([IndexModel(owed, partialFilterExpression=OWED)])
        await self.progresses.create_index("_id")

    # Leases: one instance at a time delivers to a webhook. Whoever takes over from another has seen the lease unchanged for as long
    # as it lasts, by their own clock: when a clock that both share jumps ahead, all leases would be over by it at once.

    async def lease(self, channel_id: str, owner: str, seconds: float) -> bool:
        """Take or renew it. One of somebody who has died is taken by whoever asks again and again."""
        lasts = int(seconds * 1000)
        held = {"owner": owner, "until": {"$add": ["$$NOW", lasts]}, "lasts": lasts}
        free = {"_id": channel_id, "$or": [{"owner": None}, {"owner": owner}]}
        if (await self.progresses.update_one(free, [{"$set": held}])).matched_count:
            self._seen.pop(channel_id, None)
            return True
        found = await self.progresses.find_one({"_id": channel_id}, {"owner": 1, "until": 1, "lasts": 1}) or {}
        now, mark = time.monotonic(), (found.get("owner"), found.get("until"))
        seen = self._seen.get(channel_id)
        if seen is None or seen.mark != mark:
            self._seen[channel_id] = Seen(mark, now)
            return False
        if now - seen.since < found.get("lasts", lasts) / 1000:
            return False
        del self._seen[channel_id]
        as_seen = {"_id": channel_id, "owner": mark[0], "until": mark[1]}
        return (await self.progresses.update_one(as_seen, [{"$set": held}])).matched_count == 1

    async def release(self, channel_id: str, owner: str, reach: Cursor) -> None:
        """`reach`: up to where the channel was really sent anything."""
        change: Document = {"$unset": {"owner": "", "until": "", "lasts": ""}}
        if reach:
            change["$set"] = within("reach", reach)
        await self.progresses.update_one({"_id": channel_id, "owner": owner}, change)

    # Progress

    async def progress(self, channel_id: str, session: AsyncClientSession | None = None) -> Progress:
        document = await self.progresses.find_one({"_id": channel_id}, session=session) or {}
        return as_progress(document)

    async def start_over(self, channel_id: str, cursor: Cursor, session: AsyncClientSession | None) -> None:
        """Let the channel receive again whatever lies beyond the cursor."""
        start = {"cursor": as_fields(cursor), "trouble": None}
        change = {"$set": start, "$inc": {"generation": 1}}
        await self.progresses.update_one({"_id": channel_id}, change, upsert=True, session=session)

    async def settle(self, settlement: Settlement, session: AsyncClientSession | None) -> None:
        """Store a batch's receipts and retries together with the cursor behind it. Raises LostLease."""
        s = settlement
        change: Document = {"$set": {"trouble": as_trouble(s.trouble), **within("reach", s.reach)}}
        if s.cursor:
            change["$max"] = within("cursor", s.cursor)
        conditions = {"generation": s.generation, "owner": s.owner}
        mine = {"_id": s.channel_id, **{name: value for name, value in conditions.items() if value is not None}}
        if not (await self.progresses.update_one(mine, change, session=session)).matched_count:
            raise LostLease(s.channel_id)
        got = {receipt.customer_id for receipt in s.receipts}
        writes = [delivered(s.channel_id, receipt, over=receipt.customer_id in s.retries) for receipt in s.receipts]
        writes += [owed(s.channel_id, one, retry) for one, retry in s.retries.items() if one not in got]
        if writes:
            await update_all(self.deliveries, writes, session)

    async def reach(self, channel_id: str, owner: str, ends: Cursor) -> None:
        """Put on record how far the channel may be sent anything. Raises LostLease."""
        mine = {"_id": channel_id, "owner": owner}
        if not (await self.progresses.update_one(mine, {"$set": within("reach", ends)})).matched_count:
            raise LostLease(channel_id)

    # Receipts and retries

    async def receipts(self, channel_id: str, customer_ids: Iterable[str]) -> dict[str, Receipt]:
        """What is held and owed, without what is only for people to read."""
        ids = [key(channel_id, customer_id) for customer_id in customer_ids]
        found = await self.deliveries.find({"_id": {"$in": ids}}, JUDGED).to_list(None)
        return {document["customer"]: as_receipt(document) for document in found}

    async def due(self, channel_id: str, now: datetime, limit: int) -> list[Receipt]:
        # A null is less than no date, so retries that have failed for good are not found.
        wanted = {"channel": channel_id, **OWED, "retry.next_at": {"$lte": now}}
        found = self.deliveries.find(wanted).sort("retry.next_at", ASCENDING).limit(limit)
        return [as_receipt(document) for document in await found.to_list(None)]

    async def ask_again(
        self, channel_id: str, customer_id: str, now: datetime, session: AsyncClientSession | None
    ) -> None:
        """Owe a customer to the channel once more, whatever it has."""
        retry = as_retry_document(Retry(version=0, attempt=0, next_at=now))
        change = {"$set": {"channel": channel_id, "customer": customer_id, "retry": retry}, "$inc": {"replays": 1}}
        await self.deliveries.update_one({"_id": key(channel_id, customer_id)}, change, upsert=True, session=session)

    async def suspect(
        self, pairs: Iterable[tuple[str, str]], again_at: datetime, session: AsyncClientSession | None
    ) -> None:
        """Channels that may have been sent something of a customer, though nobody has put it down: from now on each has a receipt,
        and is owed the customer's newest version.
        """
        retry = as_retry_document(Retry(version=0, attempt=0, next_at=again_at))
        rows = [
            update_of(
                {"_id": key(channel, customer)},
                {"$setOnInsert": {"channel": channel, "customer": customer, "retry": retry}},
                upsert=True,
            )
            for channel, customer in pairs
        ]
        if rows:
            await update_all(self.deliveries, rows, session)

    async def owe_nothing(self, channel_id: str) -> None:
        await self.deliveries.update_many({"channel": channel_id, **OWED}, {"$set": {"retry": None}})

    async def page(
        self, channel_id: str, after: str, limit: int, status: DeliveryStatus | None = None
    ) -> list[Receipt]:
        """A channel's deliveries by customer."""
        conditions: dict[DeliveryStatus | None, Document] = {
            None: {},
            "delivered": {"retry": None},
            "retrying": {**OWED, "retry.next_at": {"$type": "date"}},
            "failed": {**OWED, "retry.next_at": None},
        }
        of_channel = {"$gt": key(channel_id, after), "$lt": key(channel_id, "~")}
        found = self.deliveries.find({"_id": of_channel, **conditions[status]}).sort("_id", ASCENDING).limit(limit)
        return [as_receipt(document) for document in await found.to_list(None)]

    async def owed(self, channel_id: str) -> tuple[int, int]:
        """How many customers wait for another attempt, and how many have failed for good."""
        of_channel = {"channel": channel_id, **OWED}
        waiting = await self.deliveries.count_documents({**of_channel, "retry.next_at": {"$type": "date"}})
        # Counted and not subtracted: who begins to wait between two counts has not failed.
        return waiting, await self.deliveries.count_documents({**of_channel, "retry.next_at": None})


def key(channel_id: str, customer_id: str) -> str:
    return f"{channel_id}:{customer_id}"


def delivered(channel_id: str, receipt: Receipt, *, over: bool) -> Document:
    """`over`: with it whatever the channel was owed of the customer. `times` and `first_at` of the receipt are those since the last one."""
    fields: Document = {
        "version": receipt.version,
        "policy_version": receipt.policy_version,
        "generation": receipt.generation,
        "place": receipt.place,
        "stream": receipt.stream,
        "status": receipt.status,
        "at": receipt.at,
    }
    if over:
        fields["retry"] = None
    change = {
        "$set": fields,
        "$setOnInsert": {"channel": channel_id, "customer": receipt.customer_id},
        "$min": {"first_at": receipt.first_at or receipt.at},
        "$inc": {"times": receipt.times or 1},
    }
    return update_of({"_id": key(channel_id, receipt.customer_id)}, change, upsert=True)


def owed(channel_id: str, customer_id: str, retry: Retry | None) -> Document:
    """A retry, or None for one that has become pointless."""
    document = as_retry_document(retry) if retry else None
    fields = {"channel": channel_id, "customer": customer_id, "retry": document}
    return update_of({"_id": key(channel_id, customer_id)}, {"$set": fields}, upsert=retry is not None)


def as_retry_document(retry: Retry) -> Document:
    return {"version": retry.version, "attempt": retry.attempt, "next_at": retry.next_at, "error": retry.error}


def as_receipt(document: Document) -> Receipt:
    retry = document.get("retry")
    return Receipt(
        customer_id=document["customer"],
        version=document.get("version", 0),
        policy_version=document.get("policy_version", 0),
        generation=document.get("generation", 0),
        place=Place(*document.get("place", (0, 0))),
        stream=document.get("stream"),
        status=document.get("status"),
        at=document.get("at"),
        first_at=document.get("first_at"),
        times=document.get("times", 0),
        replays=document.get("replays", 0),
        retry=Retry(**retry) if retry else None,
    )


def as_progress(document: Document) -> Progress:
    trouble = document.get("trouble")
    return Progress(
        cursor=as_cursor(document.get("cursor", {})),
        generation=document.get("generation", 0),
        trouble=Trouble(**trouble) if trouble else None,
        reach=as_cursor(document.get("reach", {})),
    )


def as_cursor(document: Document) -> Cursor:
    return {int(partition): position for partition, position in document.items()}


def within(name: str, cursor: Cursor) -> Document:
    """The single positions of a cursor, as an update names them."""
    return {f"{name}.{partition}": position for partition, position in cursor.items()}


def as_fields(cursor: Cursor) -> Document:
    return {str(partition): position for partition, position in cursor.items()}


def as_trouble(trouble: Trouble | None) -> Document | None:
    return {"error": trouble.error, "since": trouble.since, "resume_at": trouble.resume_at} if trouble else None
