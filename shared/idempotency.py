"""Writes over HTTP that may be sent twice: the answer is kept in the transaction that makes the change.

The answer is stored as sent, so an answer that shows a secret must not go through here. One that not everybody may see goes
through `again` before it is given once more: a day is long enough for a key to lose a scope, and each look is a look.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from shared.http.problems import Problem
from shared.messaging import Messaging, Unit
from shared.mongo import Database
from shared.security import Principal

HEADER = "idempotency-key"
COLLECTION = "idempotency"
KEPT_FOR = timedelta(hours=24)

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="Any text unique to this write. The same key and body again change nothing and get the same answer.",
    ),
]
Again = Callable[[str], Awaitable[BaseModel]]
"""A kept body, as JSON, and what of it is shown to whoever has sent the request once more."""


class Answer(NamedTuple):
    """What a write answers."""

    status: int
    body: BaseModel | None = None
    headers: Mapping[str, str] = {}


async def _documented(key: Key = None) -> None:
    """Nothing to do: FastAPI checks the header's form and shows it in the OpenAPI document."""


TAKES_KEY = Depends(_documented)
"""For the decorator of a route that answers through `idempotent`: `dependencies=[TAKES_KEY]`."""


async def prepare(database: Database) -> None:
    """Create the index that forgets old answers."""
    await database[COLLECTION].create_index("expires_at", expireAfterSeconds=0)


def answering(
    body: type[BaseModel], change: Callable[[Unit], Awaitable[object]]
) -> Callable[[Unit], Awaitable[Answer]]:
    """For `idempotent`: a change whose result is answered (200) as this body, which reads its attributes."""

    async def answered(unit: Unit) -> Answer:
        return Answer(200, body.model_validate(await change(unit)))

    return answered


async def idempotent(
    request: Request,
    principal: Principal,
    messaging: Messaging,
    change: Callable[[Unit], Awaitable[Answer]],
    again: Again | None = None,
) -> Response:
    """Run `change` in a transaction and answer; if the caller has sent this very request before, only answer.

    The same key with another request is a 422. Of two at the same time one wins and both get its answer. A `change`
    that raises leaves nothing behind, so it may be tried again under the same key. `again` is needed where `change` answers
    something sensitive.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return _response(_kept(await messaging.transact(change)))
    answers = messaging.database[COLLECTION]
    slot = f"{principal.key_id}:{key}"
    fingerprint = await _fingerprint(request)

    async def once(unit: Unit) -> tuple[dict[str, Any], bool]:
        known = await answers.find_one({"_id": slot}, session=unit.session)
        if known:
            return _same(known, fingerprint), True
        answer = _kept(await change(unit))
        expires_at = datetime.now(UTC) + KEPT_FOR
        record = {"_id": slot, "fingerprint": fingerprint, "expires_at": expires_at, **answer}
        # Of two at once the later gets a write conflict here, is run again by the core, and finds the first one's answer.
        await answers.insert_one(record, session=unit.session)
        return answer, False

    answer, repeated = await messaging.transact(once)
    if repeated and again and answer["body"] is not None:
        answer["body"] = (await again(answer["body"])).model_dump_json()
    return _response(answer)


async def _fingerprint(request: Request) -> str:
    """Hashed, because paths and bodies hold personal data and this outlives the request."""
    head = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(head.encode() + await request.body()).hexdigest()


def _same(known: dict[str, Any], fingerprint: str) -> dict[str, Any]:
    if known["fingerprint"] != fingerprint:
        error = ("header.Idempotency-Key", "was used for another request; take a new one")
        raise Problem(422, "Idempotency key reused", errors=[error])
    return known


def _kept(answer: Answer) -> dict[str, Any]:
    body = None if answer.body is None else answer.body.model_dump_json()
    return {"status": answer.status, "body": body, "headers": dict(answer.headers)}


def _response(kept: dict[str, Any]) -> Response:
    return Response(kept["body"], kept["status"], kept["headers"], media_type="application/json")
