"""The books: what each household has bought and met, straight from the CSV files.

A household that has two cards has two accounts here, under the cards' numbers, as long as nobody has found out (`decisions`).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from demo.ledger.cards import Form, Wallets, forms
from demo.ledger.files import Row, rows


@dataclass(slots=True)
class Order:
    """One basket."""

    household: int
    store: str
    ordered_at: datetime
    total: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    lines: int = 0


@dataclass(slots=True)
class Account:
    """One household, under the number of its first card; or what was bought with a second one, under its number."""

    household: int
    identifiers: set[str] = field(default_factory=set)
    attributes: dict[str, str] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    interactions: int = 0
    contract_events: int = 0
    party: str = "person"
    applied_at: str = ""
    """When the form was written that the following are from."""
    name: str | None = None
    street: str | None = None
    email: str | None = None
    parts: set[int] = field(default_factory=set)
    """The cards of whoever has several."""

    def __post_init__(self) -> None:
        self.parts = self.parts or {self.household}

    @property
    def total(self) -> Decimal:
        return sum((order.total for order in self.orders.values()), Decimal(0))

    @property
    def times(self) -> list[datetime]:
        return sorted(order.ordered_at for order in self.orders.values())

    @property
    def repeat_days(self) -> int:
        """Days with a purchase after the first such day."""
        return max(len({time.date() for time in self.times}) - 1, 0)


Accounts = dict[int, Account]


def accounts(folder: Path, share: float = 1.0) -> Accounts:
    """The books of a share of the households, by card."""
    books: Accounts = {}
    written = forms(folder, share)
    for one in written:
        apply(account(books, one.card), one)
    wallets = Wallets(written)
    for row in rows(folder, "transactions", share):
        buy(account(books, wallets.card(row)), row)
    for row in rows(folder, "demographics", share):
        told = account(books, int(row["household_id"]))
        told.party, told.name = "household", f"Household {told.household}"
        told.attributes = {name: value for name, value in row.items() if value and name != "household_id"}
    for row in rows(folder, "campaigns", share):
        meet(account(books, int(row["household_id"])), "mail-list:M")
    for row in rows(folder, "coupon_redemptions", share):
        meet(account(books, int(row["household_id"])), "coupon-account:C")
    for row in rows(folder, "made_up/calls", share):
        meet(account(books, int(row["household_id"])), "desk-caller:D")
    for row in rows(folder, "made_up/contracts", share):
        sign(account(books, int(row["household_id"])))
    return books


def account(books: Accounts, card: int) -> Account:
    if card not in books:
        books[card] = Account(card, {f"loyalty-card:LC-{card:06d}"})
    return books[card]


def apply(customer: Account, form: Form) -> None:
    """A second card is applied for at a desk of the north stores."""
    customer.name, customer.street, customer.email = form.name, form.street, form.email
    customer.applied_at, customer.attributes = form.applied_at, {"birthdate": form.birthdate}
    if form.card != form.household:
        customer.identifiers.add(f"north-pos:N-{form.card:06d}")


def buy(customer: Account, row: Row) -> None:
    at = datetime.fromisoformat(row["transaction_timestamp"]).replace(tzinfo=UTC)
    order = customer.orders.setdefault(row["basket_id"], Order(customer.household, row["store_id"], at))
    order.total += Decimal(row["sales_value"])
    order.discount += sum(Decimal(row[name]) for name in ("retail_disc", "coupon_disc", "coupon_match_disc"))
    order.lines += 1
    half = "north-pos:N" if int(row["store_id"]) % 2 else "south-pos:S"
    customer.identifiers.add(f"{half}-{customer.household:06d}")


def meet(customer: Account, known_as: str) -> None:
    customer.interactions += 1
    customer.identifiers.add(f"{known_as}-{customer.household:06d}")


def sign(customer: Account) -> None:
    customer.contract_events += 1
    customer.identifiers.add(f"billing-account:B-{customer.household:06d}")
