"""API keys: issuing and revoking them, and telling every service."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.contracts.fact import Code, Key, Name
from shared.contracts.sync import ACCESS, KeyIssued, KeyRevoked
from shared.messaging import Unit
from shared.security import Principal, new_key

Scope = Annotated[str, Field(pattern=r"^([a-z-]{1,40}:[a-z]{1,20}|\*)$")]

LIMITED_SCOPES = frozenset(
    ("contacts:read", "contacts:write", "contacts:merge", "contacts:sensitive", "contacts:export", "privacy:export")
)
"""Those whose routes know rows of contacts. All others are about customers without looking at whose they are."""


class KeyRequest(BaseModel):
    """Who is to have a key and what for."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    kind: Literal["channel", "person", "service"]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=50)]
    channel_id: Code | None = None
    territories: Annotated[list[Code], Field(max_length=50, description="Limits the key to contacts of these.")] = []
    owners: Annotated[list[Key], Field(max_length=50, description="Limits the key to contacts of these.")] = []


class ApiKey(BaseModel):
    """A key without its secret."""

    key_id: str
    name: str
    kind: Literal["channel", "person", "service"]
    scopes: list[str]
    channel_id: str | None = None
    territories: list[str] = []
    owners: list[str] = []
    issued_at: AwareDatetime
    revoked_at: AwareDatetime | None = None


class ScopeNotHeld(Exception):
    """Nobody can give away what they do not have."""

    def __init__(self, index: int, scope: str) -> None:
        super().__init__(f"you do not hold the scope {scope!r} yourself")
        self.index = index


class ScopeNotLimited(Exception):
    """A key that is limited to some contacts cannot have a scope that shows all of them."""

    def __init__(self, index: int, scope: str) -> None:
        super().__init__(f"{scope!r} shows all customers, so a key with territories or owners cannot have it")
        self.index = index


class KeyNotFound(Exception):
    """There is no such key."""


class KeyStore(Protocol):
    async def add(self, key: ApiKey, session: Any) -> None: ...

    async def revoke(self, key_id: str, at: datetime, session: Any) -> bool | None: ...


class Keys:
    def __init__(self, store: KeyStore, now: Callable[[], datetime]) -> None:
        self.store = store
        self.now = now

    async def issue(self, unit: Unit, request: KeyRequest, by: Principal) -> tuple[ApiKey, str]:
        """The key's record, and the key itself, which is never to be had again. Raises ScopeNotHeld, ScopeNotLimited."""
        for index, scope in enumerate(request.scopes):
            if not by.may(scope):
                raise ScopeNotHeld(index, scope)
            if (request.territories or request.owners) and scope not in LIMITED_SCOPES:
                raise ScopeNotLimited(index, scope)
        key_id, secret, sha256 = new_key()
        key = ApiKey(key_id=key_id, issued_at=self.now(), **request.model_dump())
        await self.store.add(key, unit.session)
        told = KeyIssued(secret_sha256=sha256, **key.model_dump(exclude={"revoked_at"}))
        unit.publish(ACCESS, told, key=key_id)
        return key, secret

    async def revoke(self, unit: Unit, key_id: str) -> None:
        """Raises KeyNotFound. Revoking once more changes nothing."""
        now = self.now()
        match await self.store.revoke(key_id, now, unit.session):
            case True:
                unit.publish(ACCESS, KeyRevoked(key_id=key_id, revoked_at=now), key=key_id)
            case None:
                raise KeyNotFound(key_id)
