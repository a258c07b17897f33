"""The routes of consents: what stands, what was ever said, and what is said now."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Request, Response

from services.contacts.api.bodies import NewContact
from services.contacts.api.consent_bodies import ConsentClaims, Consents, SaidConsent, StandingConsent, Waiting
from services.contacts.api.entering import IfMatch, entered, etag, version_of
from services.contacts.handlers import Handlers
from services.contacts.handlers.confirming import Confirming
from services.contacts.handlers.seeing import Seeing
from shared.contracts.contacts import Consent, Contact
from shared.contracts.fact import CustomerId
from shared.http import Cursor, Limit, Page, encode_moment, moment_and_place
from shared.idempotency import TAKES_KEY, Answer, idempotent
from shared.messaging import Messaging, Unit
from shared.security import TAKES_PURPOSE, Principal, require

Reader = Annotated[Principal, Depends(require("contacts:read", rows=True))]
Writer = Annotated[Principal, Depends(require("contacts:write", rows=True))]


class History(Protocol):
    """All that was ever said."""

    async def consents_said(
        self, customers: Collection[str], before: tuple[datetime, str] | None, limit: int
    ) -> list[tuple[str, Consent]]: ...


def router(
    handlers: Handlers, confirming: Confirming, history: History, messaging: Messaging, seeing: Seeing
) -> APIRouter:
    """The routes, over the use cases and what is kept."""
    routes = APIRouter(prefix="/v1/contacts", tags=["consents"], dependencies=[TAKES_PURPOSE])
    _reading(routes, handlers, history, seeing)
    _writing(routes, handlers, confirming, messaging)
    return routes


def _reading(routes: APIRouter, handlers: Handlers, history: History, seeing: Seeing) -> None:
    @routes.get("/{customer_id}/consents", summary="Read the standing consents")
    async def read_consents(principal: Reader, customer_id: CustomerId) -> Consents:
        """`expired`: a grant that has run out, from that moment on."""
        contact = await seeing.by(principal).contact(customer_id)
        return _standing(contact, await handlers.clock.now())

    @routes.get("/{customer_id}/consents/history", summary="List all that was said, latest first")
    async def list_consent_history(
        principal: Reader, customer_id: CustomerId, cursor: Cursor = None, limit: Limit = 100
    ) -> Page[SaidConsent]:
        """A grant that has run out is in it twice: as it was given, and `expired`, with the time of the grant."""
        before = moment_and_place(cursor)
        contact = await seeing.by(principal).contact(customer_id)
        found = await history.consents_said([contact.customer_id, *contact.absorbed], before, limit)
        last = found[-1] if len(found) == limit else None
        next_ = encode_moment(last[1].given_at, last[0]) if last else None
        return Page(items=[SaidConsent.of(consent) for _, consent in found], next=next_)


def _writing(routes: APIRouter, handlers: Handlers, confirming: Confirming, messaging: Messaging) -> None:
    @routes.put(
        "/{customer_id}/consents",
        response_model=Consents,
        dependencies=[TAKES_KEY],
        summary="Record what the customer said",
    )
    async def record_consents(
        principal: Writer, customer_id: CustomerId, claims: ConsentClaims, request: Request, if_match: IfMatch = None
    ) -> Response:
        """For each purpose and channel the latest `given_at` stands; all that was ever said is kept.

        With `confirm` grants are kept aside, told to nobody, and hold from when the customer confirms them.
        """
        waiting = [one for one in claims.consents if claims.confirm and one.status == "granted"]
        at_once = [one for one in claims.consents if one not in waiting]
        told = entered(principal, NewContact(consents=at_once, reason=claims.reason))

        async def change(unit: Unit) -> Answer:
            contact = await handlers.change(unit, customer_id, told, version_of(if_match))
            standing = _standing(contact, await handlers.clock.now(unit.session))
            if waiting:
                one = await confirming.ask(
                    unit, [customer_id, contact.customer_id, *contact.absorbed], waiting, told.source
                )
                standing.confirmation = Waiting(confirmation_id=one.confirmation_id, expires_at=one.expires_at)
            return Answer(200, standing, {"etag": etag(contact)})

        return await idempotent(request, principal, messaging, change)


def _standing(contact: Contact, now: datetime) -> Consents:
    consents = [StandingConsent.at(one, now) for one in contact.consents]
    return Consents(version=contact.version, consents=consents)
