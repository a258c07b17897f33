"""Forms in MongoDB, each with the secret that signs when it was opened."""

import secrets
from datetime import UTC, datetime

from pymongo import ASCENDING

from services.contacts.domain.forms import Form
from services.contacts.handlers.forms import Registered
from shared.mongo import Database, ensure_collections


class FormStore:
    """The store of forms."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.forms = database["forms"]

    async def prepare(self) -> None:
        await ensure_collections(self.database, [self.forms.name])

    async def save_form(self, name: str, form: Form, by: str) -> None:
        """A form that is open on somebody's screen stays valid: the secret is the first one's."""
        told = {"form": form.model_dump_json(by_alias=True), "saved_by": by, "saved_at": datetime.now(UTC)}
        first = {"secret": secrets.token_bytes(32)}
        await self.forms.update_one({"_id": name}, {"$set": told, "$setOnInsert": first}, upsert=True)

    async def form(self, name: str) -> Registered | None:
        row = await self.forms.find_one({"_id": name})
        return Registered(name, Form.model_validate_json(row["form"]), row["secret"]) if row else None

    async def form_names(self, after: str, limit: int) -> list[str]:
        found = self.forms.find({"_id": {"$gt": after}}, {"_id": 1}).sort("_id", ASCENDING).limit(limit)
        return [row["_id"] async for row in found]

    async def delete_form(self, name: str) -> bool:
        return bool((await self.forms.delete_one({"_id": name})).deleted_count)
