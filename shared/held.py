"""What a service holds on a customer, for the person's right of access: one route, the same in every service.

`GET /v1/customers/{id}/held` of each service tells all of it, page by page, in sections with a sentence about each. Contacts, which
knows who is one with whom, asks them all (`GET /v1/contacts/{id}/export`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple, Protocol, TypeAlias

from bson import Decimal128
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from shared.audit import Accessed, Trail
from shared.contracts.fact import CustomerId
from shared.http import Cursor, Limit, bad_cursor, decode_cursor, encode_cursor
from shared.links import COLLECTION as LINKS, naming
from shared.mongo import Collection, Database, Document
from shared.security import TAKES_PURPOSE, Principal, require

SCOPE = "privacy:export"
Item: TypeAlias = Mapping[str, Any]
Piece: TypeAlias = tuple[Sequence[Item], str | None]
"""Items, and where to go on from; None: that was all."""
Exporter = Annotated[Principal, Depends(require(SCOPE))]
Also = Annotated[
    list[CustomerId] | None, Query(max_length=50, description="Ids of customers who were found to be this one.")
]


class Section(NamedTuple):
    """One kind of what is held."""

    name: str
    about: str
    """A sentence for the person whom it is about."""
    read: Callable[[Sequence[str], str | None, int], Awaitable[Piece]]
    """Of these customers, from that place on, about so many."""


class HeldItem(BaseModel):
    """One thing that is held."""

    section: str
    data: dict[str, Any]


class HeldPage(BaseModel):
    """A part of all that a service holds. `about`: what its sections are; also those of which nothing is held."""

    service: str
    about: dict[str, str]
    items: list[HeldItem]
    next: Annotated[str | None, Field(description="The cursor of the following part; null: that was all.")] = None


class Holder(Protocol):
    """Whoever tells what is held."""

    async def page(self, customers: Sequence[str], cursor: str | None, limit: int) -> HeldPage: ...


class Held:
    """What one service holds, section by section."""

    def __init__(self, service: str, sections: Sequence[Section]) -> None:
        self.service = service
        self.sections = sections

    async def page(self, customers: Sequence[str], cursor: str | None, limit: int) -> HeldPage:
        """Items of one section at most; nothing is held of whoever is not known here."""
        number, place = self._start(cursor)
        about = {section.name: section.about for section in self.sections}
        while number < len(self.sections):
            section = self.sections[number]
            found, place = await section.read(customers, place, limit)
            if place is None:
                number += 1
            if found:
                items = [HeldItem(section=section.name, data=plain(one)) for one in found]
                more = number < len(self.sections)
                next_ = encode_cursor({"section": number, "place": place}) if more else None
                return HeldPage(service=self.service, about=about, items=items, next=next_)
        return HeldPage(service=self.service, about=about, items=[])

    def _start(self, cursor: str | None) -> tuple[int, str | None]:
        if not cursor:
            return 0, None
        told = decode_cursor(cursor)
        number, place = told.get("section"), told.get("place")
        if type(number) is not int or not 0 <= number < len(self.sections) or not isinstance(place, str | None):
            raise bad_cursor()
        return number, place


def held_routes(held: Holder, trail: Trail) -> APIRouter:
    """To be included before routes of `/v1/customers` that take any word for an id."""
    routes = APIRouter(prefix="/v1/customers", tags=["privacy"], dependencies=[TAKES_PURPOSE])

    @routes.get("/{customer_id}/held", summary="All that this service holds on a customer")
    async def read_held(
        exporter: Exporter, customer_id: CustomerId, also: Also = None, cursor: Cursor = None, limit: Limit = 500
    ) -> HeldPage:
        """Of this id and those in `also`, which are not looked for here. Each call is in the audit trail."""
        customers = [customer_id, *(also or ())]
        page = await held.page(customers, cursor, limit)
        await trail.write(Accessed("held", exporter, customers))
        return page

    return routes


def plain(value: Any) -> Any:
    """As JSON has it: exact amounts and times as texts, keys as texts."""
    match value:
        case BaseModel():
            return value.model_dump(mode="json", exclude_none=True)
        case Mapping():
            return {str(name): plain(one) for name, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(one) for one in value]
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Decimal128() | Decimal():
            return str(value)
        case bytes():
            return f"{len(value)} bytes"
    return value


def by_id(
    collection: Collection, wanted: Callable[[Sequence[str]], Document], read: Callable[[Document], Item]
) -> Callable[[Sequence[str], str | None, int], Awaitable[Piece]]:
    """A section's `read` over the documents of some customers, in the order of their ids: each once, also if it is about two."""

    async def reading(customers: Sequence[str], place: str | None, limit: int) -> Piece:
        theirs = wanted(customers)
        after = {"$and": [theirs, {"_id": {"$gt": place}}]} if place else theirs
        found = await collection.find(after).sort("_id", 1).limit(limit).to_list(None)
        # First, as `read` may take a document apart.
        following = found[-1]["_id"] if len(found) == limit else None
        return [read(one) for one in found], following

    return reading


def having(field: str) -> Callable[[Sequence[str]], Document]:
    """For `by_id`: documents that name one of the customers in a field."""
    return lambda customers: {field: {"$in": list(customers)}}


def whole(document: Document) -> Item:
    """For `by_id`: all of a document, its `_id` as `id`."""
    return {"id": document["_id"], **{name: value for name, value in document.items() if name != "_id"}}


def held_links(database: Database) -> Section:
    """Of services that keep who is one with whom."""
    about = "Which of your ids were found to be the same person's, and into which other one; nothing there: no more."
    return Section("links", about, by_id(database[LINKS], naming, _link))


def _link(row: Document) -> Item:
    return {"customer_id": row["_id"], "merged_into": row["into"]}
