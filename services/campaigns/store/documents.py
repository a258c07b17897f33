"""Profiles as documents and back. Money is Decimal128, codes lose their dots in keys, every section is written whole."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.campaigns.domain.answers import Answer, Ban
from services.campaigns.domain.orders import Order
from services.campaigns.domain.profile import Figures, Profile, Sales, Section, Seen
from services.campaigns.store.queries import code, key
from shared.contracts.interactions import OrderReturned
from shared.decimals import to_decimal, to_decimal128

Document = dict[str, Any]


def section(profile: Profile, name: Section) -> Document | bool:
    """One section as it is stored. Absent values are left out, so that `exists` means the same everywhere."""
    figures = profile.whole or profile
    match name:
        case "contact":
            return {
                **profile.contact,
                "attributes": {key(name): value for name, value in profile.attributes.items()},
                **answers_document(profile),
                **({"absorbed": list(profile.absorbed)} if profile.absorbed else {}),
            }
        case "score":
            return {name: stored(value) for name, value in profile.score.items()}
        case "sales":
            return sales_document(figures.sales) if figures.sales != Sales() else {}
        case "restricted":
            return figures.restricted
        case "interactions":
            return interactions_document(figures) if figures.interactions.count else {}
        case "bond":
            return {}


def bond(profile: Profile) -> Document:
    """With whom a customer is one; a survivor's own figures stand beside those of all. What is empty is not stored."""
    own = profile.own()
    figures: Document = {"sales": sales_document(own.sales), "interactions": interactions_document(own)}
    if own.restricted:
        figures["restricted"] = True
    return {"merged_into": profile.merged_into, "members": profile.members, "own": figures if profile.members else {}}


def interactions_document(figures: Figures | Profile) -> Document:
    kinds = {key(kind): seen_document(seen) for kind, seen in figures.kinds.items()}
    return {**seen_document(figures.interactions), "kinds": kinds}


def sales_document(sales: Sales) -> Document:
    """Zeros that nearly everybody has are left out: to a rule, what is not there is zero."""
    document: Document = {
        "orders": sales.orders,
        "total": to_decimal128(sales.total),
        "first_order_at": sales.first_order_at,
        "last_order_at": sales.last_order_at,
    }
    if sales.returned:
        document["returned"] = to_decimal128(sales.returned)
    if sales.cancelled:
        document["cancelled"] = sales.cancelled
    return document


def seen_document(seen: Seen) -> Document:
    return {"count": seen.count, "last_at": seen.last_at}


def answers_document(profile: Profile) -> Document:
    """What nearly nobody has is not stored: when grants end, and who must not be approached."""
    document: Document = {"consents": keyed(profile, lambda answer: answer.word)}
    until = keyed(profile, lambda answer: answer.until)
    if until := {purpose: ends for purpose, ends in until.items() if ends}:
        document["consents_until"] = until
    if profile.do_not_contact:
        document["do_not_contact"] = [
            {name: value for name, value in ban._asdict().items() if value} for ban in profile.do_not_contact
        ]
    return document


def keyed(profile: Profile, read: Callable[[Answer], str | datetime | None]) -> Document:
    return {
        key(purpose): {key(channel): value for channel, answer in by_channel.items() if (value := read(answer))}
        for purpose, by_channel in profile.consents.items()
    }


def stored(value: Any) -> Any:
    return to_decimal128(value) if isinstance(value, Decimal) else value


BOND = ("merged_into", "members", "own")
FOLDED = dict.fromkeys(("contact.version", "score.as_of", "sales", "interactions", "restricted", *BOND), 1)
"""What folding needs of a document. A newer contact or score replaces its section whole, so their content may stay away;
fetching and decoding it would cost more than folding does."""


def profile(document: Document) -> Profile:
    """As much of a profile as is in `FOLDED`, with nothing touched, and of a survivor the own figures only."""
    own = document.get("own", document)
    interactions = own.get("interactions", {})
    return Profile(
        customer_id=document["_id"],
        contact=document.get("contact", {}),
        score=document.get("score", {}),
        sales=sales(own["sales"]) if "sales" in own else Sales(),
        interactions=seen(interactions),
        kinds={code(kind): seen(known) for kind, known in interactions.get("kinds", {}).items()},
        restricted=own.get("restricted", False),
        merged_into=document.get("merged_into"),
        members=tuple(document.get("members", ())),
    )


ASKED = dict.fromkeys(
    (
        "restricted",
        "merged_into",
        "contact.time_zone",
        "contact.consents",
        "contact.consents_until",
        "contact.do_not_contact",
    ),
    1,
)
"""What says whether, and when, a customer may be contacted."""


def asked(document: Document) -> Profile:
    """As much of a profile as is in `ASKED`: of a survivor what holds of all."""
    contact = document.get("contact", {})
    ends = contact.get("consents_until", {})
    return Profile(
        customer_id=document["_id"],
        contact={"time_zone": contact["time_zone"]} if "time_zone" in contact else {},
        consents={
            code(purpose): {
                code(channel): Answer(word, ends.get(purpose, {}).get(channel)) for channel, word in by_channel.items()
            }
            for purpose, by_channel in contact.get("consents", {}).items()
        },
        do_not_contact=tuple(
            Ban(one["channel"], one["since"], one.get("until")) for one in contact.get("do_not_contact", ())
        ),
        restricted=document.get("restricted", False),
        merged_into=document.get("merged_into"),
    )


def sales(document: Document) -> Sales:
    returned = to_decimal(document["returned"]) if "returned" in document else Decimal(0)
    return Sales(
        document["orders"],
        to_decimal(document["total"]),
        document["first_order_at"],
        document["last_order_at"],
        returned,
        document.get("cancelled", 0),
    )


def order_row(order: Order) -> Document:
    """An order that does not count has no `ordered_at`, so that no campaign's window holds it."""
    document: Document = {"_id": order.order_id, "customer_id": order.customer_id, "total": to_decimal128(order.total)}
    if order.counts:
        return document | {"ordered_at": order.ordered_at}
    return document | {"uncounted_at": order.ordered_at, "placed": order.placed, "cancelled": order.cancelled}


def return_row(fact: OrderReturned) -> Document:
    """That it has been taken; its order's row has the money."""
    return {"_id": return_id(fact.return_id), "of": fact.order_id}


def return_id(told: str) -> Document:
    """No order's, whatever either is called."""
    return {"return": told}


def order(document: Document) -> Order:
    return Order(
        document["_id"],
        document["customer_id"],
        document["ordered_at"] if "ordered_at" in document else document["uncounted_at"],
        to_decimal(document["total"]),
        document.get("placed", True),
        document.get("cancelled", False),
    )


def seen(document: Document) -> Seen:
    count: int = document.get("count", 0)
    last_at: datetime | None = document.get("last_at")
    return Seen(count, last_at)
