"""The preference centre: staff and systems make links, customers use them."""

from datetime import datetime
from email import message_from_bytes
from typing import Annotated, Any, Self
from urllib.parse import parse_qsl

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.contacts.api.anybody import URLENCODED, Gate, body_of
from services.contacts.api.entering import rows_of
from services.contacts.api.page_routes import pages, voice_for
from services.contacts.api.preferences_page import HEADERS, preferences_page, unsubscribed_page, wants_html
from services.contacts.api.speaking import Names
from services.contacts.domain.preferences import Preferences, Wish, Wishes
from services.contacts.domain.signing import LONGEST
from services.contacts.handlers.preferring import Preferring
from services.contacts.handlers.seeing import Seeing
from shared.contracts.fact import Code, CustomerId
from shared.http import Problem
from shared.messaging import Messaging
from shared.security import TAKES_PURPOSE, Principal, require

Writer = Annotated[Principal, Depends(require("contacts:write", rows=True))]
MAX_BYTES = 16 * 1024
MAX_FIELDS = 300
ONE_CLICK = ("list-unsubscribe", "one-click")
MULTIPART = "multipart/form-data"
KINDS = ("application/json", URLENCODED, MULTIPART)
SAID = {"requestBody": {"content": {kind: {"schema": {"type": "object"}} for kind in KINDS}, "required": True}}


class LinkWish(BaseModel):
    """For how long, and what one click on it unsubscribes from. Without a purpose: from all that was granted."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"purpose": "newsletter", "channel": "email", "days": 90}]}
    )

    days: Annotated[int, Field(ge=1, le=LONGEST.days)] = 90
    purpose: Code | None = None
    channel: Code | None = None

    @model_validator(mode="after")
    def _says_both_or_none(self) -> Self:
        if (self.purpose is None) != (self.channel is None):
            raise ValueError("say purpose and channel, or none of the two")
        return self

    @property
    def about(self) -> tuple[str, str] | None:
        return (self.purpose, self.channel) if self.purpose and self.channel else None


class LinkBody(BaseModel):
    """A link for the customer, and nobody else. It is shown once and kept nowhere."""

    token: str
    url: Annotated[str, Field(description="For `List-Unsubscribe` too, with `List-Unsubscribe-Post` (RFC 8058).")]
    expires_at: datetime


class ChoiceBody(BaseModel):
    """What may be chosen, and how it stands."""

    model_config = ConfigDict(from_attributes=True)

    purpose: str
    channel: str
    status: Annotated[str, Field(description="`granted`, `denied`, `withdrawn`, `expired`, `not-asked`.")]
    wording: str | None
    since: datetime | None
    valid_until: datetime | None


class PreferencesBody(BaseModel):
    """What the customer has allowed and is interested in. Neither who they are nor how they are reached."""

    consents: list[ChoiceBody]
    interests: dict[str, bool]
    language: str | None


class SaidConsent(BaseModel):
    """Yes or no."""

    model_config = ConfigDict(extra="forbid")

    purpose: Code
    channel: Code
    status: Wish


class Said(BaseModel):
    """What the customer says. What is not named stays as it is."""

    model_config = ConfigDict(extra="forbid")

    consents: Annotated[list[SaidConsent], Field(max_length=100)] = []
    interests: Annotated[dict[Code, bool], Field(max_length=50)] = {}
    language: Annotated[str | None, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)] = None

    @property
    def wishes(self) -> Wishes:
        consents = {(one.purpose, one.channel): one.status for one in self.consents}
        return Wishes(consents, self.interests, self.language)


def router(preferring: Preferring, messaging: Messaging, seeing: Seeing, public_url: str) -> APIRouter:
    """For staff and systems."""
    routes = APIRouter(prefix="/v1/contacts", tags=["consents"], dependencies=[TAKES_PURPOSE])
    path = "/{customer_id}/preference-link"

    @routes.post(path, status_code=201, summary="Make a link to the preference centre")
    async def make_link(principal: Writer, customer_id: CustomerId, wish: LinkWish) -> LinkBody:
        """Whoever has the link speaks for the customer. It ends with its time, with `DELETE`, and with the customer's erasure."""
        rows = rows_of(principal)
        link = await messaging.transact(lambda unit: preferring.link(unit, customer_id, wish.days, wish.about, rows))
        # Whoever has it sees what the customer would see, and is in the audit trail before they have it.
        await seeing.by(principal).note("preference-link", [customer_id])
        url = f"{public_url}/v1/preferences/{link.token}"
        return LinkBody(token=link.token, url=url, expires_at=link.expires_at)

    @routes.delete(path, status_code=204, summary="End all links of a customer")
    async def end_links(principal: Writer, customer_id: CustomerId) -> Response:
        rows = rows_of(principal)
        await messaging.transact(lambda unit: preferring.revoke(unit, customer_id, rows))
        return Response(status_code=204)

    return routes


def public(preferring: Preferring, messaging: Messaging, gate: Gate, names: Names) -> APIRouter:
    """For customers. They need no key. `names`: of purposes, channels and interests."""
    routes = APIRouter(prefix="/v1/preferences", tags=["consents"], route_class=pages(names))

    @routes.get("/{token}", response_model=PreferencesBody, summary="Show what a customer has allowed")
    async def show_preferences(token: str, request: Request) -> Response:
        """As a page for browsers, in the customer's language, else as JSON. To open it changes nothing.

        404: no valid link; 410: it is over.
        """
        await gate.open_to(request)
        return _answer(request, await preferring.show(token), names)

    @routes.post("/{token}", response_model=PreferencesBody, summary="The customer says so", openapi_extra=SAID)
    async def say_preferences(token: str, request: Request) -> Response:
        """JSON, or the page's own form; or one click to unsubscribe (RFC 8058). Again it changes nothing."""
        await gate.open_to(request)
        kind = request.headers.get("content-type", "")
        told = _told(kind, await body_of(request, MAX_BYTES, "customer's answer"))
        if isinstance(told, Said):
            wishes = told.wishes
            after = await messaging.transact(lambda unit: preferring.say(unit, token, wishes))
            return _answer(request, after, names, saved=True)
        after = await messaging.transact(lambda unit: preferring.unsubscribe(unit, token))
        if wants_html(request):
            return unsubscribed_page(voice_for(request, after.language, names))
        return _answer(request, after, names)

    return routes


def _answer(request: Request, told: Preferences, names: Names, *, saved: bool = False) -> Response:
    if wants_html(request):
        return preferences_page(told, voice_for(request, told.language, names), saved=saved)
    consents = [ChoiceBody.model_validate(one) for one in told.choices]
    body = PreferencesBody(consents=consents, interests=dict(told.interests), language=told.language)
    return Response(body.model_dump_json(), media_type="application/json", headers=HEADERS)


def _told(content_type: str, body: bytes) -> Said | None:
    """What was said; None: one click. Raises Problem."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        match kind:
            case "application/json":
                return Said.model_validate(orjson.loads(body))
            case str(form) if form == URLENCODED:
                fields = parse_qsl(body.decode(), max_num_fields=MAX_FIELDS, errors="strict")
            case str(form) if form == MULTIPART:
                fields = _parts(content_type, body)
            case _:
                raise Problem(415, detail=f"Send {', '.join(KINDS)}.")
        if any((name.lower(), value.lower()) == ONE_CLICK for name, value in fields):
            return None
        return Said.model_validate(_of_form(fields))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(["body", *map(str, first["loc"])])
        raise Problem(422, "Not taken", errors=[(where, first["msg"])]) from None
    except ValueError:
        raise Problem(400, "Unreadable", errors=[("body", f"is not {kind}")]) from None


def _of_form(fields: list[tuple[str, str]]) -> dict[str, Any]:
    """As the page names them: `consent|newsletter|email`, `interest|garden`, `language`. What is left empty says nothing."""
    said: dict[str, Any] = {"consents": [], "interests": {}}
    for name, value in fields:
        head, _, tail = name.partition("|")
        purpose, _, channel = tail.partition("|")
        match head:
            case _ if not value:
                continue
            case "consent":
                said["consents"].append({"purpose": purpose, "channel": channel, "status": value})
            case "interest":
                said["interests"][tail] = value
            case _:
                said[name] = value
    return said


def _parts(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """The fields of a form in parts, as programs that read mail send it. Raises ValueError."""
    told = message_from_bytes(b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + body)
    if not told.is_multipart():
        raise ValueError("no parts")
    fields = []
    for part in told.walk():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields.append((name, content.decode().strip()))
    if len(fields) > MAX_FIELDS:
        raise ValueError("too many fields")
    return fields
