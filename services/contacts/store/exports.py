"""Contacts as they are read for a file."""

from collections.abc import Collection as Many

from services.contacts.domain.access import Rows
from services.contacts.domain.survivorship import Known
from services.contacts.handlers.exporting import Asked
from services.contacts.store.finding import whoever_fits
from services.contacts.store.restricted import restricted
from services.contacts.store.rows import read_known
from services.contacts.store.wanted import EXAMINED, FEW, WantedStore, all_of
from shared.mongo import Database, Session


class ExportStore:
    """Pages of contacts. `few` and `examined` as in `WantedStore`."""

    def __init__(self, database: Database, few: int = FEW, examined: int = EXAMINED) -> None:
        self.contacts = database["contacts"]
        self.having = WantedStore(database, few, examined)

    async def piece(self, after: str, limit: int, asked: Asked, rows: Rows) -> tuple[list[Known], str | None]:
        named = whoever_fits(asked.typed) if asked.typed is not None else None
        if asked.only is not None:
            conditions = [{"_id": asked.only, "place.root": None}, all_of(asked.wanted, rows), named or {}]
            return [read_known(row) async for row in self.contacts.find({"$and": conditions})], None
        page, next_ = await self.having.page(asked.wanted, after, limit, rows, named)
        return [read_known(row) for row in page], next_

    async def restricted(self, customers: Many[str], session: Session | None = None) -> set[str]:
        return await restricted(self.contacts.database, customers, session)

    async def load(self, customers: Many[str]) -> dict[str, Known]:
        return {row["_id"]: read_known(row) async for row in self.contacts.find({"_id": {"$in": list(customers)}})}
