"""Customers who are one: the links between them, and the parts that their views are made of."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DeleteOne, ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from services.sync.domain.known import Known, read, written
from services.sync.domain.merging import absorbed_by
from shared.links import LinkStore

Document = dict[str, Any]
ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""A part is kept as a view is, and has no time of its own."""


def part_row(customer: str, known: Known) -> Document:
    """A part as it is kept, but for its id; beside it whom its contact speaks of too, so that an erasure finds it."""
    return {"part": written(customer, 1, ANY_TIME, known).decode(), "absorbed": sorted(absorbed_by(known.contact))}


def speaking_of(customers: Collection[str]) -> Document:
    """Parts whose contact speaks of one of these. Those written before it was kept beside them say so only inside."""
    return {"_id": {"$nin": list(customers)}, "$or": [{"absorbed": {"$in": list(customers)}}, {"absorbed": None}]}


class TreeStore(LinkStore):
    """Links, and parts: one document for each customer who is not alone at present."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        super().__init__(database)
        self.parts = database["parts"]
        self.views = database["views"]

    async def prepare(self) -> None:
        await super().prepare()
        await self.parts.create_index([("absorbed", ASCENDING)])

    async def known(self, customers: Collection[str], session: AsyncClientSession | None) -> dict[str, Known]:
        """The parts of those who were not alone so far."""
        found = self.parts.find({"_id": {"$in": list(customers)}}, session=session)
        return {document["_id"]: read(document["part"])[2] for document in await found.to_list(None)}

    async def keep(self, parts: Mapping[str, Known], gone: Iterable[str], session: AsyncClientSession | None) -> None:
        """Write these parts; forget those of whom the view says it all again."""
        writes: list[ReplaceOne[Document] | DeleteOne] = [
            ReplaceOne({"_id": customer}, part_row(customer, known), upsert=True) for customer, known in parts.items()
        ]
        writes += [DeleteOne({"_id": customer}) for customer in gone]
        if writes:
            await self.parts.bulk_write(writes, ordered=False, session=session)

    async def lanes(self, customers: Collection[str], session: AsyncClientSession | None) -> dict[str, int]:
        """In which partition's order of changes each customer stands."""
        found = self.views.find({"_id": {"$in": list(customers)}}, {"partition": 1}, session=session)
        return {document["_id"]: document["partition"] for document in await found.to_list(None)}
