"""Numbers of customers' links to the preference centre, and grants that wait for their confirmation, in MongoDB."""

import secrets
from collections.abc import Collection as Many, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, ReturnDocument

from services.contacts.domain.signing import NUMBER_BYTES
from services.contacts.handlers.confirming import Confirmation
from services.contacts.store.restricted import restricted
from shared.contracts.channels import ConsentClaim
from shared.contracts.fact import Identifier
from shared.mongo import Database, Document, Session, ensure_collections

LINKS, CONFIRMATIONS = "preference_links", "confirmations"


class LinkNumberStore:
    """One number a customer. It says nothing of them, and another one ends all links there are."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._links = database[LINKS]

    async def prepare(self) -> None:
        await ensure_collections(self._database, [LINKS])
        await self._links.create_index([("number", ASCENDING)], unique=True)

    async def number(self, customer: str, session: Session | None) -> bytes:
        new = {"$setOnInsert": {"number": secrets.token_bytes(NUMBER_BYTES), "since": datetime.now(UTC)}}
        kept = await self._links.find_one_and_update(
            {"_id": customer}, new, upsert=True, return_document=ReturnDocument.AFTER, session=session
        )
        assert kept is not None, "it is made where there is none"
        return bytes(kept["number"])

    async def customer(self, number: bytes, session: Session | None) -> str | None:
        row = await self._links.find_one({"number": number}, {"_id": 1}, session=session)
        return str(row["_id"]) if row else None

    async def revoke(self, customer: str, session: Session | None) -> None:
        await self._links.delete_one({"_id": customer}, session=session)


class ConfirmationStore:
    """Kept until they are over; then the consent itself says what came of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._confirmations = database[CONFIRMATIONS]

    async def prepare(self) -> None:
        await ensure_collections(self._database, [CONFIRMATIONS])
        await self._confirmations.create_index([("customer_id", ASCENDING)])
        await self._confirmations.create_index(
            [("unsent", ASCENDING), ("_id", ASCENDING)], partialFilterExpression={"unsent": True}
        )
        await self._confirmations.create_index("expires_at", expireAfterSeconds=0)

    async def confirmation(self, confirmation_id: str, session: Session | None) -> Confirmation | None:
        row = await self._confirmations.find_one({"_id": confirmation_id}, session=session)
        return _confirmation(row) if row else None

    async def waiting_of(self, customers: Many[str], now: datetime, session: Session | None) -> Sequence[Confirmation]:
        wanted = {"customer_id": {"$in": list(customers)}, "confirmed_at": None, "expires_at": {"$gt": now}}
        return [_confirmation(row) async for row in self._confirmations.find(wanted, session=session)]

    async def add(self, one: Confirmation, session: Session | None) -> None:
        row = dict(vars(one)) | {"claims": [claim.model_dump(exclude_none=True) for claim in one.claims]}
        row |= {"to": one.to.model_dump()} if one.to else {}
        await self._confirmations.insert_one(
            {"_id": row.pop("confirmation_id"), **row, "unsent": True}, session=session
        )

    async def confirmed(self, confirmation_id: str, at: datetime, session: Session | None) -> None:
        done: Document = {"$set": {"confirmed_at": at}, "$unset": {"unsent": ""}}
        await self._confirmations.update_one({"_id": confirmation_id}, done, session=session)

    async def sent(self, confirmation_id: str) -> bool:
        """Whether there is such a one."""
        done: Document = {"$set": {"sent": True}, "$unset": {"unsent": ""}}
        return bool((await self._confirmations.update_one({"_id": confirmation_id}, done)).matched_count)

    async def unsent(self, after: str, now: datetime, limit: int) -> Sequence[Confirmation]:
        wanted: dict[str, Any] = {"unsent": True, "_id": {"$gt": after}, "expires_at": {"$gt": now}}
        found = self._confirmations.find(wanted).sort("_id", ASCENDING).limit(limit)
        return [_confirmation(row) async for row in found]

    async def restricted(self, roots: Many[str]) -> Many[str]:
        return await restricted(self._database, roots)


def _confirmation(row: Document) -> Confirmation:
    return Confirmation(
        confirmation_id=row["_id"],
        customer_id=row["customer_id"],
        claims=tuple(ConsentClaim.model_validate(one) for one in row["claims"]),
        source=row["source"],
        asked_at=row["asked_at"],
        expires_at=row["expires_at"],
        confirmed_at=row.get("confirmed_at"),
        to=Identifier.model_validate(row["to"]) if row.get("to") else None,
    )
