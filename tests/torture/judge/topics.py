"""What services tell each other: each fact once per effect, each customer's in order, versions growing.

A relay that dies may publish a round again; the promise is that such records carry a sequence that was there before, so
they are dropped here as every consumer drops them, and everything else is held against the rules.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from tests.torture.judge.books import Books, Kind
from tests.torture.judge.breach import Breaches
from tests.torture.judge.identities import Identities
from tests.torture.judge.inbound import Record

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
        self.newest: dict[str, dict[str, int]] = defaultdict(dict)
        """By topic and customer id, the newest version or the most purchases told."""

    def take(self, record: Record) -> None:
        if record.value is None or not self.sequences.fresh(record):
            return
        match record.topic:
            case "crm.sales" | "crm.interactions":
                self._event(record)
            case "crm.contacts":
                self._version(record, json.loads(record.value)["contact"]["version"])
            case "crm.customers":
                self._version(record, json.loads(record.value)["view"]["version"])
            case "crm.scores":
                self._score(record)

    def _event(self, record: Record) -> None:
        """One fact for each event, in the order in which the log has one customer's events of one partition."""
        customer_id = (record.key or b"").decode()
        number = self.books.number(record.text("ce_correlationid"))
        if number is None:
            where = f"{record.topic} {record.partition}:{record.offset}"
            self.breaches.expect(ONCE, where, "about an accepted event", record.text("ce_correlationid"))
            return
        customer = self.books.customer[number]
        told = self.told[record.topic]
        told[number] = min(told[number] + 1, 255)
        what = f"{record.topic}: event {self.books.event_id(number)}"
        found = (told[number], self.who.customer(customer_id))
        self.breaches.expect(ONCE, what, (1, customer), found, event=number, customer=customer)
        self._facts[record.topic, customer_id].append((record.text("ce_sequence") or "", number))
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

    def _score(self, record: Record) -> None:
        customer_id = (record.key or b"").decode()
        purchases = json.loads(record.value or b"{}")["score"]["purchases"]
        line = (record.partition, customer_id)
        before = self._purchases.get(line, 0)
        customer = self.who.customer(customer_id)
        self.breaches.checks[SCORES] += 1
        if purchases < before:
            what = f"customer {customer} at {record.partition}:{record.offset}"
            self.breaches.expect(SCORES, what, f"{before} purchases at least", purchases, customer=customer)
        self._purchases[line] = max(before, purchases)
        newest = self.newest[SCORED]
        newest[customer_id] = max(newest.get(customer_id, 0), purchases)

    def close(self, view_versions: dict[str, int], contact_versions: dict[str, int]) -> None:
        """The newest that was told is what the publishers keep."""
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
        self._agree(CUSTOMERS, view_versions)
        self._agree(CONTACTS, contact_versions)
        for customer_id, purchases in self.newest[SCORED].items():
            who = self.who.customer(customer_id)
            orders = self.books.accounts[who].orders if who is not None else 0
            self.breaches.expect(SCORES, f"customer {who}: told last", orders, purchases, customer=who)

    def _agree(self, topic: str, kept: dict[str, int]) -> None:
        told = self.newest[topic]
        for customer_id in kept.keys() | told.keys():
            what, customer = f"{topic}: newest version of {customer_id}", self.who.customer(customer_id)
            self.breaches.expect(VERSIONS, what, kept.get(customer_id), told.get(customer_id), customer=customer)
