"""The work that everybody does: read a purchase, hold it against its contract, fold it into its customer's totals.

Here are the events, what the totals must be, and the meter; not how anybody consumes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import orjson
from bson.decimal128 import Decimal128
from pydantic import AwareDatetime
from pymongo import UpdateOne

from shared.contracts.fact import Amount, Fact, Key, Topic
from shared.messaging.envelope import CloudEvent

BEGINNING = datetime(2017, 1, 1, tzinfo=UTC)
BATCH = 1_000
"""Most records in one batch, for everybody who has batches."""
EVENTS_A_CUSTOMER = 10
SPREAD = 7_919
"""A prime, so that a customer's events lie far apart and a batch holds few of the same customer."""


class Purchase(Fact):
    """A customer has bought one thing: as flat as contracts get, so that the consumer's own cost shows."""

    TYPE: ClassVar[str] = "bench.purchase.v1"

    order_id: Key
    customer_id: Key
    store: Key
    product: Key
    category: Key
    campaign: Key | None = None
    currency: Key
    quantity: int
    total: Amount
    loyal: bool
    ordered_at: AwareDatetime
    note: Key


PURCHASES = Topic("bench.purchases", (Purchase,))
"""With the CloudEvents headers that the platform asks for."""
BARE = "bench.bare"
"""The same keys and values without any header, which is all that a peer needs and the cheapest that it can read."""


def customer(number: int, events: int) -> str:
    return f"customer-{number * SPREAD % customers(events):012}"


def customers(events: int) -> int:
    return max(1, events // EVENTS_A_CUSTOMER)


def cents(number: int) -> int:
    return 100 + number * 37 % 9_900


def value(number: int, events: int) -> bytes:
    """About 400 bytes of JSON."""
    return orjson.dumps(
        {
            "order_id": f"01890000-0000-7000-8000-{number:012}",
            "customer_id": customer(number, events),
            "store": f"store-{number % 400:04}",
            "product": f"product-{number % 9_000:06}",
            "category": f"grocery/dairy/section-{number % 50}",
            "campaign": f"campaign-{number % 30}" if number % 3 else None,
            "currency": "USD",
            "quantity": 1 + number % 5,
            "total": f"{cents(number) // 100}.{cents(number) % 100:02}",
            "loyal": number % 2 == 0,
            "ordered_at": moment(number).isoformat(),
            "note": "as the till printed it: fresh milk, loyalty price, paid by card, receipt by mail",
        }
    )


def moment(number: int) -> datetime:
    return BEGINNING + timedelta(seconds=number)


def headers(number: int) -> list[tuple[str, bytes]]:
    """As our relay writes them."""
    event_id = f"01890000-0000-7000-8001-{number:012}"
    event = CloudEvent(
        event_id, "/rapport/bench", Purchase.TYPE, b"", moment(number), None, f"{number + 1:024x}", event_id
    )
    return event.headers()


@dataclass
class Totals:
    """What one customer has bought, or all of them."""

    count: int = 0
    total: Decimal = Decimal(0)
    latest: datetime = BEGINNING

    def add(self, purchase: Purchase) -> None:
        self.count += 1
        self.total += purchase.total
        self.latest = max(self.latest, purchase.ordered_at)


class Ledger:
    """Totals by customer, in memory."""

    def __init__(self) -> None:
        self.totals: dict[str, Totals] = {}

    def add(self, purchase: Any) -> None:
        totals = self.totals.get(purchase.customer_id)
        if totals is None:
            totals = self.totals[purchase.customer_id] = Totals()
        totals.add(purchase)

    def add_all(self, purchases: Iterable[Any]) -> None:
        for purchase in purchases:
            self.add(purchase)

    def writes(self) -> list[UpdateOne]:
        """What a batch adds to the database, one write a customer."""
        return [increment(customer_id, totals) for customer_id, totals in self.totals.items()]

    def check(self) -> Check:
        found = self.totals.values()
        return Check(len(found), sum(t.count for t in found), str(sum((t.total for t in found), Decimal(0))))


def increment(customer_id: str, totals: Totals) -> UpdateOne:
    return UpdateOne(
        {"_id": customer_id},
        {"$inc": {"count": totals.count, "total": Decimal128(totals.total)}, "$max": {"latest": totals.latest}},
        upsert=True,
    )


def batch_writes(purchases: Sequence[Any]) -> list[UpdateOne]:
    ledger = Ledger()
    ledger.add_all(purchases)
    return ledger.writes()


@dataclass(frozen=True)
class Check:
    """By what two results are compared: customers, events, and the exact sum of the money."""

    customers: int
    events: int
    money: str


def expected(events: int) -> Check:
    """From the generator's arithmetic alone, never from JSON."""
    return Check(
        len({number * SPREAD % customers(events) for number in range(events)}),
        events,
        str(Decimal(sum(cents(number) for number in range(events))).scaleb(-2)),
    )


@dataclass(frozen=True)
class Job:
    """What one process is asked to do."""

    variant: str
    bootstrap: str
    mongo_url: str
    namespace: str
    """Prefix of everything that the variant makes: topics, groups, databases."""
    group: str
    events: int
    database_pid: int | None
    """The database's process, if it runs here, to see what its side costs."""
    place: str
    """An empty directory for whatever the variant keeps on disk."""

    @property
    def purchases(self) -> str:
        return self.namespace + PURCHASES.name

    @property
    def bare(self) -> str:
        return self.namespace + BARE

    @property
    def database(self) -> str:
        return self.group.replace(".", "-")


@dataclass
class Meter:
    """CPU seconds of the whole process, all threads, from the first record to the last effect."""

    job: Job
    seen: int = 0
    skipped: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)
    _began: tuple[float, float, float] | None = None
    _ended: tuple[float, float, float] | None = None

    def begin(self, skipped: int = 0) -> None:
        """At the first record. Who sees it only when it has been read already, skips its batch."""
        if self._began is None:
            self.skipped, self._began = skipped, self._now()

    def add(self, count: int) -> None:
        self.seen += count
        if self.seen >= self.job.events and self._ended is None:
            self._ended = self._now()
            self.done.set()

    @property
    def complete(self) -> bool:
        return self._ended is not None

    def _now(self) -> tuple[float, float, float]:
        pid = self.job.database_pid
        return time.perf_counter(), time.process_time(), 0.0 if pid is None else process_seconds(pid)

    def result(self) -> dict[str, float | None]:
        assert self._began, "no record has come"
        assert self._ended, "not all effects have been made"
        seconds, cpu, database = (after - before for before, after in zip(self._began, self._ended, strict=True))
        counted = self.seen - self.skipped
        return {
            "per_second": counted / seconds,
            "cpu_per_million": cpu / counted * 1e6,
            "database_cpu_per_million": None if self.job.database_pid is None else database / counted * 1e6,
        }


def process_seconds(pid: int) -> float:
    """User and system seconds of a process of this machine, in steps of 10 ms (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
