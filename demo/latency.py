"""How long a sale takes from its till to a channel: departures and arrivals matched. Wall times of one machine."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from demo.copies import Arrival
from demo.emitters.event import rfc3339
from demo.emitters.player import Sending


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the moment an event leaves its system until a view with it is in the channel's hands."""

    p50: float
    p99: float
    longest: float
    samples: int
    unseen: int
    """Sales that no delivery ever showed."""


def latency(
    sendings: Sequence[Sending], arrivals: Iterable[Arrival], whose: Mapping[str, int | None]
) -> Latency | None:
    """None where nothing was measured."""
    times = list(waits(sendings, arrivals, whose))
    seen = sorted(time for time in times if time is not None)
    if not seen:
        return None
    return Latency(percentile(seen, 0.5), percentile(seen, 0.99), round(seen[-1], 1), len(seen), len(times) - len(seen))


def waits(
    sendings: Sequence[Sending], arrivals: Iterable[Arrival], whose: Mapping[str, int | None]
) -> Iterable[float | None]:
    """For each sale the wait for the first view with at least so many orders of which the last is not older."""
    by_household: dict[int | None, list[Arrival]] = defaultdict(list)
    for arrival in sorted(arrivals, key=lambda arrival: arrival.arrived_at):
        by_household[whose.get(arrival.customer_id)].append(arrival)
    for sending in sendings:
        found = by_household[sending.household]
        at = bisect_left(found, sending.orders, key=lambda arrival: arrival.orders)
        while at < len(found) and found[at].last_order_at < rfc3339(sending.ordered_at):
            at += 1
        yield (found[at].arrived_at - sending.left_at) * 1000 if at < len(found) else None


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that is not below so large a share of all (nearest rank)."""
    return round(ordered[max(0, ceil(len(ordered) * share) - 1)], 1)
