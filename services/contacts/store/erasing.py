"""What contacts keeps of a customer, and the ledger of all erasures.

A new collection that says something about customers gets a line in `STEPS`; any other is named in `HOLDS_NONE`.
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, UpdateOne

from services.contacts.domain.erasure import Erasure, PlaceState, Traces
from services.contacts.handlers.erasing import Restriction
from services.contacts.store.documents import BUCKET, COLLECTION as DOCUMENTS
from services.contacts.store.erased_names import COLLECTION as NAMES, ErasedNames
from services.contacts.store.history import COLLECTION as CHANGES, erase as erase_changes
from services.contacts.store.imports import FILES, ROWS, SAMPLES
from services.contacts.store.secret import Secret
from shared.audit import COLLECTION as AUDIT, WHO_ASKED
from shared.contracts.erasures import Kept
from shared.erasing import Delete, Step, Work, by
from shared.erasing.steps import PIECE
from shared.messaging import Unit
from shared.mongo import Database, Document, Session, ensure_collections

DOCUMENTS_AT_A_TIME = 20
"""Of 15 MB at most: some 1,200 chunks in one transaction."""


class Changed:
    """Changes under the customer's id go; one of somebody who is left and whose part the customer was stays without any value."""

    collections = (CHANGES,)

    async def begin(self, work: Work) -> None:
        """They come one by one."""

    async def piece(self, unit: Unit, work: Work) -> int:
        changes = unit.database[CHANGES]
        wanted = {"customers": {"$in": list(work.customers)}, "erased": None}
        rows = [row["_id"] async for row in changes.find(wanted, {"_id": 1}, session=unit.session).limit(PIECE)]
        if rows:
            await erase_changes(changes, {"_id": {"$in": rows}}, work.customers, unit.session)
        return len(rows)


class Documented:
    """Documents go with their bytes. `documents` first: it names the step in receipts."""

    collections = (DOCUMENTS, f"{BUCKET}.files", f"{BUCKET}.chunks")

    async def begin(self, work: Work) -> None:
        """They are found by index."""

    async def piece(self, unit: Unit, work: Work) -> int:
        wanted = by("customer_id")(work.customers)
        rows = unit.database[DOCUMENTS].find(wanted, {"_id": 1}, session=unit.session).limit(DOCUMENTS_AT_A_TIME)
        ids = [row["_id"] async for row in rows]
        if ids:
            await unit.database[f"{BUCKET}.chunks"].delete_many({"files_id": {"$in": ids}}, session=unit.session)
            for name in (f"{BUCKET}.files", DOCUMENTS):
                await unit.database[name].delete_many({"_id": {"$in": ids}}, session=unit.session)
        return len(ids)


class Filed:
    """Rows of files: those that were not taken, and samples. Known by what the customer is known by, where they have no id."""

    collections = (ROWS, SAMPLES)

    async def begin(self, work: Work) -> None:
        """They are found by index."""

    async def piece(self, unit: Unit, work: Work) -> int:
        row = await unit.database["erasures"].find_one({"_id": work.erasure_id}, {"traces": 1}, session=unit.session)
        theirs: list[Document] = [by("names")((row or {}).get("traces", {}).get("names", ()))]
        removed = 0
        for name in self.collections:
            rows = unit.database[name]
            found = rows.find({"$or": theirs}, {"_id": 1}, session=unit.session).limit(PIECE)
            ids = [row["_id"] async for row in found]
            if ids:
                await rows.delete_many({"_id": {"$in": ids}}, session=unit.session)
            removed += len(ids)
            theirs.append(by("customer_id")(work.customers))
        return removed


STEPS: tuple[Step, ...] = (
    Delete("contacts"),
    Delete("identities", by("customer_id")),
    Delete("consents", by("customer_id")),
    Delete("conflicts", by("customers")),
    Delete("merges", by("customers")),
    Delete("restrictions"),
    Delete("match_records"),
    Delete("match_pairs", by("customers")),
    Changed(),
    Documented(),
    Filed(),
    Delete("document_beats"),
    Delete("hierarchies"),
    Delete("preference_links"),
    Delete("confirmations", by("customer_id")),
)
"""And `store.unlinking`: links that others have to the customer."""
AT_ONCE = {"contacts", "identities", "merges"}
"""A few hundred documents at most, without which nobody finds the customer."""
HOLDS_NONE = {
    "erasures": "the ledger: ids, and until interactions and contacts are done how the customer may be named in what was refused",
    "quality": "figures of all contacts",
    "duplicates": "counts",
    "notes": "leases",
    "match_models": "how often values are among all contacts, by their digests",
    "matching": "limits, and how far contacts have been followed",
    "mappings": "how files are read",
    "imports": "figures of imports, and the names of files",
    FILES: "files as they were sent, for a week; the place `log` is open until those from before are gone",
    "rehearsed_contacts": "what a dry run would write, for a day; likewise",
    "rehearsed_identities": "likewise",
    NAMES: "what the erased were known by, as keyed digests that name nobody, until the place `log` is done",
    "forms": "forms on the web",
    "do_not_contact": "addresses that are not to be contacted, as keyed digests that name nobody; an objection outlives an erasure",
    "secrets": "what this service signs with",
    "fields": "what the company has defined",
    "upgrades": "how far what an earlier release had not is given to its contacts",
    "survivorship": "the rules by which it is decided what holds of a field",
    "reassignments": "owners and territories, and how far each is got",
    AUDIT: WHO_ASKED,
}


class ErasureStore:
    """Collections `erasures` and `restrictions`."""

    def __init__(self, database: Database, secret: Secret | None = None) -> None:
        self._database = database
        self._erasures = database["erasures"]
        self._restrictions = database["restrictions"]
        self._names = ErasedNames(database, secret)

    async def prepare(self) -> None:
        await self._names.prepare()
        await ensure_collections(self._database, ["erasures", "restrictions"])
        await self._erasures.create_index([("done_at", ASCENDING), ("_id", DESCENDING)])
        await self._database["identities"].create_index([("customer_id", ASCENDING)])

    async def erasure(self, erasure_id: str, session: Session | None) -> Erasure | None:
        row = await self._erasures.find_one({"_id": erasure_id}, {"traces": 0}, session=session)
        return read(row) if row else None

    async def begin(self, erasure: Erasure, traces: Traces, session: Session | None) -> None:
        kept = {name: sorted(listed) for name, listed in vars(traces).items()}
        await self._erasures.insert_one(_row(erasure) | {"traces": kept}, session=session)
        await self._names.put(erasure.erasure_id, traces.names, erasure.requested_at, session)

    async def update(self, erasure: Erasure, *, drop_traces: bool, drop_names: bool, session: Session | None) -> None:
        row = _row(erasure)
        change: Document = {"$set": {"places": row["places"], "done_at": row["done_at"]}}
        if drop_traces:
            change["$unset"] = {"traces": ""}
        await self._erasures.update_one({"_id": erasure.erasure_id}, change, session=session)
        if drop_names:
            await self._names.forget(erasure.erasure_id, session)

    async def unfinished(self) -> AsyncIterator[Erasure]:
        async for row in self._erasures.find({"done_at": None}, {"traces": 0}).sort("_id", ASCENDING):
            yield read(row)

    async def page(self, after: str | None, limit: int, *, done: bool | None) -> list[Erasure]:
        """The newest first."""
        wanted: dict[str, Any] = {"_id": {"$lt": after}} if after else {}
        if done is not None:
            wanted["done_at"] = {"$ne": None} if done else None
        found = self._erasures.find(wanted, {"traces": 0}).sort("_id", DESCENDING).limit(limit)
        return [read(row) async for row in found]

    async def traces(self, erasure_id: str) -> Traces | None:
        row = await self._erasures.find_one({"_id": erasure_id}, {"traces": 1})
        if row is None or "traces" not in row:
            return None
        return Traces(frozenset(row["traces"]["identifiers"]), frozenset(row["traces"]["texts"]))

    async def vacate(self, customers: Collection[str], session: Session | None) -> dict[str, int]:
        removed = {}
        for step in STEPS:
            if isinstance(step, Delete) and step.collection in AT_ONCE:
                rows = self._database[step.collection]
                gone = await rows.delete_many(step.where(list(customers)), session=session)
                removed[step.collection] = gone.deleted_count
        return {name: count for name, count in removed.items() if count}

    async def restrict(self, customers: Collection[str], restriction: Restriction, session: Session | None) -> None:
        rows = [UpdateOne({"_id": one}, {"$setOnInsert": asdict(restriction)}, upsert=True) for one in customers]
        await self._restrictions.bulk_write(rows, ordered=False, session=session)

    async def lift(self, customers: Collection[str], session: Session | None) -> None:
        await self._restrictions.delete_many({"_id": {"$in": list(customers)}}, session=session)

    async def restricted(self, customers: Collection[str], session: Session | None) -> dict[str, Restriction]:
        found = self._restrictions.find({"_id": {"$in": list(customers)}}, session=session)
        return {row.pop("_id"): Restriction(**row) async for row in found}


def _row(erasure: Erasure) -> Document:
    row = dict(vars(erasure))
    places = [vars(one) | {"kept": [kept.model_dump() for kept in one.kept]} for one in erasure.places]
    customers = list(erasure.customers)
    return {
        "_id": row.pop("erasure_id"),
        **row,
        "customers": customers,
        "places": places,
        "done_at": erasure.done_at,
    }


def read(row: Document) -> Erasure:
    places = tuple(_place(one) for one in row.pop("places"))
    del row["done_at"]
    row.pop("traces", None)
    ids = {"customers": tuple(row["customers"]), "leads": tuple(row.get("leads", ()))}
    return Erasure(erasure_id=row.pop("_id"), **row | ids, places=places)


def _place(row: Document) -> PlaceState:
    at: datetime | None = row["at"]
    kept = tuple(Kept.model_validate(one) for one in row["kept"])
    return PlaceState(row["place"], row["since"], at, dict(row["removed"]), kept)
