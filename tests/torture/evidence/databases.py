"""The services' databases, each read straight from MongoDB as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pymongo import AsyncMongoClient

from tests.torture.judge.letters import Letter, kept

Document = dict[str, Any]
SERVICES = ("contacts", "interactions", "campaigns", "scoring", "sync")
FOLLOWERS = SERVICES[1:]
"""Those who keep links as contacts tells them."""


class Databases:
    """A client that decodes times with their offset."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client: AsyncMongoClient[Document] = AsyncMongoClient(url, tz_aware=True, serverSelectionTimeoutMS=10_000)

    async def close(self) -> None:
        await self.client.close()

    def _of(self, service: str) -> Any:
        return self.client[f"rapport_{service}"]

    async def outboxes(self) -> dict[str, int]:
        return {service: await self._of(service)["outbox"].count_documents({}) for service in SERVICES}

    async def moved(self) -> dict[tuple[str, str, int], int]:
        """The first offset that has not had its effect, by group, topic and partition."""
        found = {}
        for service in SERVICES:
            async for document in self._of(service)["offsets"].find({}, {"next": 1}):
                group, topic, partition = document["_id"].rsplit(":", 2)
                found[group, topic, int(partition)] = int(document["next"])
        return found

    async def owners(self) -> list[tuple[str, str]]:
        rows = self._of("contacts")["identities"].find({}, {"customer_id": 1})
        return [(row["_id"], row["customer_id"]) async for row in rows]

    async def conflicts(self) -> int:
        return int(await self._of("contacts")["conflicts"].count_documents({}))

    async def contacts(self) -> list[Document]:
        fields = {"name": 1, "consents": 1, "version": 1, "place.into": 1, "place.root": 1, "place.members": 1}
        return [document async for document in self._of("contacts")["contacts"].find({}, fields)]

    async def history(self) -> AsyncIterator[Document]:
        fields = {"customer": 1, "kind": 1, "channel": 1, "at": 1, "event": 1, "total": 1, "order": 1}
        # Of events of the erased a digest stays, so that they are known when they are sent once more.
        async for document in self._of("interactions")["history"].find({"event": {"$exists": True}}, fields):
            yield document

    async def figures(self) -> Document:
        names = ("interactions", "orders", "duplicates", "duplicate_orders", "total")
        group: Document = {"_id": None, **{name: {"$sum": f"${name}"} for name in names}}
        cursor = await self._of("interactions")["figures"].aggregate([{"$group": group}])
        found = await cursor.to_list(None)
        return dict(found[0]) if found else dict.fromkeys(names, 0)

    async def profiles(self) -> list[Document]:
        fields = {"sales": 1, "interactions": 1, "score.purchases": 1, "contact.version": 1, "merged_into": 1, "own": 1}
        return [document async for document in self._of("campaigns")["profiles"].find({}, fields)]

    async def order_rows(self) -> tuple[int, list[tuple[str, int, object]]]:
        """How many rows, and by customer how many and their sum."""
        orders = self._of("campaigns")["orders"]
        group = {"_id": "$customer_id", "orders": {"$sum": 1}, "total": {"$sum": "$total"}}
        cursor = await orders.aggregate([{"$group": group}])
        sums = [(row["_id"], row["orders"], row["total"]) for row in await cursor.to_list(None)]
        return await orders.count_documents({}), sums

    async def links(self) -> dict[str, dict[str, str | None]]:
        """By service, into whom whoever was ever absorbed is merged."""
        return {
            service: {row["_id"]: row["into"] async for row in self._of(service)["links"].find()}
            for service in FOLLOWERS
        }

    async def tombstones(self) -> dict[str, set[str]]:
        """By service, the ids of the erased."""
        return {
            service: {row["_id"] async for row in self._of(service)["erased"].find({}, {"_id": 1})}
            for service in SERVICES
        }

    async def letters(self) -> list[Letter]:
        database = self._of("interactions")
        bodies = {body["_id"]: body async for body in database["dead_letter_bodies"].find({}, {"value": 1})}
        return [kept(note, bodies.get(note["_id"])) async for note in database["dead_letters"].find({})]
