"""Campaigns and their customers in MongoDB, and the lease under which one instance at a time launches a campaign."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import DuplicateKeyError

from services.campaigns.domain.campaign import Arm, Campaign
from services.campaigns.domain.handover import Why
from services.campaigns.handlers.campaigns import Selection
from services.campaigns.handlers.errors import AlreadyThere
from services.campaigns.handlers.handing import Drawn, Note
from services.campaigns.handlers.launching import Lease, LeaseLost
from services.campaigns.handlers.looking import KeptBack
from services.campaigns.store.campaign_documents import (
    campaign_of,
    document,
    end_of,
    held,
    note_of,
    noted,
    prefix_of,
    selection_of,
    told_of,
)
from shared import mongo
from shared.mongo import Database, Document, ensure_collections

PAGE = 1000
REBUILDING = "rebuilding"
"""In `moved` as long as profiles are made anew (`deploy.local.rebuilding`): nobody is drawn or handed over meanwhile."""
HOLDS: Document = {"$add": [{"$ifNull": ["$holds", 0]}, 1]}


class CampaignStore:
    """Collections `campaigns` and `selections`."""

    def __init__(self, database: Database, lease: timedelta) -> None:
        self._database = database
        self._campaigns = database["campaigns"]
        self._selections = database["selections"]
        self._lease_ms = int(lease.total_seconds() * 1000)
        # A launch that was never held has no such field, and what is missing sorts before every time.
        self._unheld: Document = {"$expr": mongo.lapsed("$held_until", self._lease_ms)}

    async def prepare(self) -> None:
        await ensure_collections(self._database, ["selections", "moved"])
        await self._campaigns.create_index([("created_at", -1), ("_id", -1)])
        await self._campaigns.create_index("state")
        # Of hardly anybody; who is erased is found by it in the rows of others.
        await self._selections.create_index("held_out_with", sparse=True)
        # Of those who wait, or are withheld.
        await self._selections.create_index("kept_back.due", sparse=True)
        await self._selections.create_index([("kept_back.campaign", 1), ("kept_back.due", 1)], sparse=True)

    async def add(self, campaign: Campaign, session: Any = None) -> None:
        try:
            await self._campaigns.insert_one(document(campaign), session=session)
        except DuplicateKeyError as taken:
            raise AlreadyThere("campaign", campaign.campaign_id) from taken

    async def get(self, campaign_id: str, session: Any = None) -> Campaign | None:
        found = await self._campaigns.find_one({"_id": campaign_id}, session=session)
        return campaign_of(found) if found else None

    async def page(self, after: tuple[datetime, str] | None, limit: int) -> list[Campaign]:
        asked: Document = {}
        if after is not None:
            at, campaign_id = after
            asked = {"$or": [{"created_at": {"$lt": at}}, {"created_at": at, "_id": {"$lt": campaign_id}}]}
        found = self._campaigns.find(asked).sort([("created_at", -1), ("_id", -1)]).limit(limit)
        return [campaign_of(one) async for one in found]

    async def close(self, campaign: Campaign, session: Any = None) -> None:
        change = {"state": campaign.state, "closed_at": campaign.closed_at}
        await self._campaigns.update_one({"_id": campaign.campaign_id}, {"$set": change}, session=session)

    async def customers(self, campaign_id: str, after: str | None, limit: int, arm: Arm | None) -> list[Selection]:
        prefix = await self._drawn_rows(campaign_id)
        asked: Document = {"_id": {"$gt": prefix + (after or ""), "$lt": end_of(prefix)}}
        if arm is not None:
            asked["arm"] = arm
        found = self._selections.find(asked).sort("_id", 1).limit(limit)
        return [selection_of(one) async for one in found]

    async def drawn_page(
        self, campaign_id: str, after: str | None, limit: int, arm: Arm | None, kept_back: KeptBack | None
    ) -> list[Drawn]:
        campaign = await self._campaigns.find_one({"_id": campaign_id})
        if campaign is None or "drawn_in" not in campaign:
            return []
        prefix, told = prefix_of(campaign_id, campaign["drawn_in"]), told_of(campaign)
        asked: Document = {"_id": {"$gt": prefix + (after or ""), "$lt": end_of(prefix)}}
        if arm is not None:
            asked["arm"] = arm
        if kept_back is not None:
            name = "kept_back.due" if kept_back == "waiting" else "kept_back.why"
            asked |= {"kept_back.campaign": campaign_id, name: {"$exists": True}}
        found = self._selections.find(asked).sort("_id", 1).limit(limit)
        return [Drawn(selection_of(row), note_of(row), told(row["customer_id"])) async for row in found]

    async def selected(self, campaign_id: str, customer_ids: Collection[str]) -> list[Selection]:
        prefix = await self._drawn_rows(campaign_id)
        found = self._selections.find({"_id": {"$in": [prefix + one for one in customer_ids]}})
        return [selection_of(one) async for one in found]

    async def open(self, now: datetime, session: Any = None) -> list[Campaign]:
        drawn = {"state": {"$in": ["launching", "launched"]}, "respond_until": {"$gt": now}}
        return [campaign_of(one) async for one in self._campaigns.find(drawn, session=session)]

    async def drawn(self, campaign_id: str, customer_ids: Collection[str], session: Any = None) -> list[Drawn]:
        campaign = await self._campaigns.find_one({"_id": campaign_id}, session=session)
        if campaign is None or "drawn_in" not in campaign:
            return []
        prefix, told = prefix_of(campaign_id, campaign["drawn_in"]), told_of(campaign)
        found = self._selections.find({"_id": {"$in": [prefix + one for one in customer_ids]}}, session=session)
        return [Drawn(selection_of(row), note_of(row), told(row["customer_id"])) async for row in found]

    async def note(self, campaign_id: str, notes: Mapping[str, Note], contacted: int, session: Any = None) -> None:
        # What was never counted stays so: nothing added to a missing figure is none.
        counted = {"$set": {"holds": HOLDS, "contacted": {"$add": ["$contacted", contacted]}}}
        written = await self._campaigns.find_one_and_update({"_id": campaign_id}, [counted], session=session)
        assert written is not None, "campaigns are never deleted"
        prefix = prefix_of(campaign_id, written["drawn_in"])
        writes = [UpdateOne({"_id": prefix + one}, noted(campaign_id, note)) for one, note in notes.items()]
        if writes:
            await self._selections.bulk_write(writes, ordered=False, session=session)

    async def next_due(self, now: datetime, besides: Collection[str]) -> str | None:
        due: Document = {"kept_back.due": {"$lte": now}, "kept_back.campaign": {"$nin": list(besides)}}
        row = await self._selections.find_one(due, {"kept_back": 1}, sort=[("kept_back.due", 1)])
        return row["kept_back"]["campaign"] if row else None

    async def take_due(
        self, campaign_id: str, now: datetime, limit: int, session: Any = None
    ) -> tuple[Campaign, list[Drawn]]:
        campaign = await self.get(campaign_id, session)
        assert campaign is not None, "campaigns are never deleted"
        due = {"kept_back.campaign": campaign_id, "kept_back.due": {"$lte": now}}
        found = self._selections.find(due, session=session).sort("kept_back.due", 1).limit(limit)
        return campaign, [Drawn(selection_of(row), note_of(row)) async for row in found]

    async def kept_back(self, campaign_ids: Collection[str]) -> dict[str, dict[Why | None, int]]:
        theirs = {"$match": {"kept_back.campaign": {"$in": list(campaign_ids)}}}
        by = {"_id": {"campaign": "$kept_back.campaign", "why": "$kept_back.why"}, "customers": {"$sum": 1}}
        figures: dict[str, dict[Why | None, int]] = {}
        for one in await mongo.aggregate(self._selections, [theirs, {"$group": by}]):
            figures.setdefault(one["_id"]["campaign"], {})[one["_id"].get("why")] = one["customers"]
        return figures

    async def resting(self) -> bool:
        return await self._database["moved"].find_one({"_id": REBUILDING}) is not None

    async def moved(self, session: Any = None) -> None:
        await self._database["moved"].update_one({"_id": "links"}, {"$inc": {"times": 1}}, upsert=True, session=session)

    async def all_customers(self, campaign_id: str) -> AsyncIterator[list[Selection]]:
        after: str | None = None
        while page := await self.customers(campaign_id, after, PAGE, None):
            yield page
            after = page[-1].customer_id

    async def _drawn_rows(self, campaign_id: str) -> str:
        found = await self._campaigns.find_one({"_id": campaign_id}, {"drawn_in": 1})
        return prefix_of(campaign_id, found["drawn_in"] if found and "drawn_in" in found else 0)

    async def begin(self, campaign_id: str, session: Any) -> None:
        change = {"$set": {"state": "launching", "attempt": 0}}
        await self._campaigns.update_one({"_id": campaign_id, "state": "draft"}, change, session=session)

    async def unfinished(self) -> list[str]:
        """Launches that nobody holds, the oldest first."""
        found = self._campaigns.find({"state": "launching", **self._unheld}, {"_id": 1}).sort("created_at", 1)
        return [one["_id"] async for one in found]

    async def claim(self, campaign_id: str) -> Lease | None:
        """The lease by the database's own clock, so that instances need not agree on the time."""
        taken = await self._campaigns.find_one_and_update(
            {"_id": campaign_id, "state": "launching", **self._unheld},
            [{"$set": {"attempt": {"$add": ["$attempt", 1]}, "held_until": {"$add": ["$$NOW", self._lease_ms]}}}],
            return_document=ReturnDocument.AFTER,
        )
        return Lease(campaign_of(taken), taken["attempt"], drawn="drawn_in" in taken) if taken else None

    async def release(self, lease: Lease) -> None:
        await self._campaigns.update_one(held(lease), {"$unset": {"held_until": ""}})

    async def discard_draws_before(self, lease: Lease) -> None:
        """Only attempts before this one: should this lease be lost already, nothing of its successor is touched."""
        for attempt in range(1, lease.attempt):
            prefix = prefix_of(lease.campaign.campaign_id, attempt)
            await self._selections.delete_many({"_id": {"$gt": prefix, "$lt": end_of(prefix)}})

    async def add_drawn(self, lease: Lease, rows: Sequence[Selection], session: Any) -> None:
        await self._renew(lease, {}, session)
        prefix = prefix_of(lease.campaign.campaign_id, lease.attempt)
        drawn = [{"_id": prefix + row.customer_id, "customer_id": row.customer_id, "arm": row.arm} for row in rows]
        await self._selections.insert_many(drawn, ordered=False, session=session)

    async def fix_draw(self, lease: Lease, campaign: Campaign, session: Any) -> None:
        names = ("launched_at", "respond_until", "treated", "held_out", "contacted")
        figures = {name: getattr(campaign, name) for name in names}
        await self._renew(lease, {"drawn_in": lease.attempt, "told_through": "", **figures}, session)

    async def take_untold(self, lease: Lease, limit: int, session: Any) -> list[Selection]:
        known = await self._campaigns.find_one(held(lease), session=session)
        if known is None:
            raise LeaseLost
        prefix = prefix_of(lease.campaign.campaign_id, known["drawn_in"])
        asked = {"_id": {"$gt": prefix + known["told_through"], "$lt": end_of(prefix)}}
        found = self._selections.find(asked, session=session).sort("_id", 1).limit(limit)
        rows = [selection_of(one) async for one in found]
        await self._renew(lease, {"told_through": rows[-1].customer_id} if rows else {}, session)
        return rows

    async def finish(self, lease: Lease, session: Any) -> None:
        await self._renew(lease, {"state": "launched"}, session)

    async def _renew(self, lease: Lease, change: Document, session: Any) -> None:
        """Every step writes the campaign, so two steps of two holders can never both commit."""
        renewed = [{"$set": {**change, "held_until": {"$add": ["$$NOW", self._lease_ms]}}}]
        done = await self._campaigns.update_one(held(lease), renewed, session=session)
        if done.matched_count != 1:
            raise LeaseLost
