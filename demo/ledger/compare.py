"""Every difference between the books and what the platform says it holds."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from demo.ledger.accounts import Account, Accounts
from demo.ledger.difference import Difference, unequal
from demo.ledger.people import Document, absorbed, household_of, households, identifiers

Likeness = tuple[str, int | None, datetime | None, str | None, Decimal | None, Decimal | None, int]
"""All that is compared of an order: number, household, time, store, total, discount, lines."""


@dataclass(frozen=True, slots=True)
class Books:
    """All that the platform must agree with."""

    accounts: Accounts
    """One a customer, as was decided."""
    duplicates: Mapping[str, int]
    """Second copies of events that were sent, by the service that is to drop them."""
    dead_letters: Mapping[str, int]
    rejected: Mapping[str, int]
    sent_again: int = 0
    """Events posted once more after an answer was lost: up to so many second copies more."""
    erased: Accounts = field(default_factory=dict)
    """Of whom nothing may be left but a share in the sums of all that ever happened."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the platform answers, as its public APIs give it."""

    customers: list[Document] = field(default_factory=list)
    orders: list[Document] = field(default_factory=list)
    scores: list[Document] = field(default_factory=list)
    interactions: int = 0
    contract_events: int = 0
    sales: Document = field(default_factory=dict)
    viewed: Document = field(default_factory=dict)
    """Sums over all customers."""
    duplicates: Mapping[str, int] = field(default_factory=dict)
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)


def compare(books: Books, held: Holdings) -> list[Difference]:
    """All differences; none when every effect happened exactly once."""
    return [
        *customers(books.accounts, held.customers),
        *scores(books.accounts, held),
        *orders(books.accounts, held),
        *absorbed(books.accounts, held.customers),
        *totals(books, held),
        *faults(books, held),
    ]


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def money(text: str | None) -> Decimal | None:
    """Only exact text is money: a float in the answer is a difference, even where it looks the same."""
    return Decimal(text) if isinstance(text, str) else None


def customers(accounts: Accounts, views: list[Document]) -> Iterator[Difference]:
    alive = [view for view in views if not view.get("merged_into")]
    seen = Counter(map(household_of, alive))
    for household, times in seen.items():
        if household is None:
            yield Difference("customers without a loyalty card", 0, times)
        elif times > 1:
            yield Difference(f"customers for household {household}", 1, times)
    for household in accounts.keys() ^ (seen.keys() - {None}):
        yield Difference(f"household {household}", household in accounts, household in seen)
    for view in alive:
        household = household_of(view)
        if household in accounts:
            yield from customer(accounts[household], view)


def customer(account: Account, view: Document) -> Iterator[Difference]:
    name, sales, contact = f"household {account.household}", view["sales"], view["contact"]
    times = account.times
    yield from unequal(f"{name}: identifiers", sorted(account.identifiers), sorted(identifiers(view)))
    yield from unequal(f"{name}: attributes", account.attributes, contact["attributes"])
    yield from unequal(f"{name}: party", account.party, contact["party"])
    yield from unequal(f"{name}: name", account.name, contact["name"])
    yield from unequal(f"{name}: e-mail", account.email, contact["email"])
    yield from unequal(f"{name}: street", account.street, ((contact["address"] or {}).get("lines") or [None])[0])
    yield from unequal(f"{name}: orders", len(account.orders), sales["orders"])
    yield from unequal(f"{name}: total", account.total, money(sales["total"]))
    yield from unequal(f"{name}: currency", "USD" if account.orders else None, sales["currency"])
    yield from unequal(f"{name}: first order", times[0] if times else None, moment(sales["first_order_at"]))
    yield from unequal(f"{name}: last order", times[-1] if times else None, moment(sales["last_order_at"]))
    yield from unequal(f"{name}: interactions", account.interactions, view["interactions"])


def scores(accounts: Accounts, held: Holdings) -> Iterator[Difference]:
    whose = households(held.customers)
    scored = Counter(whose.get(score["customer_id"]) for score in held.scores)
    buyers = {household for household, account in accounts.items() if account.orders}
    for household in buyers | (scored.keys() - {None}):
        yield from unequal(f"household {household}: scores", int(household in buyers), scored[household])
    yield from unequal("scores of unknown customers", 0, scored[None])
    viewed = {view["customer_id"]: view.get("score") for view in held.customers}
    for score in held.scores:
        household = whose.get(score["customer_id"])
        if household in buyers:
            yield from scored_on(accounts[household], "score", score)
            yield from scored_on(accounts[household], "score in the view", viewed[score["customer_id"]] or {})


def scored_on(account: Account, what: str, score: Document) -> Iterator[Difference]:
    name, times = f"household {account.household}: {what}", account.times
    yield from unequal(f"{name}: purchases", len(account.orders), score.get("purchases"))
    yield from unequal(f"{name}: frequency", account.repeat_days, score.get("frequency"))
    yield from unequal(f"{name}: money", account.total, money(score.get("money")))
    yield from unequal(f"{name}: first purchase", times[0], moment(score.get("first_purchase")))
    yield from unequal(f"{name}: last purchase", times[-1], moment(score.get("last_purchase")))


def orders(accounts: Accounts, held: Holdings) -> Iterator[Difference]:
    """Every basket is one order, resolved to its household, worth its lines."""
    booked: Counter[Likeness] = Counter(
        (basket, household, order.ordered_at, order.store, order.total, order.discount, order.lines)
        for household, account in accounts.items()
        for basket, order in account.orders.items()
    )
    whose = households(held.customers)
    stored: Counter[Likeness] = Counter(
        (
            order["number"],
            whose.get(order["customer_id"]),
            moment(order["ordered_at"]),
            order["store"],
            money(order["total"]),
            money(order["discount"]),
            len(order["lines"]),
        )
        for order in held.orders
    )
    for order in (booked - stored) + (stored - booked):
        basket, household, at, store, total, discount, lines = order
        told = f"household {household} at store {store}, {at}: {total} after {discount} off, {lines} lines"
        yield Difference(f"basket {basket} of {told}", booked[order], stored[order])


def totals(books: Books, held: Holdings) -> Iterator[Difference]:
    """Sums over customers are of who is there; sums of what ever happened have the erased in them."""
    here = list(books.accounts.values())
    ever = [*here, *books.erased.values()]
    yield from unequal("customers in all", len(here), held.viewed["customers"])
    yield from unequal("orders of all customers", sum(len(account.orders) for account in here), held.viewed["orders"])
    yield from unequal("value of all customers' orders", value(here), money(held.viewed["total"]))
    yield from unequal("orders in all", sum(len(account.orders) for account in ever), held.sales["orders"])
    yield from unequal("value of all orders", value(ever), money(held.sales["total"]))
    yield from unequal("interactions in all", sum(account.interactions for account in ever), held.interactions)
    happened = sum(account.contract_events for account in ever)
    yield from unequal("what happened to contracts", happened, held.contract_events)


def value(accounts: Iterable[Account]) -> Decimal:
    return sum((account.total for account in accounts), Decimal(0))


def faults(books: Books, held: Holdings) -> Iterator[Difference]:
    for service, expected in books.duplicates.items():
        found = held.duplicates.get(service, 0)
        if not expected <= found <= expected + books.sent_again:
            yield Difference(f"second copies dropped by {service}", expected, found)
    yield from by_reason("dead letters", books.dead_letters, held.dead_letters)
    yield from by_reason("rejections over HTTP", books.rejected, held.rejected)


def by_reason(what: str, expected: Mapping[str, int], found: Mapping[str, int]) -> Iterator[Difference]:
    for reason in sorted(expected.keys() | found.keys()):
        yield from unequal(f"{what} for {reason}", expected.get(reason, 0), found.get(reason, 0))
