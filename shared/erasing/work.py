"""Carrying erasures out: heard, emptied at once, emptied again when nothing can be under way any more, then receipted.

A transaction or an answer in a cache that knows nothing of the erasure yet may still write. Such a transaction ends within
a minute and such an answer is looked at again in seconds, so the second look finds what they have left behind.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog
from pymongo import ASCENDING

from shared import metrics
from shared.contracts.contacts import ContactErased
from shared.contracts.erasures import ERASURES, ErasureDone, Kept
from shared.erasing.steps import Answers, Step, Work
from shared.erasing.tombstones import Forget, Tombstones, nothing_by_heart
from shared.logging import whereabouts
from shared.messaging import Received, Unit
from shared.messaging.subscription import Apply
from shared.mongo import Database, Document, Session, ensure_collections

log = structlog.get_logger(__name__)
COLLECTION = "erasing"
LOOK_SECONDS = 1.0
SETTLE = timedelta(minutes=5)
"""Far longer than any transaction lives (a minute, MongoDB's `transactionLifetimeLimitSeconds`) and than two looks at the
tombstones lie apart.
"""
HEARD_AHEAD: Document = {"$expr": {"$gt": ["$heard_at", "$$NOW"]}}
"""Heard while the server's clock was ahead: the time begins anew, or it would last until then."""


class Transactions(Protocol):
    async def transact(self, change: Callable[[Unit], Awaitable[Any]]) -> Any: ...


@dataclass(frozen=True)
class Terms:
    """When a service says that it is done, and what it keeps."""

    settle: timedelta = SETTLE
    kept: Callable[[datetime, dict[str, int]], list[Kept]] = lambda _, __: []
    """As of now, by what was removed."""


class Erasing:
    """One service's part of all erasures."""

    def __init__(
        self,
        place: str,
        database: Database,
        transactions: Transactions,
        steps: Sequence[Step],
        terms: Terms | None = None,
        forget: Forget = nothing_by_heart,
    ) -> None:
        """`forget`: drop what this process knows of customers by heart."""
        self.place = place
        self.tombstones = Tombstones(database, forget)
        self._database = database
        self._works = database[COLLECTION]
        self._transactions = transactions
        self._steps = [*steps, Answers()]
        self._terms = terms or Terms()

    async def prepare(self) -> None:
        await ensure_collections(self._database, [COLLECTION])
        await self._works.create_index([("done_at", ASCENDING)])
        await self.tombstones.prepare()

    def beside(self, apply: Apply) -> Apply:
        """The same handler, but for erasures, which are heard here, and for what is told of the erased, which nobody hears."""

        async def apart(unit: Unit, events: Sequence[Received]) -> None:
            if erasures := [event for event in events if type(event.fact) is ContactErased]:
                await self.hear(unit, erasures)
                events = [event for event in events if type(event.fact) is not ContactErased]
            if gone := self.tombstones.among(event.subject for event in events):
                left = [event for event in events if event.subject not in gone]
                metrics.SKIPPED.labels(unit.group or unit.service, "erased").inc(len(events) - len(left))
                events = left
            if events:
                await apply(unit, events)

        return apart

    async def hear(self, unit: Unit, events: Sequence[Received]) -> None:
        """That customers are to be erased (`crm.contact.erased.v1`); under each of their ids once."""
        for event in events:
            fact: ContactErased = event.fact
            await self.take(fact, [event.subject], unit.session)

    async def take(
        self,
        fact: ContactErased,
        heard: Collection[str],
        session: Session | None,
        removed: Mapping[str, int] | None = None,
    ) -> None:
        """Put it down in the transaction; the work is done outside of it. `removed`: what the transaction has done of it."""
        now = datetime.now(UTC)
        self.tombstones.heard(fact.customers, now)
        await self.tombstones.put(fact.customers, fact.erasure_id, now, session)
        first: Document = {"customers": fact.customers, "removed": dict(removed or {}), "done_at": None}
        change = {"$setOnInsert": first, **_now("heard_at"), "$addToSet": {"heard": {"$each": list(heard)}}}
        await self._works.update_one({"_id": fact.erasure_id}, change, upsert=True, session=session)

    async def carry_out(self) -> None:
        """For as long as the service runs. Several instances may do so: each piece is one's, and so is the receipt."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """What is new is emptied, what has settled is emptied again and receipted."""
        await self.tombstones.look()
        await self._works.update_many({"done_at": None, **HEARD_AHEAD}, _now("heard_at"))
        for row in await self._works.find({"done_at": None}).to_list(None):
            try:
                await self._carry_on(row)
            except Exception as error:  # noqa: BLE001 - those behind it have the same deadline
                name, place = type(error).__name__, whereabouts(error)
                log.error("erasure_not_carried_out", erasure_id=row["_id"], error=name, at=place)

    async def _carry_on(self, row: Document) -> None:
        work = Work(row["_id"], row["customers"])
        if row.get("emptied_at", row["heard_at"]) <= row["heard_at"]:
            await self._empty(work)
            await self._works.update_one({"_id": row["_id"]}, _now("emptied_at"))
        elif set(row["heard"]) >= set(row["customers"]) and await self._settled(row):
            await self._empty(work)
            await self._transactions.transact(partial(self._receipt, work))

    async def _settled(self, row: Document) -> bool:
        """By the server's clock, because instances' own may differ."""
        settled = {"$add": ["$heard_at", int(self._terms.settle.total_seconds() * 1000)]}
        over: Document = {"_id": row["_id"], "$expr": {"$lte": [settled, "$$NOW"]}}
        return await self._works.find_one(over, {"_id": 1}) is not None

    async def _empty(self, work: Work) -> None:
        for step in self._steps:
            await step.begin(work)
            while await self._transactions.transact(partial(self._piece, step, work)):
                """Each piece waits for the database, and so lets everything else have its turn."""

    async def _piece(self, step: Step, work: Work, unit: Unit) -> int:
        """Counted in the transaction that removes it."""
        removed = await step.piece(unit, work)
        if removed:
            counted = {f"removed.{step.collections[0]}": removed}
            await self._works.update_one({"_id": work.erasure_id}, {"$inc": counted}, session=unit.session)
        return removed

    async def _receipt(self, work: Work, unit: Unit) -> None:
        """Once, whoever comes first."""
        now = datetime.now(UTC)
        row = await self._works.find_one_and_update(
            {"_id": work.erasure_id, "done_at": None}, {"$set": {"done_at": now}}, session=unit.session
        )
        if row is None:
            return
        removed = row["removed"]
        kept = self._terms.kept(now, removed)
        fact = ErasureDone(erasure_id=work.erasure_id, place=self.place, at=now, removed=removed, kept=kept)
        unit.publish(ERASURES, fact, key=work.erasure_id)
        log.info("erasure_done", erasure_id=work.erasure_id, place=self.place, removed=sum(removed.values()))


def _now(field_name: str) -> Document:
    """Of an update: this field becomes the server's time."""
    return {"$currentDate": {field_name: True}}
