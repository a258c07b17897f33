"""The routes of double opt-in: for whoever sends the links, and for whoever has got one."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from services.contacts.api.anybody import Gate
from services.contacts.api.page_routes import pages, voice_for
from services.contacts.api.preferences_page import HEADERS, confirmed_page, question_page, wants_html
from services.contacts.api.speaking import Names
from services.contacts.handlers.confirming import Confirmation, Confirming, ToSend
from services.contacts.handlers.seeing import Seeing
from shared.contracts.fact import Uuid7
from shared.http import Cursor, Limit, Page, encode_cursor, text_of
from shared.messaging import Messaging
from shared.security import Principal, require

Sender = Annotated[Principal, Depends(require("contacts:confirmations"))]
"""A scope of its own: the links are as good as the customer's own word."""


class Question(BaseModel):
    """What is to be confirmed."""

    model_config = ConfigDict(from_attributes=True)

    purpose: str
    channel: str
    wording: str | None


class ToBeSent(BaseModel):
    """A link, and whom it is for."""

    confirmation_id: str
    customer_id: str
    email: Annotated[
        str | None,
        Field(description="Where to send it. What a form has asked goes nowhere else."),
    ]
    phone: str | None
    language: str | None
    asked: list[Question]
    asked_at: datetime
    expires_at: datetime
    token: str
    url: Annotated[
        str, Field(description="Asks the customer, and confirms when they say yes: to open it changes nothing.")
    ]


class TokenBody(BaseModel):
    """The token of a link."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(max_length=400)]


class Confirmed(BaseModel):
    """What holds now."""

    confirmed: list[Question]


def router(confirming: Confirming, seeing: Seeing, public_url: str) -> APIRouter:
    """For whoever sends the links."""
    routes = APIRouter(prefix="/v1/confirmations", tags=["consents"])

    @routes.get("", summary="List the links that are to be sent")
    async def list_confirmations(principal: Sender, cursor: Cursor = None, limit: Limit = 100) -> Page[ToBeSent]:
        """All that nobody has said to have sent, the earliest first. Between sending and saying so lies a moment: a link may be
        sent twice, and none is forgotten.
        """
        items, last = await confirming.to_send(text_of(cursor, "after") or "", limit)
        if items:
            await seeing.by(principal).note("confirmations", sorted({one.contact.customer_id for one in items}))
        next_ = encode_cursor({"after": last}) if last else None
        return Page(items=[_to_be_sent(one, public_url) for one in items], next=next_)

    @routes.post("/{confirmation_id}/sent", status_code=204, summary="Say that a link was sent")
    async def confirmation_sent(_: Sender, confirmation_id: Uuid7) -> Response:
        await confirming.sent(confirmation_id)
        return Response(status_code=204)

    return routes


def public(confirming: Confirming, messaging: Messaging, gate: Gate, names: Names) -> APIRouter:
    """For whoever has got a link. They need no key. `names`: of purposes and channels."""
    routes = APIRouter(prefix="/v1/consents/confirm", tags=["consents"], route_class=pages(names))

    @routes.post("", summary="Confirm what was asked for")
    async def confirm(told: TokenBody, request: Request) -> Confirmed:
        """The grants hold from now on; again it changes nothing. 404: not a valid token; 410: it is over."""
        await gate.open_to(request)
        one = await messaging.transact(lambda unit: confirming.confirm(unit, told.token))
        return Confirmed(confirmed=_questions(one))

    @routes.get("/{token}", response_class=HTMLResponse, summary="Ask the customer whether it was them")
    async def ask_customer(token: str, request: Request) -> Response:
        """Changes nothing: programs look at links in mails before people do."""
        await gate.open_to(request)
        one = await confirming.read(token)
        voice = voice_for(request, await confirming.language(one), names)
        return question_page([(q.purpose, q.channel, q.wording) for q in one.claims], voice)

    @routes.post("/{token}", response_model=Confirmed, summary="The customer says that it was them")
    async def confirm_link(token: str, request: Request) -> Response:
        await gate.open_to(request)
        one = await messaging.transact(lambda unit: confirming.confirm(unit, token))
        if wants_html(request):
            return confirmed_page(voice_for(request, await confirming.language(one), names))
        answer = Confirmed(confirmed=_questions(one)).model_dump_json()
        return Response(answer, media_type="application/json", headers=HEADERS)

    return routes


def _questions(one: Confirmation) -> list[Question]:
    return [Question.model_validate(claim) for claim in one.claims]


def _to_be_sent(one: ToSend, public_url: str) -> ToBeSent:
    asked, contact = one.confirmation, one.contact
    return ToBeSent(
        confirmation_id=asked.confirmation_id,
        customer_id=contact.customer_id,
        email=contact.email,
        phone=contact.phone,
        language=contact.language,
        asked=_questions(asked),
        asked_at=asked.asked_at,
        expires_at=asked.expires_at,
        token=one.token,
        url=f"{public_url}/v1/consents/confirm/{one.token}",
    )
