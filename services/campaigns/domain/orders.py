"""Orders as far as the effect of campaigns needs them: each once, its money less what was returned, none that is void."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from shared.contracts.interactions import OrderCancelled, OrderPlaced, OrderReturned
from shared.moments import to_the_millisecond

SaleFact = OrderPlaced | OrderReturned | OrderCancelled


@dataclass(frozen=True, slots=True)
class Order:
    """An order, or what is known of it. What is taken from an order may be told before it, and is then less than zero."""

    order_id: str
    customer_id: str
    ordered_at: datetime
    total: Decimal
    """Less all that was returned."""
    placed: bool = True
    cancelled: bool = False

    @property
    def counts(self) -> bool:
        return self.placed and not self.cancelled


class Orders:
    """The orders of a batch: what is new of them, and what has changed of those that were known."""

    def __init__(self, known: Mapping[str, Order] | None = None, known_returns: Collection[str] = ()) -> None:
        self._known = known or {}
        self._known_returns = known_returns
        self.new: dict[str, Order] = {}
        self.amended: dict[str, Order] = {}
        self.returns: dict[str, OrderReturned] = {}
        """New ones, by id."""

    def take(self, fact: SaleFact) -> bool:
        """Whether the fact is news. In any order, the same facts give the same orders."""
        before = self.new.get(fact.order_id) or self.amended.get(fact.order_id) or self._known.get(fact.order_id)
        match fact:
            case OrderPlaced():
                after = _placed(before, fact)
            case OrderReturned():
                after = self._returned(before, fact)
            case OrderCancelled():
                after = _cancelled(before, fact)
        if after is None:
            return False
        changed = self.amended if fact.order_id in self._known else self.new
        changed[fact.order_id] = after
        return True

    def _returned(self, order: Order | None, fact: OrderReturned) -> Order | None:
        if fact.return_id in self._known_returns or fact.return_id in self.returns:
            return None
        self.returns[fact.return_id] = fact
        order = order or _awaited(fact)
        return replace(order, total=order.total - fact.total)


def _placed(order: Order | None, fact: OrderPlaced) -> Order | None:
    if order is None:
        return Order(fact.order_id, fact.customer_id, to_the_millisecond(fact.ordered_at), fact.total)
    return None if order.placed else replace(order, total=order.total + fact.total, placed=True)


def _cancelled(order: Order | None, fact: OrderCancelled) -> Order | None:
    order = order or _awaited(fact)
    return None if order.cancelled else replace(order, total=order.total - fact.total, cancelled=True)


def _awaited(fact: OrderReturned | OrderCancelled) -> Order:
    at = to_the_millisecond(fact.ordered_at)
    return Order(fact.order_id, fact.customer_id, at, Decimal(0), placed=False)
