"""The books: what each household has bought and met, straight from the CSV files."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

Row = dict[str, str]


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
    """One household."""

    household: int
    identifiers: set[str] = field(default_factory=set)
    attributes: dict[str, str] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    interactions: int = 0
    contract_events: int = 0

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
    """The books of a share of the households."""
    books: Accounts = {}
    for row in rows(folder, "transactions", share):
        buy(account(books, row), row)
    for row in rows(folder, "demographics", share):
        told = account(books, row)
        told.attributes = {name: value for name, value in row.items() if value and name != "household_id"}
    for row in rows(folder, "campaigns", share):
        meet(account(books, row), "mail-list:M")
    for row in rows(folder, "coupon_redemptions", share):
        meet(account(books, row), "coupon-account:C")
    for row in rows(folder, "made_up/calls", share):
        meet(account(books, row), "desk-caller:D")
    for row in rows(folder, "made_up/contracts", share):
        sign(account(books, row))
    return books


def rows(folder: Path, name: str, share: float) -> Iterator[Row]:
    """Of a share of the households."""
    for row in every_row(folder, name):
        if zlib.crc32(row["household_id"].encode()) < share * 2**32:
            yield row


def every_row(folder: Path, name: str) -> Iterator[Row]:
    with gzip.open(folder / f"{name}.csv.gz", "rt", newline="") as file:
        yield from csv.DictReader(file)


def account(books: Accounts, row: Row) -> Account:
    household = int(row["household_id"])
    if household not in books:
        books[household] = Account(household, {f"loyalty-card:LC-{household:06d}"})
    return books[household]


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
