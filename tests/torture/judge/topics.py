"""What services tell each other: each fact once per effect, each customer's in order, versions growing.

A relay that dies may publish a round again; the promise is that such records carry a sequence that was there before, so
they are dropped here as every consumer drops them, and everything else is held against the rules.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter, defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.torture.judge.books import Books, Kind
from tests.torture.judge.breach import Breaches
from tests.torture.judge.identities import Identities
from tests.torture.judge.inbound import Record
from tests.torture.judge.persons import Persons

ONCE, ORDERED, VERSIONS, SCORES = (
    "each fact is told once",
    "each customer's facts are told in order",
    "versions grow",
    "scores follow the orders",
)
SALES, MET, CONTACTS, SCORED, CUSTOMERS = (
    "crm.sales",
    "crm.interactions",
    "crm.contacts",
    "crm.scores",
    "crm.customers",
)
ALL = (SALES, MET, CONTACTS, SCORED, CUSTOMERS)


@dataclass(slots=True)
class Sequences:
    """Drops what was published twice, as consumers do: by partition and publisher, what does not come after the newest."""

    newest: dict[tuple[str, int, str], str] = field(default_factory=dict)
    republished: Counter[str] = field(default_factory=Counter)

    def fresh(self, record: Record) -> bool:
        sequence = record.text("ce_sequence")
        if sequence is None:
            return True
        place = (record.topic, record.partition, record.text("ce_source") or "")
        if sequence <= self.newest.get(place, ""):
            self.republished[record.topic] += 1
            return False
        self.newest[place] = sequence
        return True


class Topics:
    """Reads the domain's topics record by record, each partition in its order; `close` when all are read."""

    def __init__(self, books: Books, who: Identities, breaches: Breaches) -> None:
        self.books, self.who, self.breaches = books, who, breaches
        self.sequences = Sequences()
        self.told = {topic: bytearray(books.size) for topic in (SALES, MET)}
        self.place = array("i", [0]) * books.size
        """Which of its customer's facts of its topic an event became, from 1; known once all is read."""
        self._facts: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
        """By topic and customer id, sequence and event. Sequences, because partitions tell nothing of each other's order,
        and where some were added a customer has moved.
        """
        self._inbound: dict[tuple[str, int, str, int], int] = {}
        self._versions: dict[tuple[str, int, str], int] = {}
        self._purchases: dict[tuple[int, str], int] = {}
        self._scored: dict[str, tuple[str, int | None]] = {}
        """By customer id, the sequence and the purchases of the score told last; None: it was withdrawn."""
        self._ended: dict[str, int] = {}
        """Where a customer's view ends with a tombstone."""
        self.newest: dict[str, dict[str, int]] = defaultdict(dict)
        """By topic and customer id, the newest version told."""
        self.under: dict[int, str] = {}
        """The customer id that an event was told under, of those whom decisions were made about."""

    def take(self, record: Record) -> None:
        if record.value is None:
            self._ended[(record.key or b"").decode()] = record.partition
        elif self.sequences.fresh(record):
            self._fact(record, record.value)

    def _fact(self, record: Record, value: bytes) -> None:
        match record.topic:
            case "crm.sales" | "crm.interactions":
                self._event(record)
            case "crm.contacts":
                contact = json.loads(value).get("contact")
                if contact:  # the others tell of merges, erasures and restrictions
                    self._version(record, contact["version"])
            case "crm.customers":
                self._version(record, json.loads(value)["view"]["version"])
                if self._ended.get((record.key or b"").decode()) == record.partition:
                    del self._ended[(record.key or b"").decode()]
            case "crm.scores":
                self._score(record, json.loads(value).get("score"))

    def _event(self, record: Record) -> None:
        """One fact for each event, in the order in which the log has one customer's events of one partition."""
        customer_id = (record.key or b"").decode()
        number = self.books.number(record.text("ce_correlationid"))
        if number is None:
            where = f"{record.topic} {record.partition}:{record.offset}"
            self.breaches.expect(ONCE, where, "about an accepted event", record.text("ce_correlationid"))
            return
        customer = self.books.customer[number]
        if customer in self.books.watched:
            self.under[number] = customer_id
        told = self.told[record.topic]
        told[number] = min(told[number] + 1, 255)
        what = f"{record.topic}: event {self.books.event_id(number)}"
        found = (told[number], self.who.customer(customer_id))
        self.breaches.expect(ONCE, what, (1, customer), found, event=number, customer=customer)
        self._facts[record.topic, customer_id].append((record.text("ce_sequence") or "", number))
        if number in self.books.in_several:
            return
        line = (record.topic, record.partition, customer_id, self.books.partition[number])
        before, offset = self._inbound.get(line, -1), self.books.offset[number]
        if offset <= before:
            self.breaches.expect(ORDERED, what, f"after offset {before}", offset, event=number, customer=customer)
        self.breaches.checks[ORDERED] += 1
        self._inbound[line] = max(before, offset)

    def _version(self, record: Record, version: int) -> None:
        customer_id = (record.key or b"").decode()
        line = (record.topic, record.partition, customer_id)
        before = self._versions.get(line, 0)
        customer = self.who.customer(customer_id)
        self.breaches.checks[VERSIONS] += 1
        if version <= before:
            what = f"{record.topic}: customer {customer} at {record.partition}:{record.offset}"
            self.breaches.expect(VERSIONS, what, f"more than {before}", version, customer=customer)
        self._versions[line] = max(before, version)
        newest = self.newest[record.topic]
        newest[customer_id] = max(newest.get(customer_id, 0), version)

    def _score(self, record: Record, score: Mapping[str, Any] | None) -> None:
        """Of whoever was never merged, purchases only grow; of everybody the last score counts."""
        customer_id = (record.key or b"").decode()
        purchases = score["purchases"] if score else None
        latest = (record.text("ce_sequence") or "", purchases)
        if latest[0] >= self._scored.get(customer_id, ("", None))[0]:
            self._scored[customer_id] = latest
        line = (record.partition, customer_id)
        before = self._purchases.get(line, 0)
        customer = self.who.customer(customer_id)
        self.breaches.checks[SCORES] += 1
        if customer in self.books.watched:
            return
        if purchases is None or purchases < before:
            what = f"customer {customer} at {record.partition}:{record.offset}"
            self.breaches.expect(SCORES, what, f"{before} purchases at least", purchases, customer=customer)
        self._purchases[line] = max(before, purchases or 0)

    def close(self) -> None:
        """Each fact was told."""
        for facts in self._facts.values():
            for place, (_, number) in enumerate(sorted(facts), start=1):
                self.place[number] = place
        sides: tuple[tuple[str, Kind], ...] = ((SALES, "sale"), (MET, "interaction"))
        for topic, kind in sides:
            for number in self.books.accepted(kind):
                if not self.told[topic][number]:
                    customer = self.books.customer[number]
                    what = f"{topic}: event {self.books.event_id(number)}"
                    self.breaches.expect(ONCE, what, 1, 0, event=number, customer=customer)

    def agree(self, persons: Persons, view_versions: dict[str, int], contact_versions: dict[str, int]) -> None:
        """The newest that was told is what the publishers keep, of those who are."""
        self._agree(CUSTOMERS, view_versions, persons.erased)
        absorbed = {customer_id for number in persons.into if (customer_id := self.who.ids.get(number))}
        # What is said of somebody absorbed is told under the survivor's id.
        self._agree(CONTACTS, contact_versions, absorbed | persons.erased.keys())
        for customer_id, (_, purchases) in self._scored.items():
            who = self.who.customer(customer_id)
            if customer_id not in persons.erased:
                orders = persons.accounts[who].orders if who in persons.accounts else 0
                self.breaches.expect(SCORES, f"customer {who}: told last", orders, purchases or 0, customer=who)
        for customer_id in persons.erased.keys() & self.newest[CUSTOMERS].keys():
            what, who = f"{CUSTOMERS}: {customer_id}, who was erased", self.who.customer(customer_id)
            ended = "a tombstone" if customer_id in self._ended else "a view"
            self.breaches.expect(VERSIONS, what, "a tombstone", ended, customer=who)

    def _agree(self, topic: str, kept: dict[str, int], but: Container[str]) -> None:
        told = self.newest[topic]
        for customer_id in kept.keys() | told.keys():
            if customer_id in but:
                continue
            what, customer = f"{topic}: newest version of {customer_id}", self.who.customer(customer_id)
            self.breaches.expect(VERSIONS, what, kept.get(customer_id), told.get(customer_id), customer=customer)
