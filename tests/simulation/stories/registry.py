"""What contacts decides about persons, and tells: who is one with whom, who is two again, who is erased. It never errs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from shared.contracts.contacts import CONTACTS, ContactErased, ContactMerged, ContactUnmerged
from shared.contracts.fact import Fact, Topic
from shared.contracts.interactions import SALES, OrderPlaced
from shared.messaging import CloudEvent
from shared.messaging.producer import partition_of
from tests.simulation.stories.story import LONG_AGO
from tests.simulation.world.kafka.cluster import Headers
from tests.simulation.world.world import World

PUBLISHERS = {CONTACTS.name: "/rapport/contacts", SALES.name: "/rapport/interactions"}
HELD_UP = 0.25
HOLD_UP = (0.1, 3.0)
"""Seconds by which a partition may get later than others what was told at once."""
TOLD_AGAIN = 0.15
Told = tuple[bytes, bytes, Headers]


class Publisher:
    """Two publishers' records on their way into the log: in order in each partition, and now and then twice."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sequence = 0
        self._free: dict[tuple[str, int], float] = {}
        self._told: dict[tuple[str, int], list[Told]] = {}
        self.under_way = 0

    def tell(self, topic: Topic, fact: Fact, keys: Sequence[str]) -> None:
        """Under each of these keys."""
        data = fact.model_dump_json().encode()
        for key in keys:
            self._sequence += 1
            sequence = f"{self._sequence:024x}"
            event = CloudEvent(
                f"e{self._sequence}", PUBLISHERS[topic.name], fact.TYPE, data, LONG_AGO, sequence=sequence
            )
            record = (key.encode(), data, list(event.headers()))
            place = partition_of(record[0], self._world.cluster.partitions)
            self._append(topic.name, place, record)
            told = self._told.setdefault((topic.name, place), [])
            told.append(record)
            if self._world.chance.random() < TOLD_AGAIN:
                self._append(topic.name, place, self._world.chance.choice(told))

    def _append(self, topic: str, place: int, record: Told) -> None:
        chance, now = self._world.chance, self._world.loop.now
        delay = chance.uniform(*HOLD_UP) if chance.random() < HELD_UP else 0.0
        when = self._free[topic, place] = max(self._free.get((topic, place), 0.0) + 1e-6, now + delay)
        self.under_way += 1
        self._world.loop.outside_at(when, self._arrives, topic, place, record)

    def _arrives(self, topic: str, place: int, record: Told) -> None:
        self.under_way -= 1
        self._world.cluster.append(topic, place, *record)


class Registry:
    """Customers, and what stands of all decisions about them."""

    def __init__(self, world: World, customers: Sequence[str]) -> None:
        self.customers = customers
        self.into: dict[str, str] = {}
        self.erased: dict[str, str] = {}
        """The erasure by the customer who is no more."""
        self.orders: list[OrderPlaced] = []
        self._world = world
        self._publisher = Publisher(world)
        self._turns: Counter[str] = Counter()
        self._ids = 0

    @property
    def under_way(self) -> int:
        return self._publisher.under_way

    def root(self, customer: str) -> str:
        while customer in self.into:
            customer = self.into[customer]
        return customer

    def tree(self, customer: str) -> list[str]:
        return [one for one in self.customers if self.root(one) == self.root(customer)]

    def sells(self, order: OrderPlaced) -> None:
        """Told under the customer's own id, also if they are erased meanwhile: it was under way."""
        self._world.note("ordered:", order.order_id, order.customer_id[-2:])
        self.orders.append(order)
        self._publisher.tell(SALES, order, [order.customer_id])

    def merge(self) -> None:
        roots = [one for one in self.customers if one not in self.into and one not in self.erased]
        if len(roots) < 2:
            return
        survivor, absorbed = self._world.chance.sample(roots, 2)
        self.into[absorbed] = survivor
        self._turns[absorbed] += 1
        fact = ContactMerged(
            merge_id=self._id(),
            survivor=survivor,
            absorbed=absorbed,
            turn=self._turns[absorbed],
            merged_at=self._world.now,
        )
        self._world.note("merges:", absorbed[-2:], "into", survivor[-2:], "turn", fact.turn)
        self._publisher.tell(CONTACTS, fact, (survivor, absorbed))

    def undo(self) -> None:
        if not self.into:
            return
        absorbed = self._world.chance.choice(sorted(self.into))
        survivor = self.into.pop(absorbed)
        self._turns[absorbed] += 1
        fact = ContactUnmerged(
            merge_id=self._id(),
            survivor=survivor,
            absorbed=absorbed,
            turn=self._turns[absorbed],
            unmerged_at=self._world.now,
        )
        self._world.note("parts:", absorbed[-2:], "from", survivor[-2:], "turn", fact.turn)
        self._publisher.tell(CONTACTS, fact, (survivor, absorbed))

    def erase(self) -> None:
        living = [one for one in self.customers if one not in self.erased]
        if living:
            self.erase_all_of(self._world.chance.choice(living))

    def erase_all_of(self, customer: str) -> None:
        """With all who are one with them."""
        gone = self.tree(customer)
        erasure_id = self._id()
        for one in gone:
            self.into.pop(one, None)
            self.erased[one] = erasure_id
        now = self._world.now
        fact = ContactErased(erasure_id=erasure_id, customers=gone, requested_at=now, deadline=now + timedelta(days=30))
        self._world.note("erases:", *(one[-2:] for one in gone))
        self._publisher.tell(CONTACTS, fact, gone)

    def _id(self) -> str:
        self._ids += 1
        return f"01890000-0000-7000-9000-{self._ids:012x}"
