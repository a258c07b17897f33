"""From an event's intended sending to the first delivery that has it in it. Pure; the clock is the machine's monotonic."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.torture.judge.deliveries import Delivery


class Told(NamedTuple):
    """An event's place among its customer's events of its kind, as the topic of its kind tells them."""

    event: int
    customer_id: str
    kind: str
    place: int
    """From 1: a view with so many orders, or interactions, is the first that has it."""


class Waiting:
    """Matches deliveries to events: the delivery with n orders has the first n in it."""

    def __init__(self, told: Iterable[Told]) -> None:
        self._waiting: dict[tuple[str, str], list[Told]] = {}
        for one in told:
            self._waiting.setdefault((one.customer_id, one.kind), []).append(one)
        for events in self._waiting.values():
            events.sort(key=lambda one: one.place, reverse=True)

    def arrived(self, delivery: Delivery) -> Iterator[int]:
        """The events that this delivery is the first to have. Deliveries come in the order of their arrival."""
        for kind, count in (("sale", delivery.orders), ("interaction", delivery.interactions)):
            events = self._waiting.get((delivery.customer_id, kind), [])
            while events and events[-1].place <= count:
                yield events.pop().event


def latencies(told: Iterable[Told], deliveries: Iterable[Delivery], due: array[float]) -> list[float]:
    """Seconds, one for each event that was delivered."""
    waiting = Waiting(told)
    return [delivery.arrived_at - due[number] for delivery in deliveries for number in waiting.arrived(delivery)]


def percentile(values: list[float], share: float) -> float | None:
    """The value that so large a share does not exceed; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
