"""HTTP: `POST /v1/events`, where channel systems send CloudEvents one by one or in batches.

The hot path: bodies are read and answers written here, because FastAPI's models cost more than the events do.
"""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson
import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from services.interactions.api.examples import REQUEST_BODY
from services.interactions.handlers.gateway import Gateway, NotYours, Rejection, Sent
from shared.contracts.fact import Reason
from shared.http import Problem, ProblemDetails
from shared.http.problems import MEDIA_TYPE, FieldError
from shared.messaging import CloudEvent, Refused
from shared.messaging.envelope import BATCH, STRUCTURED, from_headers, from_json
from shared.security import bearer, require

MAX_EVENTS = 1000
BINARY = "application/json"
may_write = require("events:write")


class RejectedEvent(BaseModel):
    """One event that was not taken."""

    index: int
    id: str | None = None
    reason: Reason
    detail: str
    field: str | None = None


class Accepted(BaseModel):
    """So many events are in Kafka, acknowledged by the broker; the others were not taken and are kept nowhere."""

    accepted: int
    rejected: list[RejectedEvent] = []


ONE_ACCEPTED = Accepted(accepted=1).model_dump_json()


class NotTaken(ProblemDetails):
    """No event was taken: of a single one the reason, of a batch the whole list."""

    reason: Reason | None = None
    accepted: int = 0
    rejected: list[RejectedEvent] | None = None


class HotRoute(APIRoute):
    """Documented like every route, and served without resolving dependencies: half of what a single event cost."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.endpoint


def router(gateway: Gateway) -> APIRouter:
    """The route of `/v1/events`."""
    router = APIRouter(tags=["events"], route_class=HotRoute)

    @router.post(
        "/v1/events",
        status_code=202,
        summary="Send events",
        description=DESCRIPTION,
        response_model=Accepted,
        responses={400: {"model": NotTaken}, 422: {"model": NotTaken}, 503: {"model": ProblemDetails}},
        dependencies=[Depends(may_write)],  # for the document; `send_events` asks by itself
        openapi_extra={"requestBody": REQUEST_BODY},
    )
    async def send_events(request: Request) -> Response:
        sent = Sent(await may_write(request, await bearer(request)), _correlation_id())
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        body = await request.body()
        try:
            if kind == BATCH:
                return await _accept_all(gateway, _batch(body), sent)
            await gateway.accept(_event(kind, request, body), sent)
        except Refused as refused:
            return _refusal(refused)
        return Response(ONE_ACCEPTED, 202, media_type=BINARY)

    return router


def _correlation_id() -> str | None:
    told: str | None = structlog.contextvars.get_contextvars().get("correlation_id")
    return told


DESCRIPTION = """
CloudEvents 1.0 in structured mode (`application/cloudevents+json`), in batches of at most 1,000
(`application/cloudevents-batch+json`), or in binary mode (`ce-*` headers and an `application/json` body).

`202` means that Kafka has acknowledged every accepted event. Of a batch, each event is judged by itself: the answer
lists those that were rejected, with the reason and the field. If nothing was taken the answer is a `422`. After a `503`
send the same events again: what did arrive is recognised by its `source` and `id` and takes effect once.

A channel's key may only send events whose `source` is `/channels/<channel>` or begins with `/channels/<channel>/`.
"""


async def _accept_all(gateway: Gateway, documents: list[Any], sent: Sent) -> Response:
    rejected = [_rejected(rejection) for rejection in await gateway.accept_all(documents, sent)]
    if rejected and len(rejected) == len(documents):
        return _not_taken(422, "No event of the batch was taken.", rejected=rejected)
    return _answer(202, Accepted(accepted=len(documents) - len(rejected), rejected=rejected))


def _batch(body: bytes) -> list[Any]:
    documents = _json(body)
    if not isinstance(documents, list):
        raise Refused(Reason.INVALID_ENVELOPE, "a batch is a JSON array of events")
    if len(documents) > MAX_EVENTS:
        raise Problem(413, detail=f"A batch has at most {MAX_EVENTS} events; this one has {len(documents)}.")
    return documents


def _event(kind: str, request: Request, body: bytes) -> CloudEvent:
    if kind == STRUCTURED:
        return from_json(_json(body))
    attributes: dict[str, bytes | None] = {
        name.decode("latin-1"): unquote_to_bytes(value) for name, value in request.headers.raw if name[:3] == b"ce-"
    }
    if kind != BINARY or not attributes:
        raise Problem(
            415, detail=f"Send {STRUCTURED}, {BATCH}, or {BINARY} with the event's attributes in ce- headers."
        )
    return from_headers(attributes, body, "ce-")


def _json(body: bytes) -> Any:
    if not body:
        raise Refused(Reason.EMPTY, "the body is empty")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(Reason.MALFORMED, f"the body is not JSON: {error}") from None


def _rejected(rejection: Rejection) -> RejectedEvent:
    refused = rejection.refused
    return RejectedEvent(
        index=rejection.index, id=rejection.id, reason=refused.reason, detail=refused.detail, field=refused.field
    )


def _refusal(refused: Refused) -> Response:
    """The answer to a single event, or to a body that holds none."""
    status = 422
    if isinstance(refused, NotYours):
        status = 403
    elif refused.reason in {Reason.MALFORMED, Reason.EMPTY}:
        status = 400
    return _not_taken(status, refused.detail, reason=refused.reason, field=refused.field)


def _not_taken(
    status: int,
    detail: str,
    *,
    reason: Reason | None = None,
    field: str | None = None,
    rejected: list[RejectedEvent] | None = None,
) -> Response:
    problem = NotTaken(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=[FieldError(field=field, message=detail)] if field else None,
        correlation_id=_correlation_id(),
        reason=reason,
        rejected=rejected,
    )
    return _answer(status, problem, MEDIA_TYPE)


def _answer(status: int, body: BaseModel, media_type: str = "application/json") -> Response:
    return Response(body.model_dump_json(exclude_none=status >= 400), status, media_type=media_type)
