"""No process needs a human: all ready, nothing halted, nothing left over, no restart that no fault explains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.torture.judge.breach import Breaches

DRAINED, WELL, RESTARTS, TAKEN = (
    "everything drains by itself",
    "every process is well",
    "faults explain every restart",
    "what is right is taken",
)


GROUPS = {
    "contacts": ("crm.inbound",),
    "contacts-erasures": ("crm.erasures",),
    "contacts-stages": ("crm.scores",),
    "interactions": ("crm.inbound",),
    "interactions-dead-letters": ("crm.dead-letters",),
    "interactions-merges": ("crm.contacts",),
    "scoring": ("crm.interactions", "crm.sales"),
    "scoring-erasures": ("crm.contacts",),
    "scoring-merges": ("crm.contacts",),
    "campaigns": ("crm.contacts", "crm.interactions", "crm.sales", "crm.scores"),
    "sync": ("crm.contacts", "crm.interactions", "crm.sales", "crm.scores", "crm.campaigns"),
}
"""Who listens to what."""
TOPICS = tuple(sorted({topic for topics in GROUPS.values() for topic in topics}))


class Position(NamedTuple):
    """How far a group is in a partition, and where that ends."""

    group: str
    topic: str
    partition: int
    next: int
    end: int


class Readiness(NamedTuple):
    """What a process says of itself."""

    process: str
    status: int
    said: str
    restarts: int
    explained: int
    """Restarts that faults have caused."""


def positions(moved: Mapping[tuple[str, str, int], int], ends: Mapping[tuple[str, int], int]) -> list[Position]:
    """Of every group in every partition of its topics; who has never taken anything stands at zero."""
    return [
        Position(group, topic, partition, moved.get((group, topic, partition), 0), end)
        for group, topics in GROUPS.items()
        for (topic, partition), end in sorted(ends.items())
        if topic in topics
    ]


def drained(
    positions: Sequence[Position], outboxes: Mapping[str, int], backlogs: Mapping[str, int], breaches: Breaches
) -> None:
    """Nothing waits in topics, outboxes and before channels."""
    for position in positions:
        where = f"{position.group} in {position.topic} {position.partition}"
        breaches.expect(DRAINED, where, position.end, position.next)
    for database, documents in outboxes.items():
        breaches.expect(DRAINED, f"the outbox of {database}", 0, documents)
    for channel, waiting in backlogs.items():
        breaches.expect(DRAINED, f"customers that {channel} waits for", 0, waiting)


def well(processes: Sequence[Readiness], breaches: Breaches) -> None:
    for process in processes:
        breaches.expect(WELL, f"{process.process}: {process.said}", 200, process.status)
        few = process.restarts <= process.explained
        found = process.restarts if not few else f"{process.explained} at most"
        breaches.expect(RESTARTS, process.process, f"{process.explained} at most", found)


def recovered(stuck: Sequence[str | None], breaches: Breaches) -> None:
    """One for each fault: what had not moved on long after its end, or None."""
    for said in stuck:
        breaches.expect(DRAINED, "after a fault", None, said)


def taken(rejected: Mapping[str, int], breaches: Breaches) -> None:
    """The load over HTTP has no errors in it, so nothing of it may be refused."""
    breaches.expect(TAKEN, "right events refused over HTTP", {}, dict(rejected))
