"""Contacts in MongoDB: contacts, whose identifiers are, what was said about consent, conflicts for a later merge."""

from collections.abc import Collection as Many, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, InsertOne, ReplaceOne, UpdateOne
from pymongo.read_concern import ReadConcern

from services.contacts.domain.access import EVERYBODY, Rows
from services.contacts.domain.barring import Listed
from services.contacts.domain.lifecycle import Course
from services.contacts.domain.merging import Merge
from services.contacts.domain.survivorship import Known
from services.contacts.domain.traits import Wanted
from services.contacts.domain.values.found import At, Found
from services.contacts.handlers import Changes
from services.contacts.handlers.rulebook import Rulebook
from services.contacts.store import finding, upgrading
from services.contacts.store.barring import ListStore
from services.contacts.store.history import HistoryStore
from services.contacts.store.restricted import restricted
from services.contacts.store.rows import (
    conflict_row,
    consent_row,
    contact_row,
    identity_rows,
    merge_row,
    once,
    read_known,
    read_merge,
    read_stages,
)
from services.contacts.store.ruling import RuleStore
from services.contacts.store.searching import Search
from services.contacts.store.secret import Secret
from services.contacts.store.sight import SIGHT, seen
from services.contacts.store.wanted import EXAMINED, FEW
from shared.contracts.contacts import Consent, Contact
from shared.mongo import Collection, Database, Document, Session, ensure_collections

Write = InsertOne[Document] | ReplaceOne[Document] | UpdateOne


class MongoStore:
    """The store of contacts. Its documents read back as what was saved, to the millisecond."""

    def __init__(
        self, database: Database, secret: Secret | None = None, few: int = FEW, examined: int = EXAMINED
    ) -> None:
        self.database = database
        self.few, self.examined = few, examined
        self.lists = ListStore(database, secret or Secret(database))
        self.contacts = database["contacts"]
        self.identities = database["identities"]
        # An answer given outside a transaction is kept by callers, so it must not vanish with a failing primary.
        self.settled = database.get_collection("identities", read_concern=ReadConcern("majority"))
        self.consents = database["consents"]
        self.conflicts = database["conflicts"]
        self.merges = database["merges"]
        self.heard_before = database["duplicates"]
        self.history = HistoryStore(database)
        self.rulebook = Rulebook(RuleStore(database).all)

    async def prepare(self) -> None:
        """Create the collections, which transactions of two instances would race to create, and the indexes."""
        collections = (self.contacts, self.identities, self.conflicts, self.merges, self.heard_before)
        await ensure_collections(self.database, [collection.name for collection in collections])
        await self.contacts.create_index(finding.BY_NAME)
        await self.history.prepare()
        await self.lists.prepare()
        await self.consents.create_index([("customer_id", ASCENDING), ("given_at", DESCENDING), ("_id", ASCENDING)])
        # Nearly nobody was merged into somebody, so counting those is cheap.
        await self.contacts.create_index("place.root", sparse=True)
        # Conflicts are few.
        await self.conflicts.create_index("customers")
        for path in SIGHT:
            # Who has no territory and no owner costs nothing.
            await self.contacts.create_index(
                [(path, ASCENDING), ("_id", ASCENDING)], partialFilterExpression={path: {"$gt": ""}}
            )
        await self.merges.create_index([("customers", ASCENDING), ("_id", DESCENDING)])

    async def owners(self, identifiers: Many[str], session: Session | None) -> dict[str, str]:
        if not identifiers:
            return {}
        identities = self.identities if session else self.settled
        found = identities.find({"_id": {"$in": list(identifiers)}}, session=session)
        return {row["_id"]: row["customer_id"] async for row in found}

    async def load(self, customers: Many[str], session: Session | None) -> dict[str, Known]:
        wanted = {"_id": {"$in": list(customers)}}
        found = await self.contacts.find(wanted, session=session).batch_size(len(customers) + 1).to_list(None)
        return {row["_id"]: read_known(row) for row in found}

    async def courses(self, customers: Many[str], session: Session | None) -> dict[str, Course]:
        """What was heard of these customers' life cycles, each by itself; unknown ones are absent."""
        wanted, only = {"_id": {"$in": list(customers)}}, {"course": 1, "stage": 1, "said.stage": 1}
        found = await self.contacts.find(wanted, only, session=session).batch_size(len(customers) + 1).to_list(None)
        return {row["_id"]: read_stages(row) for row in found}

    async def restricted(self, customers: Many[str], session: Session | None) -> set[str]:
        """Those of them whose data are kept and must not be used."""
        return await restricted(self.contacts.database, customers, session)

    async def save(self, changes: Changes, session: Session | None, now: datetime) -> None:
        contacts = [await self._row(known) for known in changes.contacts]
        await _write(self.contacts, [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in contacts], session)
        await _write(self.identities, [InsertOne(row) for row in identity_rows(changes.identities, now)], session)
        await _write(self.consents, [once(consent_row(*said, now)) for said in changes.consents], session)
        await _write(self.conflicts, [once(conflict_row(one, now)) for one in changes.conflicts], session)
        await self.history.add(changes.history, session)
        merges = [merge_row(merge) for merge in changes.merges]
        await _write(self.merges, [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in merges], session)

        counted = [UpdateOne({"_id": p}, {"$inc": {"count": n}}, upsert=True) for p, n in changes.duplicates.items()]
        await _write(self.heard_before, counted, session)

    async def _row(self, known: Known) -> Document:
        return contact_row(known) | {"reached_by": await self.lists.digests(known.contact)}

    async def listed(self, contacts: Many[Contact], session: Session | None) -> Mapping[str, Sequence[Listed]]:
        return await self.lists.listed(contacts, session)

    async def duplicates(self) -> int:
        return sum([row["count"] async for row in self.heard_before.find()])

    async def contact(self, customer: str) -> Contact | None:
        row = await self.contacts.find_one({"_id": customer})
        if row and (root := row.get("place", {}).get("root")):
            row = await self.contacts.find_one({"_id": root})
        return read_known(row).published if row else None

    async def page(self, after: str, limit: int, rows: Rows = EVERYBODY) -> list[Contact]:
        """The contacts that follow an id, in the order of registration, without those merged into others."""
        wanted = {"_id": {"$gt": after}, "place.root": None, **seen(rows)}
        found = self.contacts.find(wanted).sort("_id", ASCENDING).limit(limit)
        return [read_known(row).published async for row in found]

    async def found(
        self, typed: str, after: At | None, limit: int, rows: Rows = EVERYBODY, wanted: Sequence[Wanted] = ()
    ) -> Found:
        """The contacts that have all the words of a name, and all else that is wanted, those that fit best first, of equal
        ones the elder.

        Where nobody is found, on no page, those follow who may have been meant. A page may have fewer than the limit and not be
        the last: where more than a name is asked, so many are looked at and no more.
        """
        search = Search(self.contacts, typed, wanted, rows, self.few, self.examined)
        page, next_ = await search.page(after, limit)
        return Found([read_known(row).published for _, row in page], next_)

    async def make_findable(self, limit: int) -> bool:
        """Give contacts kept before there were these keys theirs. Whether there may be more of them."""
        return await upgrading.give_keys(self.contacts, limit) or await upgrading.give_digests(self.contacts, limit)

    async def count(self, rows: Rows = EVERYBODY) -> int:
        """Customers; whoever was merged into another is none of their own."""
        if not rows.all:
            return int(await self.contacts.count_documents({"place.root": None, **seen(rows)}))
        absorbed = await self.contacts.count_documents({"place.root": {"$gt": ""}})
        return int(await self.contacts.count_documents({})) - int(absorbed)

    async def merge(self, merge_id: str, session: Session | None) -> Merge | None:
        row = await self.merges.find_one({"_id": merge_id}, session=session)
        return read_merge(row) if row else None

    async def merges_of(self, customers: Many[str], before: str | None, limit: int) -> list[Merge]:
        """The merges of these customers, the latest first."""
        wanted: dict[str, Any] = {"customers": {"$in": list(customers)}} | ({"_id": {"$lt": before}} if before else {})
        return [read_merge(row) async for row in self.merges.find(wanted).sort("_id", DESCENDING).limit(limit)]

    async def consents_said(
        self, customers: Many[str], before: tuple[datetime, str] | None, limit: int
    ) -> list[tuple[str, Consent]]:
        """What these customers have said about consent, the latest first, each with its place in this list."""
        wanted: dict[str, Any] = {"customer_id": {"$in": list(customers)}}
        if before:
            given_at, place = before
            wanted["$or"] = [{"given_at": {"$lt": given_at}}, {"given_at": given_at, "_id": {"$gt": place}}]
        found = self.consents.find(wanted).sort([("given_at", DESCENDING), ("_id", ASCENDING)]).limit(limit)
        return [(row["_id"], Consent.model_validate(row)) async for row in found]


async def _write(collection: Collection, requests: Sequence[Write], session: Session | None) -> None:
    if requests:
        await collection.bulk_write(list(requests), ordered=False, session=session)
