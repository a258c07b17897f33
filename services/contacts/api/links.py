"""The routes of links between parties: made and ended, read from both ends, as a hierarchy and as a household."""

from collections.abc import Collection
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Query, Request, Response

from services.contacts.api.entering import author
from services.contacts.api.link_bodies import HierarchyBody, HouseholdBody, LinkBody, NewLink
from services.contacts.domain.hierarchy import MAX_LEVELS
from services.contacts.domain.links import RULES, TURNED
from services.contacts.domain.survivorship import milliseconds
from services.contacts.handlers.hierarchies import Hierarchies
from services.contacts.handlers.linking import Details, Linking
from services.contacts.handlers.seeing import Seeing
from shared.contracts.fact import CustomerId
from shared.contracts.parties import HeldKind, LinkKind
from shared.http import Cursor, Limit, Page, encode_cursor, text_of
from shared.idempotency import TAKES_KEY, Answer, idempotent
from shared.messaging import Messaging, Unit
from shared.security import Principal, require

# Shut to keys that are limited to some contacts: whoever else is in a hierarchy or a household may be none of theirs.
Reader = Annotated[Principal, Depends(require("contacts:read"))]
Writer = Annotated[Principal, Depends(require("contacts:write"))]
Lister = Annotated[Principal, Depends(require("contacts:read", rows=True))]
Kinds = Annotated[list[LinkKind] | None, Query(description="Only these, as seen from the contact. Absent: all.")]
Levels = Annotated[int, Query(ge=1, le=MAX_LEVELS, description="How deep to read below the contact.")]


def router(linking: Linking, hierarchies: Hierarchies, messaging: Messaging, seeing: Seeing) -> APIRouter:
    """The routes, over the use cases."""
    routes = APIRouter(prefix="/v1/contacts/{customer_id}", tags=["links"])
    _listing(routes, linking, seeing)
    _reading(routes, hierarchies)
    _writing(routes, linking, messaging)
    return routes


def _listing(routes: APIRouter, linking: Linking, seeing: Seeing) -> None:
    @routes.get("/links", summary="List what a contact is to others, and others to it")
    async def list_links(
        principal: Lister,
        customer_id: CustomerId,
        kind: Kinds = None,
        end: Annotated[
            Literal["own", "others"], Query(description="Whose links: the contact's, or others' to it.")
        ] = "own",
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Page[LinkBody]:
        """`own` are those of which a contact has few, on one page: `works-at`, `member-of`, `subsidiary-of`. The same links
        are listed with `others` for the party at the other end: `employs`, `has-member`, `parent-of`. Also those that do not
        hold, with the reason. A key that is limited to some contacts sees links between those only; a page may have fewer
        than the limit for it, and yet not be the last.
        """
        view = seeing.by(principal)
        if end == "own":
            found, last = await linking.held(customer_id, _own(kind), view.rows), None
        else:
            after = text_of(cursor, "after") or ""
            found, last = await linking.reached(customer_id, _turned(kind), after, limit, view.rows)
        if principal.limited:
            await view.note("links", [customer_id, *(one.other.customer_id for one in found if one.other)])
        return Page(items=[LinkBody.of(one) for one in found], next=encode_cursor({"after": last}) if last else None)


def _reading(routes: APIRouter, hierarchies: Hierarchies) -> None:
    @routes.get("/hierarchy", summary="Read an organisation with all above and below it")
    async def read_hierarchy(_: Reader, customer_id: CustomerId, levels: Levels = 5) -> HierarchyBody:
        """Subsidiaries and sites, each with its address and the people who work there; at most 1,000 parties."""
        return HierarchyBody.of(await hierarchies.tree(customer_id, levels))

    @routes.get("/household", summary="Read a household with its members")
    async def read_household(_: Reader, customer_id: CustomerId) -> HouseholdBody:
        """409 if the contact is no household."""
        return HouseholdBody.of(await hierarchies.household(customer_id))


def _writing(routes: APIRouter, linking: Linking, messaging: Messaging) -> None:
    @routes.put(
        "/links/{kind}/{other_id}",
        response_model=LinkBody,
        dependencies=[TAKES_KEY],
        summary="Link a contact to another",
    )
    async def link_contacts(
        principal: Writer, customer_id: CustomerId, kind: LinkKind, other_id: CustomerId, new: NewLink, request: Request
    ) -> Response:
        """Either may say it: `works-at` of the person is `employs` of the organisation. Who has a parent already gets the
        new one in its place. 422 if the two cannot be linked so.
        """
        details = _details(principal, new)

        async def change(unit: Unit) -> Answer:
            return Answer(200, LinkBody.of(await linking.link(unit, customer_id, kind, other_id, details)))

        return await idempotent(request, principal, messaging, change)

    @routes.delete(
        "/links/{kind}/{other_id}", status_code=204, dependencies=[TAKES_KEY], summary="Say that a link is over"
    )
    async def unlink_contacts(
        principal: Writer, customer_id: CustomerId, kind: LinkKind, other_id: CustomerId, request: Request
    ) -> Response:
        async def change(unit: Unit) -> Answer:
            await linking.unlink(unit, customer_id, kind, other_id, _details(principal, NewLink()))
            return Answer(204)

        return await idempotent(request, principal, messaging, change)


def _details(principal: Principal, new: NewLink) -> Details:
    source = author(principal).source
    said: dict[str, Any] = new.model_dump()
    for bound in ("valid_from", "valid_until"):
        said[bound] = said[bound] and milliseconds(said[bound])
    return Details(source=source, by=principal.name, origin=source if principal.channel_id else None, **said)


def _own(kinds: Collection[LinkKind] | None) -> list[HeldKind]:
    return [held for held in get_args(HeldKind) if kinds is None or held in kinds]


def _turned(kinds: Collection[LinkKind] | None) -> list[HeldKind]:
    """The same links as their holders say them."""
    return list(RULES) if kinds is None else [TURNED[kind] for kind in kinds if kind in TURNED]
