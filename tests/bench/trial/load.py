"""The load of one trial as numbers: whose event comes when, and which effects it will have. Computed from the plan alone."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.bench.trial.figures import Due
from tests.load.mix import Kind, Road, mix_on
from tests.load.plan import messages

KINDS: tuple[Kind, ...] = ("sale", "interaction", "contact")


@dataclass(frozen=True)
class Load:
    """What is sent at which rate over which road."""

    rate: float
    count: int
    road: Road
    seed: int
    mix: dict[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return self.count / self.rate

    def planned(self) -> Planned:
        planned = Planned()
        for message in messages(mix_on(self.road, **self.mix), self.count, self.seed):
            entry = message.entry
            planned.customers.append(entry.customer)
            planned.kinds.append(KINDS.index(entry.kind))
            planned.total += entry.total
        return planned


@dataclass
class Planned:
    """The events in their order, in little memory."""

    customers: array[int] = field(default_factory=lambda: array("i"))
    kinds: bytearray = field(default_factory=bytearray)
    total: Decimal = Decimal(0)
    """Of all sales."""

    def count(self, kind: Kind) -> int:
        return self.kinds.count(KINDS.index(kind))

    @property
    def visible(self) -> int:
        """Sales and interactions: what channels can count. Reports of contacts are part of the load and not timed."""
        return len(self.kinds) - self.count("contact")

    def visible_until(self, places: int) -> int:
        """How many of the first events are visible ones."""
        return places - self.kinds.count(KINDS.index("contact"), 0, places)

    def due(self, kind: Kind, began: float, rate: float, before: Counter[int]) -> Iterator[Due]:
        """The events of a kind; `before` is how many of it each customer had before this load."""
        wanted, seen = KINDS.index(kind), Counter(before)
        for place, (customer, found) in enumerate(zip(self.customers, self.kinds, strict=True)):
            if found == wanted:
                seen[customer] += 1
                yield Due(began + place / rate, customer, seen[customer])

    def per_customer(self, kind: Kind) -> Counter[int]:
        wanted = KINDS.index(kind)
        return Counter(customer for customer, found in zip(self.customers, self.kinds, strict=True) if found == wanted)
