"""The routes of contacts."""

from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Query, Request, Response

from services.contacts.api.bodies import ContactChange, NewContact, Summary
from services.contacts.api.entering import IfMatch, entered, etag, version_of
from services.contacts.api.wanted import TraitsAsked, wanted_of
from services.contacts.domain.access import Rows
from services.contacts.domain.traits import Wanted
from services.contacts.domain.values.found import At
from services.contacts.domain.values.search import Place
from services.contacts.handlers import Handlers, IdentifierTaken, NoSuchContact
from services.contacts.handlers.looking_back import LookingBack
from services.contacts.handlers.seeing import Seeing, View
from shared.contracts.contacts import Contact
from shared.contracts.fact import CustomerId, Identifier, Moment
from shared.contracts.sensitive import SEE_SENSITIVE
from shared.http import Cursor, Limit, Page, Problem, bad_cursor, decode_cursor, encode_cursor
from shared.idempotency import TAKES_KEY, Again, Answer, idempotent
from shared.messaging import Messaging, Unit
from shared.security import TAKES_PURPOSE, Principal, require

Reader = Annotated[Principal, Depends(require("contacts:read", rows=True))]
Writer = Annotated[Principal, Depends(require("contacts:write", rows=True))]
IdentifierText = Annotated[
    str | None, Query(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}:.{1,256}$", examples=["loyalty-card:4711"])
]

SearchText = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=200,
        description="Words of a name or of what stands before the @, in any order and script. First whoever has them all, then whoever has words that begin so, then as they sound; where nobody does, on no page, whoever has all but one, and that one with a slip of the keyboard.",
        examples=["jurg mueller"],
    ),
]


AsOf = Annotated[
    Moment | None,
    Query(description="The record that was answered at that time: of all that had been recorded by then."),
]


class Contacts(Protocol):
    """What is read beside the use cases."""

    async def duplicates(self) -> int: ...


class ByWanted(Protocol):
    """Where contacts are found by what they have."""

    async def found(
        self, wanted: Sequence[Wanted], after: str, limit: int, rows: Rows
    ) -> tuple[list[Contact], str | None]: ...


def router(
    handlers: Handlers, contacts: Contacts, having: ByWanted, messaging: Messaging, seeing: Seeing, back: LookingBack
) -> APIRouter:
    """The routes, over the use cases and what is kept."""
    routes = APIRouter(prefix="/v1/contacts", dependencies=[TAKES_PURPOSE])
    _reading(routes, handlers, contacts, having, seeing)
    _record(routes, seeing, back)
    _writing(routes, handlers, messaging, seeing)
    return routes


def _reading(routes: APIRouter, handlers: Handlers, contacts: Contacts, having: ByWanted, seeing: Seeing) -> None:
    @routes.get("", tags=["contacts"], summary="List contacts, search them by name, or find the one of an identifier")
    async def list_contacts(
        principal: Reader,
        request: Request,
        traits: TraitsAsked,
        identifier: IdentifierText = None,
        search: SearchText = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Page[Contact]:
        """Whoever is found has all that is asked for, names and all else alike. `field.loyalty_tier=gold` is this value of a
        searchable field, up to five fields; of a field that is a list, `field.sports=golf,chess` are entries that it has. Where much
        is asked of many a page may have fewer than the limit, and yet not be the last: `next` says so.
        """
        view = seeing.by(principal)
        if identifier:
            scheme, value = identifier.split(":", 1)
            if not view.may_ask(scheme):
                error = ("query.identifier", f"`{scheme}` is sensitive: the key lacks the scope `{SEE_SENSITIVE}`")
                raise Problem(403, "Sensitive identifier", errors=[error])
            found = await handlers.find(Identifier(scheme=scheme, value=value))
            seen = [found] if found and view.rows.sees(found) else []
            return Page(items=await view.all_shown("find", seen, searched=True))
        wanted = await wanted_of(traits, request, handlers.catalogue, view, handlers.clock)
        if search:
            return await _searched(view, search, wanted, cursor, limit)
        after = _text(decode_cursor(cursor), "after") if cursor else ""
        if wanted:
            items, last = await having.found(wanted, after, limit, view.rows)
        else:
            items = await view.page(after, limit)
            last = items[-1].customer_id if len(items) == limit else None
        shown = await view.all_shown("find" if wanted else "list", items, searched=True)
        return Page(items=shown, next=encode_cursor({"after": last}) if last else None)

    @routes.get("/summary", tags=["contacts"], summary="Count contacts")
    async def summarise_contacts(principal: Reader) -> Summary:
        """Of a key that is limited to some contacts: of those."""
        dropped = None if principal.limited else await contacts.duplicates()
        return Summary(contacts=await seeing.by(principal).count(), duplicates=dropped)


def _record(routes: APIRouter, seeing: Seeing, back: LookingBack) -> None:
    @routes.get("/{customer_id}", tags=["contacts"], summary="Read a contact, as it is or as it was")
    async def read_contact(
        principal: Reader, customer_id: CustomerId, response: Response, as_of: AsOf = None
    ) -> Contact:
        """Of one that was merged into another this is that other, as its `customer_id` and `Content-Location` say.

        With `as_of` it is what this same question was answered at that time, by whoever answered for this id then. What was
        recorded later was not known yet, also if it was said of an earlier time. 404: nothing was known then; 410: what was
        known has been erased.
        """
        view = seeing.by(principal)
        contact = await view.contact(customer_id)
        if as_of:
            contact = await back.as_of(customer_id, as_of)
            if not view.rows.sees(contact):
                raise NoSuchContact(customer_id)
        else:
            response.headers["etag"] = etag(contact)
        if contact.customer_id != customer_id:
            response.headers["content-location"] = f"/v1/contacts/{contact.customer_id}"
        return await view.shown("read", contact)


def _writing(routes: APIRouter, handlers: Handlers, messaging: Messaging, seeing: Seeing) -> None:
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
        told, view = entered(principal, new), seeing.by(principal)

        async def change(unit: Unit) -> Answer:
            try:
                contact = await view.shown("register", await handlers.register(unit, told))
            except IdentifierTaken as taken:
                raise await view.tactful(taken) from None
            return Answer(201, contact, {"location": f"/v1/contacts/{contact.customer_id}", "etag": etag(contact)})

        return await idempotent(request, principal, messaging, change, _again(view, "register"))

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
        told, view = entered(principal, change), seeing.by(principal)
        version = version_of(if_match) or change.version

        async def changing(unit: Unit) -> Answer:
            try:
                contact = await view.shown("change", await handlers.change(unit, customer_id, told, version))
            except IdentifierTaken as taken:
                raise await view.tactful(taken) from None
            return Answer(200, contact, {"etag": etag(contact)})

        return await idempotent(request, principal, messaging, changing, _again(view, "change"))


def _again(view: View, action: str) -> Again:
    """A contact that is answered once more, as the key may see it by now; whoever sees sensitive fields is in the trail each time."""

    async def shown(kept: str) -> Contact:
        return await view.shown(action, Contact.model_validate_json(kept))

    return shown


async def _searched(view: View, typed: str, wanted: Sequence[Wanted], cursor: str | None, limit: int) -> Page[Contact]:
    found = await view.found(typed, _at(decode_cursor(cursor)) if cursor else None, limit, wanted)
    shown = await view.all_shown("search", found.contacts, searched=True)
    return Page(items=shown, next=encode_cursor(_cursor(found.next)) if found.next else None)


def _cursor(at: At) -> dict[str, object]:
    cursor = {"range": at.place.range, "key": at.place.key, "number": at.number, "after": at.customer}
    return cursor | ({"nobody": True} if at.nobody else {})


def _at(cursor: dict[str, object]) -> At:
    range_, number = (_whole(cursor, name) for name in ("range", "number"))
    nobody = cursor.get("nobody") is True
    return At(Place(range_, _text(cursor, "key")), number, _text(cursor, "after"), nobody)


def _whole(cursor: dict[str, object], name: str) -> int:
    value = cursor.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise bad_cursor()
    return value


def _text(cursor: dict[str, object], name: str) -> str:
    value = cursor.get(name)
    if not isinstance(value, str):
        raise bad_cursor()
    return value
