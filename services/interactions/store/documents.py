"""How a line of the history looks in MongoDB, and back. Absent fields are absent; `lines` has those of goods.

An order has `order`, a return `return`, what happened to a contract `contract`, and both of what reverses an order say under
`of` which one. What is told of an order that nobody has told yet has `waiting` and no customer: it is no line of the history
so far. Which goods are back on the shelf, the order knows (`restocked`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from pymongo.read_concern import ReadConcern

from services.interactions.domain import CANCELLATION, CONTRACT, RETURN, Cancellation, Entry, Event, Return, Reversal
from services.interactions.store.lines import decimal, exact, return_line, return_lines, sale_line, sale_lines
from shared.contracts.interactions import (
    ContractChanged,
    InteractionRecorded,
    OrderCancelled,
    OrderPlaced,
    OrderReturned,
    Restocked,
)
from shared.mongo import Document

ZERO = Decimal(0)
SETTLED = ReadConcern("majority")
"""For reads outside transactions: what they have shown is there for every transaction that begins afterwards."""


def to_document(entry: Entry) -> Document:
    fact = entry.fact
    document: Document = {
        "_id": entry.name,
        "customer": fact.customer_id,
        "kind": entry.kind,
        "channel": fact.channel,
        "at": entry.at,
        "event": entry.event_id,
    }
    match fact:
        case OrderPlaced():
            return document | _order(fact, entry)
        case InteractionRecorded():
            return document | _interaction(fact)
        case OrderReturned():
            return document | {"of": _of(fact, entry), "return": entry.number} | _goods(fact)
        case ContractChanged():
            return document | _contract(fact)
    return document | {"of": _of(fact, entry), "currency": fact.currency, "total": exact(fact.total)} | _reason(fact)


def to_entry(document: Mapping[str, Any]) -> Entry:
    event_id = document["event"]
    if "order" in document:
        returned = decimal(document["returned"]) if "returned" in document else ZERO
        since_when = document.get("cancelled_at")
        placed, number = _order_placed(document), document["order"]
        return Entry(placed, event_id, number, None, returned, since_when, to_restocked(document))
    if "contract" in document:
        return Entry(_contract_changed(document), event_id)
    if "of" not in document:
        return Entry(_interaction_recorded(document), event_id)
    of = document["of"]["order"]
    if "return" in document:
        return Entry(_order_returned(document), event_id, of, document["return"])
    return Entry(_order_cancelled(document), event_id, of)


def waiting_document(told: Reversal) -> Document:
    """What waits for its order."""
    event = told.event
    document: Document = {
        "_id": event.name,
        "waiting": True,
        "kind": RETURN if isinstance(told, Return) else CANCELLATION,
        "channel": event.source,
        "at": told.at,
        "event": event.id,
        "of": {"order": told.order},
        "correlation": event.correlation_id,
        "told_at": event.time,
    }
    if isinstance(told, Return):
        return document | {"return": told.number} | _goods(told)
    return document | _reason(told)


def to_waiting(document: Mapping[str, Any]) -> Reversal:
    event = Event(document["channel"], document["event"], document["correlation"], document["told_at"])
    order, at = document["of"]["order"], document["at"]
    if "return" not in document:
        return Cancellation(event, order, at, document.get("reason"))
    total, lines = decimal(document["total"]), return_lines(document)
    return Return(event, order, document["return"], at, document["currency"], total, lines)


def _interaction(fact: InteractionRecorded) -> Document:
    told = {
        "direction": fact.direction,
        "campaign": fact.campaign,
        "minutes": None if fact.minutes is None else exact(fact.minutes),
        "summary": fact.summary,
        "attributes": fact.attributes or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _interaction_recorded(document: Mapping[str, Any]) -> InteractionRecorded:
    return InteractionRecorded(
        interaction_id=document["_id"],
        customer_id=document["customer"],
        channel=document["channel"],
        kind=document["kind"],
        occurred_at=document["at"],
        direction=document.get("direction"),
        campaign=document.get("campaign"),
        minutes=decimal(document["minutes"]) if "minutes" in document else None,
        summary=document.get("summary"),
        attributes=document.get("attributes", {}),
    )


def _contract(fact: ContractChanged) -> Document:
    document: Document = {"contract": fact.contract, "currency": fact.currency} | _reason(fact)
    return document | ({} if fact.price is None else {"price": exact(fact.price)})


def _contract_changed(document: Mapping[str, Any]) -> ContractChanged:
    return ContractChanged(
        change_id=document["_id"],
        customer_id=document["customer"],
        channel=document["channel"],
        contract=document["contract"],
        event=document["kind"].removeprefix(CONTRACT),
        happened_at=document["at"],
        reason=document.get("reason"),
        price=decimal(document["price"]) if "price" in document else None,
        currency=document["currency"],
    )


def _order(fact: OrderPlaced, entry: Entry) -> Document:
    document: Document = {
        "order": entry.order,
        "currency": fact.currency,
        "total": exact(fact.total),
        "discount": exact(fact.discount),
        "lines": [sale_line(line) for line in fact.lines],
    }
    said = {"store": fact.store, "payment": fact.payment, "parcels": fact.parcels}
    document |= {name: value for name, value in said.items() if value is not None}
    return document | since(entry.returned, entry.cancelled_at, entry.restocked)


def since(returned: Decimal, cancelled_at: datetime | None, restocked: Sequence[Restocked]) -> Document:
    """What has become of an order since it was placed: of most, nothing."""
    changed: Document = {"returned": exact(returned)} if returned else {}
    if restocked:
        changed["restocked"] = [
            {"return": one.return_id, "at": one.returned_at, "lines": [sale_line(line) for line in one.lines]}
            for one in restocked
        ]
    return changed | ({"cancelled_at": cancelled_at} if cancelled_at else {})


def to_restocked(order: Mapping[str, Any]) -> tuple[Restocked, ...]:
    return tuple(
        Restocked(return_id=one["return"], returned_at=one["at"], lines=sale_lines(one))
        for one in order.get("restocked", ())
    )


def _of(fact: OrderReturned | OrderCancelled, entry: Entry) -> Document:
    return {"order": entry.order, "id": fact.order_id, "at": fact.ordered_at}


def _goods(told: OrderReturned | Return) -> Document:
    return {"currency": told.currency, "total": exact(told.total), "lines": [return_line(line) for line in told.lines]}


def _reason(told: OrderCancelled | Cancellation | ContractChanged) -> Document:
    return {} if told.reason is None else {"reason": told.reason}


def _order_placed(document: Mapping[str, Any]) -> OrderPlaced:
    return OrderPlaced(
        order_id=document["_id"],
        customer_id=document["customer"],
        channel=document["channel"],
        ordered_at=document["at"],
        store=document.get("store"),
        payment=document.get("payment"),
        parcels=document.get("parcels"),
        currency=document["currency"],
        total=decimal(document["total"]),
        discount=decimal(document["discount"]),
        lines=sale_lines(document),
    )


def _order_returned(document: Mapping[str, Any]) -> OrderReturned:
    return OrderReturned(
        return_id=document["_id"],
        order_id=document["of"]["id"],
        customer_id=document["customer"],
        channel=document["channel"],
        returned_at=document["at"],
        ordered_at=document["of"]["at"],
        currency=document["currency"],
        total=decimal(document["total"]),
        lines=return_lines(document),
    )


def _order_cancelled(document: Mapping[str, Any]) -> OrderCancelled:
    return OrderCancelled(
        order_id=document["of"]["id"],
        customer_id=document["customer"],
        channel=document["channel"],
        cancelled_at=document["at"],
        ordered_at=document["of"]["at"],
        currency=document["currency"],
        total=decimal(document["total"]),
        reason=document.get("reason"),
    )
