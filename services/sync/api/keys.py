"""The routes of API keys."""

from typing import Annotated, Protocol

from fastapi import APIRouter, Depends

from services.sync.api.bodies import IssuedKey, NewKey
from services.sync.handlers.keys import ApiKey, Keys
from shared.http import Cursor, Limit, Page, encode_cursor, text_of
from shared.messaging import Messaging
from shared.security import Principal, require

Writer = Annotated[Principal, Depends(require("keys:write"))]


class IssuedKeys(Protocol):
    async def page(self, after: str, limit: int) -> list[ApiKey]: ...


def router(keys: Keys, issued: IssuedKeys, messaging: Messaging) -> APIRouter:
    routes = APIRouter(prefix="/v1/keys", tags=["keys"])

    # No Idempotency-Key here: it would keep the answer, and the answer is the secret.
    @routes.post("", status_code=201, summary="Issue a key, shown this once")
    async def issue_key(writer: Writer, body: NewKey) -> IssuedKey:
        """Nobody can give away a scope that they do not hold. Services know the key within a second."""
        key, secret = await messaging.transact(lambda unit: keys.issue(unit, body, by=writer))
        return IssuedKey(**key.model_dump(), key=secret)

    @routes.get("", summary="List keys")
    async def list_keys(_: Writer, cursor: Cursor = None, limit: Limit = 100) -> Page[ApiKey]:
        items = await issued.page(text_of(cursor, "after") or "", limit)
        following = encode_cursor({"after": items[-1].key_id}) if len(items) == limit else None
        return Page(items=items, next=following)

    @routes.delete("/{key_id}", status_code=204, summary="Revoke a key")
    async def revoke_key(_: Writer, key_id: str) -> None:
        await messaging.transact(lambda unit: keys.revoke(unit, key_id))

    return routes
