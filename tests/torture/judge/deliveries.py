"""What channels were sent, in the order in which it reached them: signed, never back in version, rarely twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.torture.judge.breach import Breaches
from tests.torture.judge.identities import Identities

FORWARD, SIGNED, TWICE, STABLE = (
    "deliveries never go back in version",
    "every webhook is signed",
    "what was acknowledged is not sent again without cause",
    "a message keeps its id",
)


class Delivery(NamedTuple):
    """One request, or one event of a stream, as it reached a channel."""

    channel: str
    arrived_at: float
    customer_id: str
    version: int
    message_id: str
    signed: bool
    taken: bool
    """Whether the channel said that it has it."""
    orders: int = 0
    interactions: int = 0


@dataclass(slots=True)
class Received:
    """Takes deliveries in the order of their arrival; `close` when all are read."""

    who: Identities
    breaches: Breaches
    excused: int
    """So many acknowledged deliveries of each channel may come again: what faults have cut off from its settlement."""
    newest: dict[tuple[str, str], tuple[int, str, bool]] = field(default_factory=dict)
    again: Counter[str] = field(default_factory=Counter)
    count: Counter[str] = field(default_factory=Counter)

    def take(self, delivery: Delivery) -> None:
        self.count[delivery.channel] += 1
        customer = self.who.customer(delivery.customer_id)
        what = f"{delivery.channel}: customer {customer} ({delivery.customer_id})"
        self.breaches.expect(SIGNED, what, True, delivery.signed, customer=customer)
        line = (delivery.channel, delivery.customer_id)
        version, message_id, taken = self.newest.get(line, (0, "", False))
        self.breaches.checks[FORWARD] += 1
        if delivery.version < version:
            self.breaches.expect(FORWARD, what, f"{version} or later", delivery.version, customer=customer)
            return
        if delivery.version == version:
            self.again[delivery.channel] += taken and delivery.taken
            self.breaches.expect(STABLE, what, message_id, delivery.message_id, customer=customer)
        taken = delivery.taken or (taken and delivery.version == version)
        self.newest[line] = (delivery.version, delivery.message_id, taken)

    def close(self) -> None:
        for channel in self.count:
            times = self.again[channel]
            self.breaches.expect(
                TWICE, channel, f"{self.excused} at most", f"{self.excused} at most" if times <= self.excused else times
            )
