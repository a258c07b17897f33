"""What a dry run writes: kept beside the contacts, so that its later rows see what its earlier ones would have done."""

from collections.abc import Collection as Many, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pymongo import ReplaceOne

from services.contacts.domain.barring import Listed
from services.contacts.domain.merging import Merge
from services.contacts.domain.survivorship import Known
from services.contacts.handlers import Changes, Store
from services.contacts.store.rows import contact_row, read_known
from shared.contracts.contacts import Contact
from shared.mongo import Database, Document, Session

CONTACTS, IDENTITIES = "rehearsed_contacts", "rehearsed_identities"
COLLECTIONS = (CONTACTS, IDENTITIES)
KEPT = timedelta(days=1)
"""If nobody clears up: a dry run that dies is taken over within a minute."""


def of_import(import_id: str) -> Document:
    """Every document of an import, whose ids begin with its own and a bar; after that comes a curly bracket."""
    return {"_id": {"$gt": f"{import_id}|", "$lt": f"{import_id}}}"}}


async def forget(database: Database, import_id: str) -> None:
    for name in COLLECTIONS:
        await database[name].delete_many(of_import(import_id))


class Rehearsal:
    """A store of contacts that reads through to the real one, and writes nowhere else."""

    def __init__(self, database: Database, import_id: str, real: Store) -> None:
        self.contacts = database[CONTACTS]
        self.identities = database[IDENTITIES]
        self.real = real
        self.rulebook = real.rulebook
        self.prefix = f"{import_id}|"

    async def owners(self, identifiers: Many[str], session: Session | None) -> dict[str, str]:
        known = await self.real.owners(identifiers, session)
        unknown = [self.prefix + name for name in identifiers if name not in known]
        found = self.identities.find({"_id": {"$in": unknown}}, session=session)
        return known | {row["_id"].removeprefix(self.prefix): row["customer_id"] async for row in found}

    async def load(self, customers: Many[str], session: Session | None) -> dict[str, Known]:
        known = await self.real.load(customers, session)
        wanted = [self.prefix + customer for customer in customers]
        found = self.contacts.find({"_id": {"$in": wanted}}, session=session)
        return known | {one.contact.customer_id: one for one in [self._known(row) async for row in found]}

    async def save(self, changes: Changes, session: Session | None, now: datetime) -> None:  # noqa: ARG002
        until = datetime.now(UTC) + KEPT
        contacts = [self._placed(contact_row(known), until) for known in changes.contacts]
        identities = [
            self._placed({"_id": name, "customer_id": customer}, until) for name, customer in changes.identities.items()
        ]
        for collection, rows in ((self.contacts, contacts), (self.identities, identities)):
            writes = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows]
            if writes:
                await collection.bulk_write(writes, ordered=False, session=session)

    async def listed(self, contacts: Many[Contact], session: Session | None) -> Mapping[str, Sequence[Listed]]:
        return await self.real.listed(contacts, session)

    async def contact(self, customer: str) -> Contact | None:
        return await self.real.contact(customer)

    async def merge(self, merge_id: str, session: Session | None) -> Merge | None:
        return await self.real.merge(merge_id, session)

    def _known(self, row: Document) -> Known:
        del row["expires_at"]
        return read_known({**row, "_id": row["_id"].removeprefix(self.prefix)})

    def _placed(self, row: Document, until: datetime) -> Document:
        return {**row, "_id": self.prefix + row["_id"], "expires_at": until}
