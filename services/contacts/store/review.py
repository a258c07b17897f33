"""Pairs who may be one in MongoDB, as a person sees and decides them."""

from collections.abc import Collection as Many
from typing import Any

from pymongo import ASCENDING, DESCENDING

from services.contacts.domain.hearsay import LEAD
from services.contacts.handlers.proposals import Decided, Pair, Wanted
from services.contacts.store.match_rows import read_pair
from services.contacts.store.matching import MatchStore
from services.contacts.store.restricted import restricted
from shared.mongo import Session


class ReviewStore:
    """The queue, and what was decided of it."""

    def __init__(self, store: MatchStore) -> None:
        self.store = store

    async def any_restricted(self, customers: Many[str], session: Session | None) -> bool:
        return bool(await restricted(self.store.contacts.database, customers, session))

    async def of_forms(self, customers: Many[str]) -> set[str]:
        """Those of these of whom, or of whose parts, a form has spoken."""
        spoken = [{f"{place}identifiers.scheme": LEAD} for place in ("", "place.golden.")]
        found = self.store.contacts.find({"_id": {"$in": list(customers)}, "$or": spoken}, {"_id": 1})
        return {row["_id"] async for row in found}

    async def pair(self, name: str, session: Session | None) -> Pair | None:
        row = await self.store.pairs.find_one({"_id": name}, session=session)
        return read_pair(row) if row else None

    async def decide(self, name: str, decided: Decided, session: Session | None) -> None:
        change = {"state": decided.state, "decided": vars(decided)}
        await self.store.pairs.update_one({"_id": name}, {"$set": change}, session=session)

    async def wanted(self, session: Session | None = None) -> Wanted:
        return await self.store.wanted(session)

    async def want(self, wanted: Wanted, session: Session | None) -> None:
        await self.store.want(wanted, session)

    async def queue(self, after: tuple[float | None, str] | None, limit: int) -> list[Pair]:
        """The open pairs that follow one, the most probable first, those that cannot be compared last."""
        wanted: dict[str, Any] = {"state": "open"}
        if after is not None:
            probability, name = after
            same = {"probability": probability, "_id": {"$gt": name}}
            # Null comes after every number.
            less = [{"probability": {"$lt": probability}}, {"probability": None}] if probability is not None else []
            wanted["$or"] = [same, *less]
        found = self.store.pairs.find(wanted).sort([("probability", DESCENDING), ("_id", ASCENDING)]).limit(limit)
        return [read_pair(row) async for row in found]

    async def compared(self) -> tuple[int, int]:
        """Contacts that have been compared with what is known and wanted now, and how many there are. Looks at every record."""
        records = {"mark": await self.store.mark()}
        compared = await self.store.records.count_documents(records)
        return compared, await self.store.contacts.count_documents({"place.root": None})

    async def count(self) -> int:
        return int(await self.store.pairs.count_documents({"state": "open"}))
