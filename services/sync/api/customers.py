"""The routes of customers: their views, as told to channels that may know everything."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import chain
from typing import Annotated, Protocol

import orjson
from fastapi import APIRouter, Depends, Query, Response

from services.sync.api.bodies import CustomersSummary
from services.sync.domain.sensitive import Sensitive
from services.sync.handlers.channels import CustomerNotFound
from shared.audit import Accessed, Trail
from shared.contracts.fact import CustomerId
from shared.contracts.sensitive import SEE_SENSITIVE
from shared.contracts.sync import CustomerView
from shared.http import Cursor, Limit, Page, Problem, encode_cursor, text_of
from shared.security import TAKES_PURPOSE, Principal, require

Reader = Annotated[Principal, Depends(require("customers:read"))]
IdentifierText = Annotated[
    str | None, Query(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}:.{1,256}$", examples=["loyalty-card:4711"])
]


class Customers(Protocol):
    """The views, as the JSON they are stored as."""

    async def one(self, customer_id: str) -> bytes | None: ...

    async def identified(self, identifier: str, limit: int) -> list[bytes]: ...

    async def page(self, after: str, limit: int) -> list[tuple[str, bytes]]: ...

    async def sums(self) -> tuple[int, int, Decimal]: ...


def router(customers: Customers, sensitive: Sensitive, trail: Trail) -> APIRouter:
    routes = APIRouter(prefix="/v1/customers", tags=["customers"], dependencies=[TAKES_PURPOSE])

    async def seen(action: str, principal: Principal, views: Iterable[bytes]) -> list[bytes]:
        """As much of views as the caller may see. Whoever sees something sensitive is in the audit trail before they do."""
        if not principal.may(SEE_SENSITIVE):
            return [sensitive.without(view) for view in views]
        shown = list(views)
        if fields := {customer: names for customer, names in map(sensitive.shown_in, shown) if names}:
            await trail.write(Accessed(action, principal, sorted(fields), sorted({*chain(*fields.values())})))
        return shown

    @routes.get("", summary="List all customers, or find those of an identifier", response_model=Page[CustomerView])
    async def list_customers(
        principal: Reader, identifier: IdentifierText = None, cursor: Cursor = None, limit: Limit = 100
    ) -> Response:
        if identifier:
            may_ask(principal, identifier, sensitive)
            return page(await seen("find", principal, await customers.identified(identifier, limit)), None)
        found = await customers.page(text_of(cursor, "after") or "", limit)
        following = encode_cursor({"after": found[-1][0]}) if len(found) == limit else None
        return page(await seen("list", principal, (view for _, view in found)), following)

    @routes.get("/summary", summary="Sums over all customers")
    async def summarise_customers(_: Reader) -> CustomersSummary:
        count, orders, total = await customers.sums()
        return CustomersSummary(customers=count, orders=orders, total=f"{total:f}")

    @routes.get("/{customer_id}", summary="All that is known of one customer", response_model=CustomerView)
    async def get_customer(principal: Reader, customer_id: CustomerId) -> Response:
        view = await customers.one(customer_id)
        if view is None:
            raise CustomerNotFound(customer_id)
        [shown] = await seen("read", principal, [view])
        return as_json(shown)

    return routes


def may_ask(principal: Principal, identifier: str, sensitive: Sensitive) -> None:
    """To find somebody by an identifier is to know it."""
    scheme = identifier.partition(":")[0]
    if scheme in sensitive and not principal.may(SEE_SENSITIVE):
        error = ("query.identifier", f"`{scheme}` is sensitive: the key lacks the scope `{SEE_SENSITIVE}`")
        raise Problem(403, "Sensitive identifier", errors=[error])


def page(views: Iterable[bytes], following: str | None) -> Response:
    """A page of views that are JSON already."""
    return as_json(b'{"items":[%s],"next":%s}' % (b",".join(views), orjson.dumps(following)))


def as_json(content: bytes) -> Response:
    return Response(content, media_type="application/json")
