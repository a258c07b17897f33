"""Who calls: API keys, the table of valid ones that every service keeps in memory, and the scopes routes ask for.

A key is 256 random bits, so a plain SHA-256 of it is safe to keep: there is nothing to guess with a dictionary.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.contracts.fact import Fact
from shared.contracts.sync import KeyIssued, KeyRevoked
from shared.http.problems import Problem

KEY = re.compile(r"rk_([0-9a-z]{1,32})_[A-Za-z0-9_-]{43}")
EVERYTHING = "*"
PURPOSE_HEADER = "X-Purpose"
PURPOSE = re.compile(r"[\x20-\x7e\xa0-\xff]{1,200}")
"""A header is Latin-1. It ends up in the audit trail, which is kept for ever: a sentence, not a document."""
bearer = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    bearerFormat="rk_<key id>_<secret>",
    description="An API key with scopes. `POST /v1/keys` makes one and shows it once.",
)


@dataclass(frozen=True)
class Principal:
    """Who makes a request, and what they may do."""

    key_id: str
    name: str
    kind: Literal["channel", "person", "service"]
    scopes: frozenset[str]
    channel_id: str | None = None
    territories: frozenset[str] = frozenset()
    """The only territories whose contacts the key may see; empty: all."""
    owners: frozenset[str] = frozenset()
    """Likewise of owners."""
    purpose: str | None = None
    """What the request is for, as its `X-Purpose` says."""

    @property
    def limited(self) -> bool:
        """Whether there are contacts that the key must not see."""
        return bool(self.territories or self.owners)

    def may(self, scope: str) -> bool:
        return EVERYTHING in self.scopes or scope in self.scopes


ADMIN = Principal(key_id="admin", name="admin", kind="person", scopes=frozenset({EVERYTHING}))


def new_key() -> tuple[str, str, str]:
    """A new key: its id, the key itself (to be shown once and never kept), and its hash."""
    key_id = secrets.token_hex(6)
    key = f"rk_{key_id}_{secrets.token_urlsafe(32)}"
    return key_id, key, key_sha256(key)


def key_sha256(key: str) -> str:
    """The hash of a whole key, `rk_` included: what `printf %s "$KEY" | sha256sum` prints."""
    return hashlib.sha256(key.encode()).hexdigest()


class KeyTable:
    """The keys that are valid now. Fed with the facts of `crm.access`, in any order and any number of times."""

    def __init__(self, admin_sha256: str | None = None) -> None:
        self._admin_sha256 = admin_sha256.lower() if admin_sha256 else None
        self._issued: dict[str, KeyIssued] = {}
        self._revoked: set[str] = set()

    def apply(self, fact: Fact) -> None:
        match fact:
            case KeyRevoked():
                self._revoked.add(fact.key_id)
                self._issued.pop(fact.key_id, None)
            case KeyIssued() if fact.key_id not in self._revoked:
                self._issued[fact.key_id] = fact
            case _:
                pass  # no fact about keys, or the repeated issue of a revoked one: revoked it stays

    def principal(self, key: str) -> Principal | None:
        """Who holds this key; None if it is not, or no longer, valid."""
        digest = key_sha256(key)
        if self._admin_sha256 and hmac.compare_digest(digest, self._admin_sha256):
            return ADMIN
        parts = KEY.fullmatch(key)
        issued = self._issued.get(parts[1]) if parts else None
        if issued is None or not hmac.compare_digest(digest, issued.secret_sha256):
            return None
        return _principal(issued)


def _principal(issued: KeyIssued) -> Principal:
    return Principal(
        issued.key_id,
        issued.name,
        issued.kind,
        frozenset(issued.scopes),
        issued.channel_id,
        frozenset(issued.territories),
        frozenset(issued.owners),
    )


def require(scope: str, *others: str, rows: bool = False) -> Callable[..., Awaitable[Principal]]:
    """The dependency of a guarded route: `principal: Annotated[Principal, Depends(require("contacts:write"))]`.

    Any one of the `others` is as good. A key that is limited to some contacts is let in only where the route says with `rows`
    that it shows it no others.
    """

    # A coroutine, because FastAPI sends plain functions through a thread pool.
    async def authorised(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer, scopes=[scope])]
    ) -> Principal:
        keys: KeyTable | None = request.app.state.keys
        principal = keys.principal(credentials.credentials) if keys and credentials else None
        if principal is None:
            raise _unauthenticated(wrong=credentials is not None)
        if not any(map(principal.may, (scope, *others))):
            raise lacks(scope)
        if principal.limited and not rows:
            raise Problem(403, detail="The key is limited to some contacts, and this is about others as well.")
        purpose = request.headers.get(PURPOSE_HEADER)
        return replace(principal, purpose=_purpose(purpose)) if purpose else principal

    return authorised


async def _documented(
    purpose: Annotated[
        str | None, Header(alias=PURPOSE_HEADER, description="What it is needed for. Kept in the audit trail.")
    ] = None,
) -> None:
    """Nothing to do: FastAPI shows the header in the OpenAPI document."""


TAKES_PURPOSE = Depends(_documented)
"""For routes whose use is audited."""


def _purpose(text: str) -> str:
    if not PURPOSE.fullmatch(text):
        raise Problem(
            422, "Invalid request", errors=[(f"header.{PURPOSE_HEADER}", "is at most 200 printable characters")]
        )
    return text


def _unauthenticated(*, wrong: bool) -> Problem:
    challenge = 'Bearer realm="rapport"' + (', error="invalid_token"' if wrong else "")
    detail = "The key is not valid." if wrong else "Send a key as `Authorization: Bearer rk_...`."
    return Problem(401, detail=detail, headers={"www-authenticate": challenge})


def lacks(scope: str) -> Problem:
    """What a caller is told whose key does not have a scope."""
    challenge = f'Bearer realm="rapport", error="insufficient_scope", scope="{scope}"'
    return Problem(403, detail=f"The key lacks the scope `{scope}`.", headers={"www-authenticate": challenge})
