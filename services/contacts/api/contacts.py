"""The routes of contacts and their consents."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.contacts.api.bodies import ConsentClaims, Consents, ContactChange, NewContact, Summary
from services.contacts.handlers import Handlers, NoSuchContact, Said
from shared.contracts.contacts import Consent, Contact
from shared.contracts.fact import CustomerId, Identifier
from shared.http import Cursor, Limit, Page, bad_cursor, decode_cursor, encode_cursor
from shared.idempotency import TAKES_KEY, Answer, idempotent
from shared.messaging import Messaging, Unit
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("contacts:read"))]
Writer = Annotated[Principal, Depends(require("contacts:write"))]
IfMatch = Annotated[
    str | None, Header(pattern=r'^(W/)?"[1-9][0-9]{0,17}"$', description='The `ETag` that was read, such as `"3"`.')
]
IdentifierText = Annotated[
    str | None, Query(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}:.{1,256}$", examples=["loyalty-card:4711"])
]

SearchText = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=200,
        description="Words of a name or of what stands before the @, begun or as they sound, in any script.",
        examples=["jurg mueller"],
    ),
]


class Contacts(Protocol):
    """What is read beside the use cases."""

    async def contact(self, customer: str) -> Contact | None: ...

    async def page(self, after: str, limit: int) -> list[Contact]: ...

    async def found(self, typed: str, after: str, limit: int) -> list[Contact]: ...

    async def count(self) -> int: ...

    async def duplicates(self) -> int: ...

    async def consents_said(
        self, customer: str, before: tuple[datetime, str] | None, limit: int
    ) -> list[tuple[str, Consent]]: ...


def router(handlers: Handlers, contacts: Contacts, messaging: Messaging) -> APIRouter:
    """The routes, over the use cases and what is kept."""
    routes = APIRouter(prefix="/v1/contacts")
    _reading(routes, handlers, contacts)
    _writing(routes, handlers, messaging)
    _consents(routes, handlers, contacts, messaging)
    return routes


def _reading(routes: APIRouter, handlers: Handlers, contacts: Contacts) -> None:
    @routes.get("", tags=["contacts"], summary="List contacts, search them by name, or find the one of an identifier")
    async def list_contacts(
        _: Reader,
        identifier: IdentifierText = None,
        search: SearchText = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Page[Contact]:
        if identifier:
            scheme, value = identifier.split(":", 1)
            found = await handlers.find(Identifier(scheme=scheme, value=value))
            return Page(items=[found] if found else [])
        after = _text(decode_cursor(cursor), "after") if cursor else ""
        items = await (contacts.found(search, after, limit) if search else contacts.page(after, limit))
        return Page(items=items, next=encode_cursor({"after": items[-1].customer_id}) if len(items) == limit else None)

    @routes.get("/summary", tags=["contacts"], summary="Count contacts")
    async def summarise_contacts(_: Reader) -> Summary:
        return Summary(contacts=await contacts.count(), duplicates=await contacts.duplicates())

    @routes.get("/{customer_id}", tags=["contacts"], summary="Read a contact")
    async def read_contact(_: Reader, customer_id: CustomerId, response: Response) -> Contact:
        contact = await _existing(contacts, customer_id)
        response.headers["etag"] = _etag(contact)
        return contact


def _writing(routes: APIRouter, handlers: Handlers, messaging: Messaging) -> None:
    @routes.post(
        "",
        status_code=201,
        response_model=Contact,
        dependencies=[TAKES_KEY],
        tags=["contacts"],
        summary="Register a contact",
    )
    async def register_contact(principal: Writer, new: NewContact, request: Request) -> Response:
        """409 if one of the identifiers, the e-mail or the phone is a contact's already; `Location` says whose."""
        said = _said(principal, new)

        async def change(unit: Unit) -> Answer:
            contact = await handlers.register(unit, said)
            return Answer(201, contact, {"location": f"/v1/contacts/{contact.customer_id}", "etag": _etag(contact)})

        return await idempotent(request, principal, messaging, change)

    @routes.patch(
        "/{customer_id}",
        response_model=Contact,
        dependencies=[TAKES_KEY],
        tags=["contacts"],
        summary="Change a contact",
    )
    async def change_contact(
        principal: Writer, customer_id: CustomerId, change: ContactChange, request: Request, if_match: IfMatch = None
    ) -> Response:
        """With `If-Match` or `version` only that version is changed (412, 409), so that nobody's work is lost."""
        said = _said(principal, change)
        version = _version(if_match) or change.version
        return await idempotent(
            request, principal, messaging, _answering(lambda unit: handlers.change(unit, customer_id, said, version))
        )


def _consents(routes: APIRouter, handlers: Handlers, contacts: Contacts, messaging: Messaging) -> None:
    @routes.get("/{customer_id}/consents", tags=["consents"], summary="Read the standing consents")
    async def read_consents(_: Reader, customer_id: CustomerId) -> Consents:
        contact = await _existing(contacts, customer_id)
        return Consents(version=contact.version, consents=contact.consents)

    @routes.put(
        "/{customer_id}/consents",
        response_model=Consents,
        dependencies=[TAKES_KEY],
        tags=["consents"],
        summary="Record what the customer said",
    )
    async def record_consents(
        principal: Writer, customer_id: CustomerId, claims: ConsentClaims, request: Request, if_match: IfMatch = None
    ) -> Response:
        """For each purpose and channel the latest `given_at` stands; all that was ever said is kept."""
        said = _said(principal, NewContact(consents=claims.consents))

        async def change(unit: Unit) -> Answer:
            contact = await handlers.change(unit, customer_id, said, _version(if_match))
            standing = Consents(version=contact.version, consents=contact.consents)
            return Answer(200, standing, {"etag": _etag(contact)})

        return await idempotent(request, principal, messaging, change)

    @routes.get("/{customer_id}/consents/history", tags=["consents"], summary="List all that was said, latest first")
    async def list_consent_history(
        _: Reader, customer_id: CustomerId, cursor: Cursor = None, limit: Limit = 100
    ) -> Page[Consent]:
        before = _moment_and_place(decode_cursor(cursor)) if cursor else None
        await _existing(contacts, customer_id)
        found = await contacts.consents_said(customer_id, before, limit)
        last = found[-1] if len(found) == limit else None
        next_ = encode_cursor({"given_at": last[1].given_at, "place": last[0]}) if last else None
        return Page(items=[consent for _, consent in found], next=next_)


def _said(principal: Principal, body: NewContact) -> Said:
    source = f"/channels/{principal.channel_id}" if principal.channel_id else f"/keys/{principal.key_id}"
    origin = source if principal.channel_id else None
    return Said(body, source, frozenset(body.model_fields_set), body.said_at, origin)


def _answering(change: Callable[[Unit], Awaitable[Contact]]) -> Callable[[Unit], Awaitable[Answer]]:
    async def answer(unit: Unit) -> Answer:
        contact = await change(unit)
        return Answer(200, contact, {"etag": _etag(contact)})

    return answer


async def _existing(contacts: Contacts, customer_id: str) -> Contact:
    contact = await contacts.contact(customer_id)
    if contact is None:
        raise NoSuchContact(customer_id)
    return contact


def _etag(contact: Contact) -> str:
    return f'"{contact.version}"'


def _version(if_match: str | None) -> int | None:
    return int(if_match.removeprefix("W/").strip('"')) if if_match else None


def _text(cursor: dict[str, object], name: str) -> str:
    value = cursor.get(name)
    if not isinstance(value, str):
        raise bad_cursor()
    return value


def _moment_and_place(cursor: dict[str, object]) -> tuple[datetime, str]:
    try:
        moment = datetime.fromisoformat(_text(cursor, "given_at"))
    except ValueError:
        raise bad_cursor() from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC), _text(cursor, "place")
