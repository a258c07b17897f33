"""What channels have told becomes history: each event once, under its customer, and told on."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from services.interactions.domain import (
    Batch,
    Changes,
    Entry,
    Event,
    Identity,
    NotAcceptable,
    Order,
    Standing,
    Tally,
    Telling,
    check,
    identity_of,
    is_foreign,
    name_of,
)
from services.interactions.handlers.identities import Identities
from shared.contracts.channels import (
    CancellationReported,
    ContractReported,
    InteractionReported,
    ReturnReported,
    SaleReported,
)
from shared.contracts.interactions import INTERACTIONS, SALES, InteractionRecorded
from shared.messaging import Received, Unit

OF_AN_ORDER = (SaleReported, ReturnReported, CancellationReported)
NAMES_ITS_CUSTOMER = (SaleReported, InteractionReported, ContractReported)
"""The others concern the customer of their order, whomever they name."""


class History(Protocol):
    """Where entries are kept. All calls of one batch are made in its transaction, which `session` stands for."""

    async def known(
        self, names: Collection[str], orders: Collection[Order], session: Any
    ) -> tuple[set[str], Mapping[Order, Standing]]:
        """Which of these names are taken, and where those of the orders stand that are placed or awaited."""
        ...

    async def known_returns(self, returns: Collection[Order], session: Any) -> set[Order]:
        """Channels and their own numbers of returns, waiting ones too."""

    async def change(self, changes: Changes, session: Any) -> None:
        """Comes before `add`, which brings back under their names those that have waited."""

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
        naming = (event.fact for event in events if isinstance(event.fact, NAMES_ITS_CUSTOMER))
        return await self._identities.resolve(fact.customer for fact in naming if not is_foreign(fact, self._currency))

    async def record(self, unit: Unit, events: Sequence[Received]) -> None:
        """In the transaction: refuse, drop duplicates, keep and tell the rest."""
        # Refused first: what is refused leaves no trace in the history, so its replay is no duplicate.
        acceptable = [event for event in events if self._acceptable(unit, event)]
        if not acceptable:
            return
        batch = await self._batch(unit, acceptable)
        for event in acceptable:
            for telling in self._taken(unit, batch, event):
                _tell(unit, telling, event)
        if batch.changes:
            await self._history.change(batch.changes, unit.session)
        if batch.entries:
            await self._history.add(batch.entries, unit.session)
        await self._history.count(_counter(acceptable), batch.tally, unit.session)

    async def _batch(self, unit: Unit, events: Sequence[Received]) -> Batch:
        """With all that the history knows of the events. Without returns, that is one question."""
        names = {name_of(event.source, event.id) for event in events}
        orders = {(event.source, event.fact.order) for event in events if isinstance(event.fact, OF_AN_ORDER)}
        returns = {(event.source, event.fact.number) for event in events if isinstance(event.fact, ReturnReported)}
        known_names, known_orders = await self._history.known(names, orders, unit.session)
        known_returns = await self._history.known_returns(returns, unit.session) if returns else ()
        return Batch(known_names, known_orders, known_returns, self._currency)

    def _taken(self, unit: Unit, batch: Batch, event: Received) -> Sequence[Telling]:
        fact = event.fact
        customer_id = unit.prepared[identity_of(fact.customer)] if isinstance(fact, NAMES_ITS_CUSTOMER) else ""
        told = Event(event.source, event.id, event.correlation_id, event.time)
        try:
            return batch.take(fact, told, customer_id)
        except NotAcceptable as fault:
            unit.reject(event, fault.reason, f"{fault.field}: {fault.detail}")
            return ()

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


def _tell(unit: Unit, telling: Telling, cause: Received) -> None:
    """What has waited keeps its own event's correlation and time."""
    fact, waited = telling.entry.fact, telling.waited
    unit.publish(
        INTERACTIONS if isinstance(fact, InteractionRecorded) else SALES,
        fact,
        key=fact.customer_id,
        cause=cause,
        correlation_id=waited.correlation_id if waited else None,
        time=waited.time if waited else None,
    )
