"""The changes of late, by heart of whoever has made them, so that channels need not read them back.

They count only as long as this instance alone changes views: whoever else changes one may have taken it to another
partition, where its older version would be met in this memory after the newer one. So any change of somebody else's ends
all that is remembered, also a change that is heard of while one of our own is under way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.sync.domain.outgoing import Changed
from services.sync.domain.positions import ahead

MOST = 2_000
"""Changes of one partition, some 4 MB. A channel that is farther behind reads from the database."""


class Written(NamedTuple):
    """What a transaction has changed."""

    since: int
    """What `Recent.lives` was before the transaction had read anything."""
    before: Mapping[int, int]
    """Where the partitions ended."""
    after: Mapping[int, int]
    """Where they end now."""
    changes: Sequence[Changed]
    """In order within each partition, without a gap between the two ends."""


@dataclass(slots=True)
class Lane:
    """One partition: all that has changed behind a position."""

    begin: int
    changes: list[Changed | None] = field(default_factory=list)
    """None where the customer has changed again since."""

    @property
    def end(self) -> int:
        return self.begin + len(self.changes)

    def behind(self, position: int, end: int) -> list[Changed]:
        return [changed for changed in self.changes[position - self.begin : end - self.begin] if changed is not None]


class Recent:
    """What this instance has changed since anybody else has."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.lives = 0
        """Grows whenever all is forgotten."""
        self._lanes: dict[int, Lane] = {}
        self._newest: dict[str, Changed] = {}

    def forget(self) -> None:
        """Somebody else has changed something, or somebody is to be forgotten."""
        self.lives += 1
        self._lanes.clear()
        self._newest.clear()

    def written(self, written: Written) -> None:
        """A transaction of ours has committed."""
        ours = all(self._lane(p, written.before.get(p, 0)).end == written.before.get(p, 0) for p in written.after)
        if written.since != self.lives or not ours:
            self.forget()
            return
        for changed in written.changes:
            self._add(changed)
        for partition in written.after:
            self._shorten(self._lanes[partition])

    def beyond(self, cursor: Mapping[int, int], tails: Mapping[int, int], limit: int) -> list[Changed] | None:
        """What `ChangeStore.beyond` gives; None if that is not known here."""
        found: list[list[Changed]] = []
        for partition in ahead(tails, cursor):
            lane, position = self._lanes.get(partition), cursor.get(partition, 0)
            if lane is None or position < lane.begin or tails[partition] > lane.end:
                return None
            found.append(lane.behind(position, tails[partition]))
        return shared_out(found, limit)

    def _lane(self, partition: int, end: int) -> Lane:
        return self._lanes.setdefault(partition, Lane(end))

    def _add(self, changed: Changed) -> None:
        if before := self._newest.get(changed.customer_id):
            lane = self._lanes[before.place.partition]
            lane.changes[before.place.position - lane.begin - 1] = None
        self._newest[changed.customer_id] = changed
        self._lanes[changed.place.partition].changes.append(changed)

    def _shorten(self, lane: Lane) -> None:
        """Seldom and much, as the rest moves up each time."""
        if len(lane.changes) <= 2 * self.most:
            return
        gone = len(lane.changes) - self.most
        for changed in lane.changes[:gone]:
            if changed is not None:
                del self._newest[changed.customer_id]
        del lane.changes[:gone]
        lane.begin += gone


def shared_out(found: Sequence[list[Changed]], limit: int) -> list[Changed]:
    """As many as the limit allows, and of each partition its share: none waits for the others to come to an end."""
    if sum(map(len, found)) <= limit:
        return [changed for lane in found for changed in lane]
    shared: list[Changed] = []
    for index, lane in enumerate(found):
        shared += lane[: -(-(limit - len(shared)) // (len(found) - index))]
    return shared
