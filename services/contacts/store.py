"""Contacts in MongoDB: contacts, whose identifiers are, what was said about consent, conflicts for a later merge."""

from collections.abc import Collection as Many, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from pymongo import ASCENDING, DESCENDING, InsertOne, ReplaceOne, UpdateOne
from pymongo.read_concern import ReadConcern

from services.contacts.domain.identities import Conflict
from services.contacts.domain.survivorship import Known
from services.contacts.domain.values import search
from services.contacts.handlers import Changes
from shared.contracts.contacts import Consent, Contact
from shared.mongo import Collection, Database, Document, Session, ensure_collections

Write = InsertOne[Document] | ReplaceOne[Document] | UpdateOne


class MongoStore:
    """The store of contacts. Its documents read back as what was saved, to the millisecond."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.contacts = database["contacts"]
        self.identities = database["identities"]
        # An answer given outside a transaction is kept by callers, so it must not vanish with a failing primary.
        self.settled = database.get_collection("identities", read_concern=ReadConcern("majority"))
        self.consents = database["consents"]
        self.conflicts = database["conflicts"]
        self.heard_before = database["duplicates"]

    async def prepare(self) -> None:
        """Create the collections, which transactions of two instances would race to create, and the indexes."""
        collections = (self.contacts, self.identities, self.conflicts, self.heard_before)
        await ensure_collections(self.database, [collection.name for collection in collections])
        await self.contacts.create_index("search")
        await self.consents.create_index([("customer_id", ASCENDING), ("given_at", DESCENDING), ("_id", ASCENDING)])

    async def owners(self, identifiers: Many[str], session: Session | None) -> dict[str, str]:
        if not identifiers:
            return {}
        identities = self.identities if session else self.settled
        found = identities.find({"_id": {"$in": list(identifiers)}}, session=session)
        return {row["_id"]: row["customer_id"] async for row in found}

    async def load(self, customers: Many[str], session: Session | None) -> dict[str, Known]:
        found = self.contacts.find({"_id": {"$in": list(customers)}}, session=session)
        return {row["_id"]: _known(row) async for row in found}

    async def save(self, changes: Changes, session: Session | None, now: datetime) -> None:
        contacts = [_contact_row(known) for known in changes.contacts]
        await _write(self.contacts, [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in contacts], session)
        await _write(self.identities, [InsertOne(row) for row in _identity_rows(changes.identities, now)], session)
        await _write(self.consents, [_once(_consent_row(*said, now)) for said in changes.consents], session)
        await _write(self.conflicts, [_once(_conflict_row(one, now)) for one in changes.conflicts], session)

        counted = [UpdateOne({"_id": p}, {"$inc": {"count": n}}, upsert=True) for p, n in changes.duplicates.items()]
        await _write(self.heard_before, counted, session)

    async def duplicates(self) -> int:
        return sum([row["count"] async for row in self.heard_before.find()])

    async def contact(self, customer: str) -> Contact | None:
        row = await self.contacts.find_one({"_id": customer})
        return _known(row).contact if row else None

    async def page(self, after: str, limit: int) -> list[Contact]:
        """The contacts that follow an id, in the order of registration."""
        found = self.contacts.find({"_id": {"$gt": after}}).sort("_id", ASCENDING).limit(limit)
        return [_known(row).contact async for row in found]

    async def found(self, typed: str, after: str, limit: int) -> list[Contact]:
        """The contacts that follow an id and have all the words of a name, in any script, begun or as they sound."""
        ways = [{"$and": [_has(word) for word in words]} for words in search.wanted(typed)]
        if not ways:
            return []
        found = self.contacts.find({"_id": {"$gt": after}, "$or": ways}).sort("_id", ASCENDING).limit(limit)
        return [_known(row).contact async for row in found]

    async def make_findable(self, limit: int) -> bool:
        """Give contacts kept before there was a search their keys. Whether there may be more of them."""
        rows = [row async for row in self.contacts.find({"search": None}).limit(limit)]
        keys = {row["_id"]: _keys(_known(row).contact) for row in rows}
        # Only where there are still none: what is written meanwhile knows better.
        given = [UpdateOne({"_id": place, "search": None}, {"$set": {"search": them}}) for place, them in keys.items()]
        await _write(self.contacts, given, None)
        return len(rows) == limit

    async def count(self) -> int:
        return int(await self.contacts.count_documents({}))

    async def consents_said(
        self, customer: str, before: tuple[datetime, str] | None, limit: int
    ) -> list[tuple[str, Consent]]:
        """What a customer has said about consent, the latest first, each with its place in this list."""
        wanted: dict[str, Any] = {"customer_id": customer}
        if before:
            given_at, place = before
            wanted["$or"] = [{"given_at": {"$lt": given_at}}, {"given_at": given_at, "_id": {"$gt": place}}]
        found = self.consents.find(wanted).sort([("given_at", DESCENDING), ("_id", ASCENDING)]).limit(limit)
        return [(row["_id"], Consent.model_validate(row)) async for row in found]


BASE = "base"
"""The one report there is: of all contacts."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class QualityStore:
    """The report of all contacts' quality, whose turn it is to make it, and what it is made of."""

    def __init__(self, database: Database) -> None:
        self.reports = database["quality"]
        self.contacts = database["contacts"]

    async def prepare(self) -> None:
        first = {"due": NEVER, "leased_until": NEVER, "owner": None, "report": None}
        await self.reports.update_one({"_id": BASE}, {"$setOnInsert": first}, upsert=True)

    async def claim(self, owner: str, now: datetime, lease: timedelta) -> bool:
        free = {"_id": BASE, "due": {"$lte": now}, "leased_until": {"$lte": now}}
        done = await self.reports.update_one(free, {"$set": {"owner": owner, "leased_until": now + lease}})
        return bool(done.modified_count)

    async def renew(self, owner: str, now: datetime, lease: timedelta) -> bool:
        done = await self.reports.update_one({"_id": BASE, "owner": owner}, {"$set": {"leased_until": now + lease}})
        return bool(done.matched_count)

    async def save_report(self, owner: str, report: dict[str, Any], due: datetime) -> None:
        made = {"report": report, "due": due, "leased_until": NEVER, "owner": None}
        await self.reports.update_one({"_id": BASE, "owner": owner}, {"$set": made})

    async def report(self) -> dict[str, Any] | None:
        row = await self.reports.find_one({"_id": BASE})
        return row["report"] if row else None

    async def piece(self, after: str, limit: int) -> list[Known]:
        found = self.contacts.find({"_id": {"$gt": after}}).sort("_id", ASCENDING).limit(limit)
        return [_known(row) async for row in found]

    async def one(self, customer: str) -> Known | None:
        row = await self.contacts.find_one({"_id": customer})
        return _known(row) if row else None


async def _write(collection: Collection, requests: Sequence[Write], session: Session | None) -> None:
    if requests:
        await collection.bulk_write(list(requests), ordered=False, session=session)


def _contact_row(known: Known) -> dict[str, Any]:
    row = known.contact.model_dump()
    kept = {"said": dict(known.said), "chosen": sorted(known.chosen), "search": _keys(known.contact)}
    return {"_id": row.pop("customer_id"), **row, **kept}


def _keys(contact: Contact) -> list[str]:
    """What a contact is found by: its name, and what stands before the @ of its e-mail."""
    return search.keys(contact.name, contact.email.partition("@")[0] if contact.email else None)


def _has(word: search.Word) -> dict[str, Any]:
    """Letters and digits only, so that the pattern is what it looks like, and a range of the index."""
    begun: dict[str, Any] = {"search": {"$regex": f"^{word.beginning}"}}
    return {"$or": [begun, {"search": word.sound}]} if word.sound else begun


def _known(row: dict[str, Any]) -> Known:
    said, chosen = row.pop("said"), frozenset(row.pop("chosen", ()))
    return Known(Contact.model_validate({"customer_id": row.pop("_id"), **row}), said, chosen)


def _identity_rows(identities: Mapping[str, str], now: datetime) -> list[dict[str, Any]]:
    return [{"_id": name, "customer_id": customer, "since": now} for name, customer in identities.items()]


def _consent_row(customer: str, consent: Consent, now: datetime) -> dict[str, Any]:
    said = consent.model_dump_json()
    place = sha256(f"{customer} {said}".encode()).hexdigest()
    return {"_id": place, "customer_id": customer, **consent.model_dump(), "recorded_at": now}


def _conflict_row(conflict: Conflict, now: datetime) -> dict[str, Any]:
    pair = sorted((conflict.kept, conflict.other))
    return {"_id": "|".join(pair), "customers": pair, "identifiers": list(conflict.identifiers), "seen_at": now}


def _once(row: dict[str, Any]) -> UpdateOne:
    """Keep the first of equal rows."""
    place = row.pop("_id")
    return UpdateOne({"_id": place}, {"$setOnInsert": row}, upsert=True)
