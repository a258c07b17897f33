"""What channels have told becomes history: each sale and each interaction once, under its customer, and told on."""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from services.interactions.domain import (
    Batch,
    Entry,
    Identity,
    NotAcceptable,
    Order,
    Tally,
    check,
    identity_of,
    is_foreign,
    name_of,
)
from services.interactions.handlers.identities import Identities
from shared.contracts.channels import SaleReported
from shared.contracts.interactions import INTERACTIONS, SALES, OrderPlaced
from shared.messaging import Received, Unit


class History(Protocol):
    """Where entries are kept. All calls of one batch are made in its transaction, which `session` stands for."""

    async def known_names(self, names: Collection[str], session: Any) -> set[str]: ...

    async def known_orders(self, orders: Collection[Order], session: Any) -> set[Order]: ...

    async def add(self, entries: Sequence[Entry], session: Any) -> None: ...

    async def count(self, counter: str, tally: Tally, session: Any) -> None: ...


class Recording:
    """Records the batches of `crm.inbound`."""

    def __init__(self, history: History, identities: Identities, currency: str) -> None:
        self._history = history
        self._identities = identities
        self._currency = currency

    async def resolve(self, events: Sequence[Received]) -> dict[Identity, str]:
        """Before the transaction: the customers. A sale that will be refused for its currency makes no prospect."""
        acceptable = (event.fact for event in events if not is_foreign(event.fact, self._currency))
        return await self._identities.resolve(fact.customer for fact in acceptable)

    async def record(self, unit: Unit, events: Sequence[Received]) -> None:
        """In the transaction: refuse, drop duplicates, keep and tell the rest."""
        # Refused first: what is refused leaves no trace in the history, so its replay is no duplicate.
        acceptable = [event for event in events if self._acceptable(unit, event)]
        if not acceptable:
            return
        batch = await self._batch(unit, acceptable)
        for event in acceptable:
            customer_id = unit.prepared[identity_of(event.fact.customer)]
            entry = batch.take(event.fact, source=event.source, event_id=event.id, customer_id=customer_id)
            if entry:
                topic = SALES if isinstance(entry.fact, OrderPlaced) else INTERACTIONS
                unit.publish(topic, entry.fact, key=customer_id, cause=event)
        if batch.entries:
            await self._history.add(batch.entries, unit.session)
        await self._history.count(_counter(acceptable), batch.tally, unit.session)

    async def _batch(self, unit: Unit, events: Sequence[Received]) -> Batch:
        names = {name_of(event.source, event.id) for event in events}
        orders = {(event.source, event.fact.order) for event in events if isinstance(event.fact, SaleReported)}
        known_names = await self._history.known_names(names, unit.session)
        return Batch(known_names, await self._history.known_orders(orders, unit.session) if orders else ())

    def _acceptable(self, unit: Unit, event: Received) -> bool:
        try:
            check(event.fact, self._currency)
        except NotAcceptable as fault:
            unit.reject(event, fault.reason, f"{fault.field}: {fault.detail}")
            return False
        return True


def _counter(events: Sequence[Received]) -> str:
    """The counter that a batch adds to: its own as long as its partitions are, so that instances do not collide."""
    return min(f"{event.topic}:{event.partition}" for event in events)
