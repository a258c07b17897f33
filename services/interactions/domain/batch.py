"""A batch of reported facts, sorted one by one and in order into what is new in the history and what is in it already."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from services.interactions.domain.checks import LARGEST_TOTAL, NotAcceptable
from services.interactions.domain.entries import Entry, Event, Order, Tally
from services.interactions.domain.facts import (
    contract_changed,
    interaction_recorded,
    order_cancelled,
    order_placed,
    order_returned,
    sum_of,
)
from services.interactions.domain.orders import (
    MOST_RESTOCKED,
    MOST_WAITING,
    Cancellation,
    Changes,
    Return,
    Reversal,
    Standing,
)
from shared.contracts.channels import (
    CancellationReported,
    ContractReported,
    InteractionReported,
    ReturnReported,
    SaleReported,
)
from shared.contracts.fact import Reason
from shared.contracts.interactions import Restocked

Told = SaleReported | InteractionReported | ReturnReported | CancellationReported | ContractReported


class Telling(NamedTuple):
    """A new entry, and the event that it goes back to, if that is not the one that was taken."""

    entry: Entry
    waited: Event | None = None


class Batch:
    """Of one event, one order and one return of a channel, the first stays. An order is void once.

    What is told of an order before the order itself waits for it, and is told in the same breath.
    """

    def __init__(
        self,
        known_names: Iterable[str],
        known_orders: Mapping[Order, Standing],
        known_returns: Collection[Order] = (),
        currency: str = "USD",
    ) -> None:
        self._names = set(known_names)
        self._orders = dict(known_orders)
        self._returns = set(known_returns)
        self._currency = currency
        self._entries: dict[str, Entry] = {}
        self.changes = Changes()
        self.tally = Tally()

    @property
    def entries(self) -> list[Entry]:
        """New in the history, as it stands after all that was taken."""
        return list(self._entries.values())

    def take(self, fact: Told, event: Event, customer_id: str = "") -> Sequence[Telling]:
        """What is new by it, to be told in this order. Raises NotAcceptable.

        The customer is of no interest where the order says it.
        """
        name = event.name
        if name in self._names:
            self.tally.duplicates += 1
            return ()
        match fact:
            case SaleReported():
                return self._take_sale(fact, event, name, customer_id)
            case InteractionReported():
                recorded = interaction_recorded(fact, source=event.source, name=name, customer_id=customer_id)
                return [Telling(self._keep(Entry(recorded, event.id), name))]
            case ContractReported():
                who = {"source": event.source, "name": name, "customer_id": customer_id}
                changed = contract_changed(fact, **who, currency=self._currency)
                return [Telling(self._keep(Entry(changed, event.id), name))]
            case ReturnReported():
                return self._take_return(fact, event)
            case CancellationReported():
                return self._take_cancellation(fact, event)

    def _take_sale(self, sale: SaleReported, event: Event, name: str, customer_id: str) -> Sequence[Telling]:
        order = event.source, sale.order
        known = self._orders.get(order)
        if known and known.placed:
            self.tally.duplicate_orders += 1
            return ()
        placed = order_placed(sale, source=event.source, name=name, customer_id=customer_id)
        standing = self._orders[order] = Standing(placed)
        tellings = [Telling(self._keep(Entry(placed, event.id, sale.order), name))]
        if known:
            tellings += self._end_waiting(order, known, standing)
        return tellings

    def _end_waiting(self, order: Order, awaited: Standing, standing: Standing) -> Iterator[Telling]:
        self.changes.awaited.pop(order, None)
        if awaited.kept:
            self.changes.arrived[order] = awaited
        for reversal in awaited.waiting:
            self.tally.waiting -= 1
            yield Telling(self._reverse(reversal, standing), reversal.event)

    def _take_return(self, fact: ReturnReported, event: Event) -> Sequence[Telling]:
        number = event.source, fact.number
        if number in self._returns:
            self.tally.duplicate_returns += 1
            return ()
        standing = self._standing(event, fact.order)
        told = Return(event, fact.order, fact.number, fact.returned_at, fact.currency, sum_of(fact.lines), fact.lines)
        _check_return(told, standing)
        tellings = self._reverse_or_wait(told, standing)
        self._returns.add(number)
        return tellings

    def _take_cancellation(self, fact: CancellationReported, event: Event) -> Sequence[Telling]:
        standing = self._standing(event, fact.order)
        if standing.cancelled_at:
            self.tally.duplicate_cancellations += 1
            return ()
        return self._reverse_or_wait(Cancellation(event, fact.order, fact.cancelled_at, fact.reason), standing)

    def _standing(self, event: Event, number: str) -> Standing:
        return self._orders.get((event.source, number)) or Standing()

    def _reverse_or_wait(self, told: Reversal, standing: Standing) -> Sequence[Telling]:
        if standing.placed:
            return [Telling(self._reverse(told, standing))]
        if len(standing.waiting) >= MOST_WAITING:
            detail = f"{MOST_WAITING} returns wait for this order already, which has not been told"
            raise NotAcceptable(Reason.INVALID_DATA, detail, "order")
        standing.take(told)
        standing.waiting += (told,)
        order = told.event.source, told.order
        self._orders[order] = self.changes.awaited[order] = standing
        self._names.add(told.event.name)
        self.tally.waiting += 1
        return ()

    def _reverse(self, told: Reversal, standing: Standing) -> Entry:
        placed = standing.placed
        assert placed is not None, "what is awaited cannot be reversed yet"
        if isinstance(told, Return):
            back = order_returned(told, placed, standing)
            entry = Entry(back, told.event.id, told.order, told.number)
            if back.restocked:
                goods = Restocked.model_construct(return_id=entry.name, returned_at=told.at, lines=back.restocked)
                standing.restocked += (goods,)
        else:
            entry = Entry(order_cancelled(told, placed, standing), told.event.id, told.order)
        standing.take(told)
        if new := self._entries.get(placed.order_id):
            self._entries[placed.order_id] = standing.amends(new)
        else:
            self.changes.amended[told.event.source, told.order] = standing
        return self._keep(entry, entry.name)

    def _keep(self, entry: Entry, name: str) -> Entry:
        self._names.add(name)
        self._entries[name] = entry
        self.tally.add(entry)
        return entry


def _check_return(told: Return, standing: Standing) -> None:
    if standing.placed and standing.placed.currency != told.currency:
        raise NotAcceptable(Reason.WRONG_CURRENCY, f"the order is in {standing.placed.currency}", "currency")
    if standing.returned + told.total >= LARGEST_TOTAL:
        raise NotAcceptable(Reason.INVALID_DATA, "what was returned of the order sums up to 10^12 or more", "lines")
    if (restocked := len(told.restocked)) and standing.restocked_lines + restocked > MOST_RESTOCKED:
        detail = f"more than {MOST_RESTOCKED} lines of what was returned of the order are restocked"
        raise NotAcceptable(Reason.INVALID_DATA, detail, "lines")
