"""The log of what channels told (`crm.inbound`): all that was accepted is there, nothing else is, and where it is first."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.torture.judge.books import NOWHERE, Books
from tests.torture.judge.breach import Breaches

RULE = "the log has what was accepted"
ORDER = re.compile(rb'"order":"([^"]*?)-order-(\d+)"')
"""Where the envelope's id is broken, the order's number tells which event it was."""


class Record(NamedTuple):
    """A record of a topic, as it was read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes | None]

    def text(self, name: str) -> str | None:
        raw = self.headers.get(name)
        return None if raw is None else raw.decode("utf-8", "replace")


class Place(NamedTuple):
    partition: int
    offset: int


@dataclass(slots=True)
class Inbound:
    """Reads the log record by record; `close` when all are read."""

    books: Books
    breaches: Breaches
    copies: Counter[str] = field(default_factory=Counter)
    """Second and later records of an event, by kind."""
    poison: dict[Place, int] = field(default_factory=dict)
    """Where poison stands, and which it is: each place must become one dead letter."""
    records: int = 0

    def take(self, record: Record) -> None:
        self.records += 1
        number, books = self.number(record), self.books
        if number is None:
            place = f"{record.partition}:{record.offset}"
            self.breaches.expect(RULE, f"record {place} ({record.text('ce_id')})", "sent by us and accepted", "unknown")
            return
        kind = books.kind_of(number)
        if kind == "poison":
            self.poison[Place(record.partition, record.offset)] = number
        if books.offset[number] == NOWHERE:
            books.partition[number], books.offset[number] = record.partition, record.offset
        else:
            self.copies[kind] += 1
            if books.partition[number] != record.partition:
                books.in_several.add(number)

    def number(self, record: Record) -> int | None:
        number = self.books.number(record.text("ce_id"))
        if number is None and (found := ORDER.search(record.value or b"")):
            number = self.books.number(f"{found[1].decode()}-{found[2].decode()}")
        return number

    def close(self) -> None:
        for number in self.books.accepted("contact", "interaction", "sale", "poison"):
            if self.books.offset[number] == NOWHERE:
                where = f"event {self.books.event_id(number)}"
                customer = self.books.customer[number]
                self.breaches.expect(RULE, where, "in the log", "lost", event=number, customer=customer)
        self.breaches.checks[RULE] += self.records
