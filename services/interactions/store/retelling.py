"""Lines of the history as the facts that were told of them, for whoever has lost what they made of these facts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from services.interactions.domain import Recorded
from services.interactions.store.documents import to_entry, to_restocked
from services.interactions.store.lines import decimal, sale_lines
from shared.contracts.interactions import OrderCancelled, OrderReturned


def told(row: Mapping[str, Any], orders: Mapping[str, Mapping[str, Any]]) -> Recorded:
    """The fact of a line. What it tells beyond its own line, its order knows: `orders` by id, of lines that reverse one."""
    fact = to_entry(row).fact
    if isinstance(fact, OrderReturned):
        order = orders[fact.order_id]
        goods = [line for back in to_restocked(order) if back.return_id == fact.return_id for line in back.lines]
        return fact.model_copy(update={"restocked": goods})
    if isinstance(fact, OrderCancelled):
        return _cancelled(fact, orders[fact.order_id])
    return fact


def _cancelled(fact: OrderCancelled, order: Mapping[str, Any]) -> OrderCancelled:
    """What was voided is what was left: the rest had been returned before."""
    returned: Decimal = decimal(order["total"]) - fact.total
    more = {
        "returned": returned,
        "payment": order.get("payment"),
        "parcels": order.get("parcels"),
        "lines": sale_lines(order),
        "restocked": list(to_restocked(order)),
    }
    return fact.model_copy(update=more)
