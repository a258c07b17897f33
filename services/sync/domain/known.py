"""What is known of one customer, and its JSON as `shared.contracts.sync.CustomerView` wants it. The rules are in `view`.

Views are written many times a second and looked into hardly ever, so what no rule compares is kept as the JSON that it
is told in. A model of the contract for each of them would cost ten times as much.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel

NULL, EMPTY = b"null", b"[]"


class Sales(NamedTuple):
    """A customer's orders in figures, less those cancelled and what was returned; first and last of all ever placed."""

    orders: int = 0
    total: Decimal = Decimal(0)
    currency: str | None = None
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    returned: Decimal = Decimal(0)
    cancelled: int = 0


class Known(NamedTuple):
    """All that is known of a customer. What is bytes is JSON."""

    contact: bytes = NULL
    contact_version: int = 0
    sales: Sales = Sales()
    interactions: int = 0
    recent_interactions: bytes = EMPTY
    campaigns: bytes = EMPTY
    score: bytes = NULL
    scored_at: datetime | None = None
    merged_into: str | None = None
    """The customer who this one was found to be; then nothing else is known in here."""
    restricted: bool = False
    """What is known must not be used. In a part, what contacts has said; in a view, that nothing of it is in here."""

    def identifiers(self) -> list[str]:
        contact = orjson.loads(self.contact)
        return [f"{i['scheme']}:{i['value']}" for i in contact["identifiers"]] if contact else []


NOTHING = Known()


def part(model: BaseModel) -> bytes:
    """The JSON of a part of a fact."""
    return model.__pydantic_serializer__.to_json(model)


def written(customer_id: str, version: int, changed_at: datetime, known: Known) -> bytes:
    """The view as JSON."""
    view: dict[str, Any] = {
        "customer_id": customer_id,
        "version": version,
        "changed_at": changed_at,
        "contact": orjson.Fragment(known.contact),
        "sales": summary(known.sales),
        "interactions": known.interactions,
        "recent_interactions": orjson.Fragment(known.recent_interactions),
        "campaigns": orjson.Fragment(known.campaigns),
        "score": orjson.Fragment(known.score),
    }
    if known.merged_into:
        view["merged_into"] = known.merged_into
    if known.restricted:
        view["restricted"] = True
    return orjson.dumps(view, option=orjson.OPT_UTC_Z)


def summary(sales: Sales) -> dict[str, Any]:
    """As `shared.contracts.sync.SalesSummary` has it: what hardly any customer has is absent from the others."""
    figures: dict[str, Any] = {
        "orders": sales.orders,
        "total": str(sales.total),
        "currency": sales.currency,
        "first_order_at": sales.first_order_at,
        "last_order_at": sales.last_order_at,
    }
    if sales.returned:
        figures["returned"] = str(sales.returned)
    if sales.cancelled:
        figures["cancelled"] = sales.cancelled
    return figures


def read(view: str | bytes) -> tuple[int, datetime, Known]:
    """Version, time of the change, and what is known; the way back from `written`."""
    document: dict[str, Any] = orjson.loads(view)
    contact, score, sales = document["contact"], document["score"], document["sales"]
    known = Known(
        contact=orjson.dumps(contact),
        contact_version=contact["version"] if contact else 0,
        sales=Sales(
            sales["orders"],
            Decimal(sales["total"]),
            sales["currency"],
            moment(sales["first_order_at"]),
            moment(sales["last_order_at"]),
            Decimal(sales.get("returned", 0)),
            sales.get("cancelled", 0),
        ),
        interactions=document["interactions"],
        recent_interactions=orjson.dumps(document["recent_interactions"]),
        campaigns=orjson.dumps(document["campaigns"]),
        score=orjson.dumps(score),
        scored_at=moment(score["as_of"]) if score else None,
        merged_into=document.get("merged_into"),
        restricted=document.get("restricted", False),
    )
    return document["version"], datetime.fromisoformat(document["changed_at"]), known


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
