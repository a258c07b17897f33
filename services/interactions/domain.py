"""The rules of the history: what a reported sale or interaction becomes once its customer is known. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b

from shared.contracts.channels import InteractionReported, SaleLine, SaleReported
from shared.contracts.fact import Fact, Identifier, Reason
from shared.contracts.interactions import InteractionRecorded, OrderPlaced

ZERO = Decimal(0)
LARGEST_TOTAL = Decimal(10) ** 12
"""An order's total must stay below this, as any amount: lines may each be valid and their sum still not be."""
ORDER = "order"
"""The kind under which orders stand in the history."""

Identity = tuple[str, ...]
"""All identifiers by which one event names its customer, in the event's order, each as `scheme:value`."""

Order = tuple[str, str]
"""A channel and its own number of an order."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history: what was recorded, and under which names the channel told it."""

    fact: InteractionRecorded | OrderPlaced
    event_id: str
    """The CloudEvents id that the channel gave its event."""
    order: str | None = None
    """The channel's own number of the order, for orders."""

    @property
    def name(self) -> str:
        return self.fact.order_id if isinstance(self.fact, OrderPlaced) else self.fact.interaction_id

    @property
    def kind(self) -> str:
        return ORDER if isinstance(self.fact, OrderPlaced) else self.fact.kind

    @property
    def at(self) -> datetime:
        return self.fact.ordered_at if isinstance(self.fact, OrderPlaced) else self.fact.occurred_at


@dataclass(slots=True)
class Tally:
    """What a batch adds to the service's figures."""

    interactions: int = 0
    orders: int = 0
    total: Decimal = field(default_factory=Decimal)
    duplicates: int = 0
    """Events dropped because their (source, id) is in the history already."""
    duplicate_orders: int = 0
    """Events dropped because their channel has told the same order under another event id before: the first stays."""

    def add(self, entry: Entry) -> None:
        if isinstance(entry.fact, OrderPlaced):
            self.orders += 1
            self.total += entry.fact.total
        else:
            self.interactions += 1


class NotAcceptable(ValueError):
    """A reported fact keeps its contract and still cannot become part of the history."""

    def __init__(self, reason: Reason, detail: str, field: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.field = field


def name_of(*parts: str) -> str:
    """A name of 32 hex digits for what the parts identify together: the same parts, the same name, on every try."""
    return blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def identity_of(identifiers: Iterable[Identifier]) -> Identity:
    return tuple(f"{identifier.scheme}:{identifier.value}" for identifier in identifiers)


def is_foreign(fact: Fact, currency: str) -> bool:
    """Whether it is in a currency the company does not keep its books in."""
    return isinstance(fact, SaleReported) and fact.currency != currency


def check(fact: Fact, currency: str) -> None:
    """Refuse what keeps its contract and yet cannot be kept by this company, with the reason and the field at fault."""
    match fact:
        case SaleReported():
            _check_sale(fact, currency)
        case InteractionReported():
            _check_interaction(fact)


def _check_sale(sale: SaleReported, currency: str) -> None:
    if is_foreign(sale, currency):
        detail = f"this company keeps its books in {currency}, not in {sale.currency}"
        raise NotAcceptable(Reason.WRONG_CURRENCY, detail, "currency")
    if max(sums(sale.lines)) >= LARGEST_TOTAL:
        raise NotAcceptable(Reason.INVALID_DATA, "the lines sum up to 10^12 or more", "lines")


def _check_interaction(told: InteractionReported) -> None:
    if told.kind == ORDER:
        detail = f"`{ORDER}` is the kind of orders, which are told as {SaleReported.TYPE}"
        raise NotAcceptable(Reason.INVALID_DATA, detail, "kind")


def sums(lines: Iterable[SaleLine]) -> tuple[Decimal, Decimal]:
    """The exact value of all lines, and all their discounts. Most lines name none, and cost no arithmetic."""
    total = discount = ZERO
    for line in lines:
        total += line.value
        if "discounts" in line.model_fields_set:
            given = line.discounts
            discount += given.retail + given.coupon + given.coupon_match
    return total, discount


def order_placed(sale: SaleReported, *, source: str, name: str, customer_id: str) -> OrderPlaced:
    """The order under its customer, named after the event that told it first."""
    total, discount = sums(sale.lines)
    return OrderPlaced.model_construct(
        order_id=name,
        customer_id=customer_id,
        channel=source,
        ordered_at=sale.ordered_at,
        store=sale.store,
        currency=sale.currency,
        total=total,
        discount=discount,
        lines=sale.lines,
    )


def interaction_recorded(told: InteractionReported, *, source: str, name: str, customer_id: str) -> InteractionRecorded:
    """The interaction under its customer, named after its event."""
    return InteractionRecorded.model_construct(
        interaction_id=name,
        customer_id=customer_id,
        channel=source,
        kind=told.kind,
        occurred_at=told.occurred_at,
        direction=told.direction,
        campaign=told.campaign,
        summary=told.summary,
        attributes=told.attributes,
    )


class Batch:
    """Sorts a batch's facts, one by one and in order, into new entries of the history and what is in it already."""

    def __init__(self, known_names: Iterable[str], known_orders: Iterable[Order]) -> None:
        self._names = set(known_names)
        self._orders = set(known_orders)
        self.entries: list[Entry] = []
        self.tally = Tally()

    def take(
        self, fact: SaleReported | InteractionReported, *, source: str, event_id: str, customer_id: str
    ) -> Entry | None:
        """The new entry, or None for what is known. Of one event, and of one order of a channel, the first stays."""
        name = name_of(source, event_id)
        if name in self._names:
            self.tally.duplicates += 1
            return None
        if isinstance(fact, InteractionReported):
            recorded = interaction_recorded(fact, source=source, name=name, customer_id=customer_id)
            return self._keep(Entry(recorded, event_id))
        if (source, fact.order) in self._orders:
            self.tally.duplicate_orders += 1
            return None
        self._orders.add((source, fact.order))
        return self._keep(
            Entry(order_placed(fact, source=source, name=name, customer_id=customer_id), event_id, fact.order)
        )

    def _keep(self, entry: Entry) -> Entry:
        self._names.add(entry.name)
        self.entries.append(entry)
        self.tally.add(entry)
        return entry
