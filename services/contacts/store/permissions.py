"""What says whether we may approach customers, in MongoDB: read for thousands at once, and no more of each than that."""

from collections.abc import Collection as Many, Mapping
from typing import Any

from pymongo.read_concern import ReadConcern

from services.contacts.domain.permission import Question
from services.contacts.handlers.permitting import Allowance
from services.contacts.store.restricted import COLLECTION as RESTRICTIONS
from shared.consent import ANY
from shared.contracts.contacts import Consent, DoNotContact
from shared.erasing.tombstones import COLLECTION as ERASED
from shared.mongo import Database, Document

AT_A_TIME = 1000
"""Documents that one answer of the database holds, between which others have their turn."""
NAMES = ("consents", "do_not_contact", "territory", "owner")
READ = {name: 1 for place in ("", "place.golden.") for name in (f"{place}{one}" for one in NAMES)}


class PermissionStore:
    """Reads without a transaction: whoever is merged or answers at this moment may be answered as before it."""

    def __init__(self, database: Database) -> None:
        self._contacts = database["contacts"]
        self._identities = database.get_collection("identities", read_concern=ReadConcern("majority"))
        self._restrictions = database[RESTRICTIONS]
        self._erased = database[ERASED]

    async def owners(self, identifiers: Many[str]) -> Mapping[str, str]:
        found = self._identities.find({"_id": {"$in": list(identifiers)}}, {"customer_id": 1})
        return {row["_id"]: row["customer_id"] async for row in found.batch_size(AT_A_TIME)}

    async def roots(self, customers: Many[str]) -> Mapping[str, str]:
        found = self._contacts.find({"_id": {"$in": list(customers)}}, {"place.root": 1}).batch_size(AT_A_TIME)
        return {row["_id"]: row.get("place", {}).get("root") or row["_id"] async for row in found}

    async def allowances(self, roots: Many[str], question: Question) -> Mapping[str, Allowance]:
        found = self._contacts.find({"_id": {"$in": list(roots)}}, READ).batch_size(AT_A_TIME)
        return {row["_id"]: _allowance(row, question) async for row in found}

    async def restricted(self, roots: Many[str]) -> Many[str]:
        return await self._there(self._restrictions, roots)

    async def erased(self, customers: Many[str]) -> Many[str]:
        return await self._there(self._erased, customers)

    @staticmethod
    async def _there(collection: Any, customers: Many[str]) -> list[str]:
        return [row["_id"] async for row in collection.find({"_id": {"$in": list(customers)}}, {"_id": 1})]


def _allowance(row: Document, question: Question) -> Allowance:
    published = row.get("place", {}).get("golden") or row
    channels = {question.channel, ANY}
    consents = [
        Consent.model_validate(one)
        for one in published.get("consents", ())
        if one["purpose"] == question.purpose and one["channel"] in channels
    ]
    bars = [DoNotContact.model_validate(one) for one in published.get("do_not_contact", ())]
    return Allowance(row["_id"], consents, bars, published.get("territory"), published.get("owner"))
