"""What must be: every event that was accepted, and what all of them make of each customer. Standard library only."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, Protocol

Kind = Literal["contact", "interaction", "sale", "poison"]
KINDS: tuple[Kind, ...] = ("contact", "interaction", "sale", "poison")
RECENT = 10
"""Of so many latest interactions a view tells."""
NOWHERE = -1


class Sending(Protocol):
    """What the load's ledger says of one sending. Amounts in cents; times in whole seconds since 1970."""

    @property
    def event(self) -> int:
        """The event's number; second copies of it have the same."""

    @property
    def kind(self) -> Kind: ...

    @property
    def customer(self) -> int: ...

    @property
    def channel(self) -> int: ...

    @property
    def at(self) -> int: ...

    @property
    def cents(self) -> int: ...

    @property
    def said(self) -> str:
        """A contact's name as reported, an interaction's kind, how poison was made."""

    @property
    def consent(self) -> str | None:
        """What a contact report says about consent, if anything."""


@dataclass(slots=True)
class Account:
    """One customer by the books."""

    customer: int
    channels: set[int] = field(default_factory=set)
    orders: int = 0
    cents: int = 0
    times: set[int] = field(default_factory=set)
    """When they bought, in seconds since 1970."""
    interactions: int = 0
    recent: list[tuple[int, int, str]] = field(default_factory=list)
    """Time, event and kind of the latest interactions, a heap with the oldest first."""
    reports: int = 0
    named: tuple[int, str] = (0, "")
    """When the customer's name was said last, and which it was."""
    consented: tuple[int, str] | None = None
    known_by: frozenset[str] | None = None
    """Identifiers, where they do not follow from the channels: of several who are one, of somebody whose number was free."""

    def take(self, sending: Sending) -> None:
        self.channels.add(sending.channel)
        match sending.kind:
            case "sale":
                self.orders += 1
                self.cents += sending.cents
                self.times.add(sending.at)
            case "interaction":
                self.interactions += 1
                heapq.heappush(self.recent, (sending.at, sending.event, sending.said))
                if len(self.recent) > RECENT:
                    heapq.heappop(self.recent)
            case _:
                self.reports += 1
                self.named = max(self.named, (sending.at, sending.said))
                if sending.consent:
                    self.consented = max(self.consented or (0, ""), (sending.at, sending.consent))

    @property
    def total(self) -> Decimal:
        return money(self.cents)

    @property
    def first_order_at(self) -> datetime | None:
        return moment(min(self.times)) if self.times else None

    @property
    def last_order_at(self) -> datetime | None:
        return moment(max(self.times)) if self.times else None

    @property
    def repeat_days(self) -> int:
        """Days (UTC) with a purchase after the first such day."""
        return max(0, len({second // 86_400 for second in self.times}) - 1)

    @property
    def latest(self) -> list[tuple[datetime, str]]:
        """Time and kind of the latest interactions, newest first."""
        return [(moment(at), kind) for at, _, kind in sorted(self.recent, reverse=True)]


class Books:
    """All events by number, and all customers. Events are numbers in arrays, for there may be millions."""

    def __init__(self, tag: str, size: int) -> None:
        self.tag = tag
        self.size = size
        self.accounts: dict[int, Account] = {}
        self.kind = array("b", [NOWHERE]) * size
        self.customer = array("i", [NOWHERE]) * size
        self.channel = array("b", [NOWHERE]) * size
        self.at = array("q", [0]) * size
        self.cents = array("q", [0]) * size
        self.copies = array("h", [0]) * size
        """How often it was accepted."""
        self.partition = array("h", [NOWHERE]) * size
        self.offset = array("q", [NOWHERE]) * size
        """Where the log has it first, of its first partition."""
        self.in_several: set[int] = set()
        """Events with copies in several partitions, since some were added in between: nobody can tell which of them came first."""
        self.watched: dict[int, list[Sending]] = {}
        """Each event of the customers whose sums do not say all: those about whom decisions are made."""

    def watch(self, customers: Iterable[int]) -> None:
        """Keep all events of these."""
        self.watched |= {customer: [] for customer in customers}

    def accept(self, sending: Sending) -> None:
        """The platform has said that it has the event. A second copy changes nothing of what must be."""
        number = sending.event
        self.copies[number] += 1
        if self.copies[number] > 1:
            return
        self.kind[number] = KINDS.index(sending.kind)
        self.customer[number], self.channel[number] = sending.customer, sending.channel
        self.at[number], self.cents[number] = sending.at, sending.cents
        if sending.kind != "poison":
            if sending.customer in self.watched:
                self.watched[sending.customer].append(sending)
            self.accounts.setdefault(sending.customer, Account(sending.customer)).take(sending)

    def kind_of(self, number: int) -> Kind:
        return KINDS[self.kind[number]]

    def accepted(self, *kinds: Kind) -> Iterator[int]:
        """The numbers of the accepted events of some kinds."""
        wanted = {KINDS.index(kind) for kind in kinds}
        return (number for number, kind in enumerate(self.kind) if kind in wanted)

    def count(self, *kinds: Kind) -> int:
        return sum(self.kind.count(KINDS.index(kind)) for kind in kinds)

    def number(self, event_id: str | None) -> int | None:
        """The number in an event's id; None for what was never accepted from us."""
        tag, _, digits = (event_id or "").rpartition("-")
        if tag != self.tag or not digits.isdigit():
            return None
        number = int(digits)
        return number if number < self.size and self.copies[number] else None

    def event_id(self, number: int) -> str:
        return f"{self.tag}-{number}"

    def totals(self) -> tuple[int, int, Decimal]:
        """Interactions, orders and money of all events."""
        return (
            self.count("interaction"),
            self.count("sale"),
            money(sum(self.cents[one] for one in self.accepted("sale"))),
        )


def written(tag: str, size: int, sendings: Iterable[Sending]) -> Books:
    books = Books(tag, size)
    for sending in sendings:
        books.accept(sending)
    return books


def money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
