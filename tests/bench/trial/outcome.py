"""What one trial has shown, and what follows from it: lag, latency, CPU, and whether the rate was sustained."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.trial.arrivals import CHANNELS, UNKNOWN, Arrival, read
from tests.bench.trial.figures import Due, Moments, percentiles, slope, waits
from tests.bench.trial.load import Load, Planned
from tests.bench.trial.watch import INTERACTIONS, SALES, SCORES
from tests.load.mix import Kind
from tests.load.pacing import Schedule

SETTLED = 0.25
"""The first quarter of a trial does not count for the slope of its lag: caches fill, fetches grow."""
GROWTH = 0.02
"""Lag that grows by more than this share of the rate is not flat, if it comes to more than `DRAINED_WITHIN` in all."""
DRAINED_WITHIN = 2.0
"""Seconds, or 5 % of a long trial, within which everything must be delivered after the last event was due."""
SERVERS = ("kafka", "mongo", "redis")
AROUND = ("generator", "receivers", "bench")


class Sample(NamedTuple):
    """So many of the trial's events were known to each channel at this time."""

    at: float
    events: tuple[int, ...]


@dataclass
class Outcome:
    """One trial."""

    load: Load
    planned: Planned
    before: Mapping[Kind, Counter[int]]
    """How many of which kind each customer had when the trial began."""
    began: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    generator: dict[str, Any] = field(default_factory=dict)
    receivers: dict[str, Any] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    memory_mb: dict[str, int] = field(default_factory=dict)
    busy: float = 0.0
    seen: Mapping[str, Sequence[tuple[float, bytes, int]]] = field(default_factory=dict)
    arrivals_file: Path = Path()
    arrivals_from: int = 0

    @property
    def void(self) -> str:
        if self.receivers.get("wrong_signatures"):
            return f"{self.receivers['wrong_signatures']} webhooks were signed wrongly"
        if self.receivers.get("backwards"):
            return f"{self.receivers['backwards']} deliveries were older than the one before"
        return str(self.generator.get("void", ""))

    @property
    def lags(self) -> list[tuple[float, float]]:
        """Seconds since the begin, and how many events were due by then and not in the slower channel."""
        schedule = Schedule(self.began, self.load.rate)
        found = []
        for sample in self.samples:
            due = min(self.load.count, schedule.due(sample.at))
            found.append((sample.at - self.began, float(self.planned.visible_until(due) - min(sample.events))))
        return found

    @cached_property
    def drained(self) -> float:
        """Seconds from the last event's due time until both channels knew everything."""
        known: Counter[tuple[int, int]] = Counter()
        for counted in self.before.values():
            for channel in range(len(CHANNELS)):
                known.update({(channel, customer): count for customer, count in counted.items()})
        last = self.began
        for arrival in self.arrivals():
            seen, count = (arrival.channel, arrival.customer), arrival.orders + arrival.interactions
            if count > known[seen]:
                known[seen], last = count, arrival.at
        return last - Schedule(self.began, self.load.rate).at(self.load.count - 1)

    @cached_property
    def growth(self) -> float:
        """Events by which the lag grew each second."""
        length = self.load.seconds
        return slope([point for point in self.lags if SETTLED * length <= point[0] <= length])

    @property
    def unsustained(self) -> str:
        """Why the rate was too high; empty where it was not."""
        allowed = max(GROWTH * self.load.rate, DRAINED_WITHIN * self.load.rate / self.load.seconds)
        if self.growth > allowed:
            return f"lag grew by {self.growth:.0f} events/s"
        if self.drained > max(DRAINED_WITHIN, 0.05 * self.load.seconds):
            return f"{self.drained:.1f} s behind at the end"
        return ""

    def cpu_per_event(self) -> dict[str, float]:
        """Microseconds (CPU seconds a million events), the dearest first."""
        each = {name: used / self.load.count * 1e6 for name, used in self.cpu.items()}
        return dict(sorted(each.items(), key=lambda pair: -pair[1]))

    def cpu_by_part(self) -> dict[str, float]:
        """The same, summed up: the platform's own services, its servers, and what a bench needs around them."""
        parts = dict.fromkeys(("services", "servers", "load and receivers"), 0.0)
        for name, cost in self.cpu_per_event().items():
            part = "servers" if name in SERVERS else "load and receivers" if name in AROUND else "services"
            parts[part] += cost
        return parts

    def arrivals(self) -> Iterator[Arrival]:
        return read(self.arrivals_file, self.arrivals_from)

    def latencies(self) -> dict[str, tuple[dict[str, float], int, int]]:
        """For each effect: percentiles in ms, how many events, and how many of them were never seen."""
        found: dict[str, tuple[dict[str, float], int, int]] = {}
        for effect, parts in self._effects().items():
            times: list[float] = []
            missing = 0
            for due, moments in parts:
                seconds, lost = waits(due, moments)
                times += seconds
                missing += lost
            found[effect] = ({name: 1000 * t for name, t in percentiles(times).items()}, len(times), missing)
        return found

    def _effects(self) -> dict[str, list[tuple[Iterator[Due], Mapping[int, Moments]]]]:
        sales, interactions = partial(self._due, "sale"), partial(self._due, "interaction")
        effects: dict[str, list[tuple[Iterator[Due], Mapping[int, Moments]]]] = {}
        if self.seen:
            effects["stored"] = [
                (sales(), self._counted(SALES, "sale")),
                (interactions(), self._counted(INTERACTIONS, "interaction")),
            ]
            effects["score visible"] = [(sales(), self._told(SCORES))]
        for number, name in enumerate(CHANNELS):
            mine = [arrival for arrival in self.arrivals() if arrival.channel == number and arrival.customer != UNKNOWN]
            effects[name] = [
                (sales(), by_customer((one.customer, one.at, one.orders) for one in mine)),
                (interactions(), by_customer((one.customer, one.at, one.interactions) for one in mine)),
            ]
        return effects

    def _due(self, kind: Kind) -> Iterator[Due]:
        return self.planned.due(kind, self.began, self.load.rate, self.before[kind])

    def _counted(self, topic: str, kind: Kind) -> Mapping[int, Moments]:
        """A customer's n-th fact on a topic is his n-th event of the kind."""
        whose, count = self._whose, Counter(self.before[kind])
        found = []
        for at, customer_id, _ in self.seen[topic]:
            customer = whose.get(customer_id, UNKNOWN)
            count[customer] += 1
            found.append((customer, at, count[customer]))
        return by_customer(found)

    def _told(self, topic: str) -> Mapping[int, Moments]:
        whose = self._whose
        return by_customer((whose.get(customer_id, UNKNOWN), at, count) for at, customer_id, count in self.seen[topic])

    @cached_property
    def _whose(self) -> dict[bytes, int]:
        return {arrival.customer_id: arrival.customer for arrival in self.arrivals() if arrival.customer != UNKNOWN}


def by_customer(moments: Iterable[tuple[int, float, int]]) -> Mapping[int, Moments]:
    """From (customer, time, count)."""
    found: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for customer, at, count in moments:
        found[customer].append((at, count))
    return found
