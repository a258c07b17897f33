"""Of a customer's record: what was said of them, what they are known by, and what is attached."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from services.contacts.domain.known import Candidate
from services.contacts.store.documents import COLLECTION as DOCUMENTS
from services.contacts.store.rows import read_known
from shared.held import Item, Piece, Section, by_id, having, whole
from shared.mongo import Database, Document


def contact(database: Database) -> Section:
    about = (
        "Who you are to us: what was said of you under each id that we know you by, when each field was said and by whom, and "
        "what all of it makes together."
    )
    return Section("contact", about, by_id(database["contacts"], having("_id"), _contact))


def _contact(document: Document) -> Item:
    known = read_known(document)
    item: dict[str, Any] = {"said": known.contact.model_dump(mode="json", exclude_none=True), "when": dict(known.said)}
    if known.tellers:
        item["told_by"] = {place: teller._asdict() for place, teller in known.tellers.items()}
    if known.also:
        item["also_said"] = [_also_said(place, one) for place, others in known.also.items() for one in others]
    if known.place.golden:
        item["together"] = known.place.golden.model_dump(mode="json", exclude_none=True)
    if known.place.into:
        item |= {"part_of": known.place.into, "since": known.place.since}
    if known.course:
        item["stages"] = [mark._asdict() for mark in known.course]
    if known.faults:
        item["kept_out"] = {name: fault._asdict() for name, fault in known.faults.items()}
    return item


def _also_said(place: str, one: Candidate) -> Item:
    value = one.value.model_dump(mode="json", exclude_none=True) if isinstance(one.value, BaseModel) else one.value
    return {"field": place, "value": value, "said_at": one.at, **one.teller._asdict()}


def identifiers(database: Database) -> Section:
    return Section("identifiers", "What channels know you by, and since when.", _Identifiers(database).read)


class _Identifiers:
    """Those of each contact are in it; since when they are known stands beside whose they are. One piece: a few hundred at most."""

    def __init__(self, database: Database) -> None:
        self._contacts = database["contacts"]
        self._identities = database["identities"]

    async def read(self, customers: Sequence[str], place: str | None, limit: int) -> Piece:  # noqa: ARG002
        rows = self._contacts.find({"_id": {"$in": list(customers)}}, {"identifiers": 1})
        names = [f"{one['scheme']}:{one['value']}" async for row in rows for one in row["identifiers"]]
        found = self._identities.find({"_id": {"$in": names}}).sort("_id", 1)
        return [whole(row) async for row in found], None


def documents(database: Database) -> Section:
    about = "Documents that are attached to your record. The export as an archive (`zip`) has them all."
    return Section("documents", about, by_id(database[DOCUMENTS], having("customer_id"), whole))
