"""The routes of those who are not to be contacted: one customer by one, or lists of addresses."""

from collections.abc import Sequence
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.contacts.api.entering import author, etag, rows_of
from services.contacts.domain.identities import normalised
from services.contacts.handlers.barring import Bar, Barring, CustomerBar, Listing
from shared.contracts.contacts import Contact, DoNotContact
from shared.contracts.fact import Code, CustomerId, Deadline, Identifier
from shared.http import Problem
from shared.idempotency import TAKES_KEY, Answer, idempotent
from shared.messaging import Messaging, Unit
from shared.security import TAKES_PURPOSE, Principal, require

Writer = Annotated[Principal, Depends(require("contacts:write", rows=True))]
Lister = Annotated[Principal, Depends(require("contacts:write"))]
Reader = Annotated[Principal, Depends(require("contacts:read"))]
Channel = Annotated[Code, Path(description="`any`: on every channel.", examples=["phone"])]
MAX_ADDRESSES = 10_000
Because = Annotated[
    Code, Field(description="`asked`, `deceased`, `robinson-list`, `bounced`, `legal`, or a word of your own.")
]


class Lasting(BaseModel):
    """Why somebody is not to be contacted, from when on, and until when."""

    reason: Because
    since: Annotated[
        Deadline | None,
        Field(
            description="May lie ahead. Null: from now on. What is in force stays so since when it was, if that is earlier."
        ),
    ] = None
    until: Annotated[Deadline | None, Field(description="Lies ahead. Null: for good.")] = None

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.since and self.until and self.since >= self.until:
            raise ValueError("until must be later than since")
        return self


class NewBar(Lasting):
    """Why nobody may approach a customer, from when on, and until when."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "asked"}]})


class Bars(BaseModel):
    """What bars approaching a customer, of all sources; those with a source in `/lists/` follow from lists."""

    version: Annotated[int, Field(description="Of the contact.")]
    do_not_contact: list[DoNotContact]


class Addresses(BaseModel):
    """Addresses on a list."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"list": "robinson-2026", "addresses": ["email:ann@example.org"]}]},
    )

    list: Annotated[Code, Field(description="Which list: addresses are taken off it again by its name.")]
    channel: Annotated[
        Code | None, Field(description="Null: e-mail for `email:`, telephone for `phone:`, any for others.")
    ] = None
    addresses: Annotated[
        Sequence[Annotated[str, Field(min_length=3, max_length=330)]],
        Field(
            min_length=1, max_length=MAX_ADDRESSES, description="Each `email:...`, `phone:+49...`, or `scheme:value`."
        ),
    ]


class NewAddresses(Addresses, Lasting):
    """Addresses for a list, why they are on it, from when on, and until when."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "list": "robinson-2026",
                    "reason": "robinson-list",
                    "addresses": ["email:ann@example.org", "phone:+493012345678"],
                    "since": "2026-12-01T00:00:00Z",
                }
            ]
        },
    )


class Taken(BaseModel):
    """How many addresses were sent, each counted once. Whose they are, and whether they were on the list, is not said."""

    taken: int


class ListBody(BaseModel):
    """A list."""

    list: str
    entries: int
    ahead: Annotated[int, Field(description="Of these, how many are still to begin.")]
    waiting: Annotated[int, Field(description="Entries that still have to be held against the contacts there are.")]


class Lists(BaseModel):
    """All lists there are, by name."""

    items: list[ListBody]


def router(barring: Barring, messaging: Messaging) -> APIRouter:
    """The routes of one customer."""
    routes = APIRouter(prefix="/v1/contacts", tags=["consents"], dependencies=[TAKES_PURPOSE])
    path = "/{customer_id}/do-not-contact/{channel}"

    @routes.put(path, response_model=Bars, dependencies=[TAKES_KEY], summary="Bar approaching a customer")
    async def bar_contact(
        principal: Writer, customer_id: CustomerId, channel: Channel, bar: NewBar, request: Request
    ) -> Response:
        """Goes before any consent. Said again it is brought up to date. What is in force stays so since when it was, also if a later
        time is said: to free a customer takes `DELETE`. What was to begin later and is said again without a time begins.

        That it begins or ends is told to others at that moment; once it is over the contact is shown without it.
        """
        by = author(principal)
        said = CustomerBar(channel, bar.reason, by.source, bar.since, bar.until)

        async def change(unit: Unit) -> Answer:
            return _answer(await barring.bar(unit, customer_id, said, by, rows_of(principal)))

        return await idempotent(request, principal, messaging, change)

    @routes.delete(path, response_model=Bars, dependencies=[TAKES_KEY], summary="Lift what bars approaching a customer")
    async def free_contact(principal: Writer, customer_id: CustomerId, channel: Channel, request: Request) -> Response:
        """What was said of the customer for this channel. What follows from lists is lifted there."""

        async def change(unit: Unit) -> Answer:
            return _answer(await barring.free(unit, customer_id, channel, author(principal), rows_of(principal)))

        return await idempotent(request, principal, messaging, change)

    return routes


def lists(listing: Listing) -> APIRouter:
    """The routes of lists. Keys that are limited to some contacts have none of it: a list is about everybody."""
    routes = APIRouter(prefix="/v1/do-not-contact", tags=["consents"])

    @routes.get("", summary="List the lists")
    async def list_lists(_: Reader) -> Lists:
        sizes = await listing.sizes()
        return Lists(items=[ListBody(list=name, **vars(size)) for name, size in sizes.items()])

    @routes.post("", status_code=202, summary="Put addresses on a list")
    async def list_addresses(_: Lister, new: NewAddresses) -> Taken:
        """They hold for whoever is registered from now on, and within seconds for contacts there are.

        With a `since` that lies ahead those have it at once, and it is in force from then on; that it begins is told to others at
        that moment. Kept as keyed digests: nobody can read them again. Sent again they change nothing. What is in force stays so
        since when it was, also if a later time is sent; `removal` ends it.
        """
        addresses = _addresses(new.addresses)
        await listing.put(Bar(new.list, new.reason, new.channel, new.since, new.until), addresses)
        return Taken(taken=len(addresses))

    @routes.post("/removal", status_code=202, summary="Take addresses off a list")
    async def unlist_addresses(_: Lister, gone: Addresses) -> Taken:
        """Within seconds contacts are free of what followed from them."""
        addresses = _addresses(gone.addresses)
        await listing.end(Bar(gone.list, "", gone.channel), addresses)
        return Taken(taken=len(addresses))

    return routes


def _addresses(told: Sequence[str]) -> list[str]:
    """As they are compared, each once. Raises Problem, which names the first that is none."""
    return list(dict.fromkeys(_address(index, text) for index, text in enumerate(told)))


def _address(index: int, text: str) -> str:
    scheme, _, value = text.partition(":")
    try:
        return str(normalised(Identifier(scheme=scheme, value=value)))
    except ValidationError:
        raise Problem(422, errors=[(f"body.addresses.{index}", "is no `scheme:value`")]) from None


def _answer(contact: Contact) -> Answer:
    bars = Bars(version=contact.version, do_not_contact=contact.do_not_contact)
    return Answer(200, bars, {"etag": etag(contact)})
