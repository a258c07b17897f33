"""Guarded offsets: how far each partition has had its effect, moved in the very transaction that makes the effect.

A document per (group, topic, partition) in `offsets`: `next`, the first offset that has not had its effect, and
`sequences`, the newest `ce_sequence` of each publisher. It drops redelivered records and republished events, and it
fences a consumer that does not know yet that its partition has gone to another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError

from shared.contracts.topics import REPLAYS
from shared.messaging.received import Received, Record, Rejected
from shared.messaging.transient import Fenced
from shared.mongo import Database, Document, Session

COLLECTION = "offsets"
DUPLICATE_KEY = 11000
Partition = tuple[str, int]
"""Full topic name and partition."""


Sequenced = Received | Rejected
S = TypeVar("S", bound=Sequenced)


@dataclass(slots=True)
class Position:
    """Where a partition stands."""

    next: int = 0
    sequences: dict[str, str] = field(default_factory=dict)
    stored: bool = False


class Offsets:
    """The positions of one consumer group. What it holds in memory is only ever believed if the database agrees."""

    def __init__(self, database: Database, group: str) -> None:
        self._documents = database[COLLECTION]
        self._group = group
        self._known: dict[Partition, Position] = {}
        self._stale = False

    def forget(self) -> None:
        """After any failure, and when partitions change hands. What a batch in hand has loaded stays until the next
        `load`: this may be called in the middle of it, and the database judges what it believes.
        """
        self._stale = True

    async def load(self, partitions: Sequence[Partition]) -> None:
        if self._stale:
            self._known.clear()
            self._stale = False
        missing = {self._id(p): p for p in partitions if p not in self._known}
        if not missing:
            return
        found = {d["_id"]: d async for d in self._documents.find({"_id": {"$in": list(missing)}})}
        for name, partition in missing.items():
            document = found.get(name)
            self._known[partition] = (
                Position(document["next"], dict(document["sequences"]), stored=True) if document else Position()
            )

    async def stored(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """The first offsets that have not had their effect, as the database has them now; a batch in hand is not
        disturbed.
        """
        names = {self._id(partition): partition for partition in partitions}
        found = self._documents.find({"_id": {"$in": list(names)}}, {"next": 1})
        return dict.fromkeys(partitions, 0) | {names[d["_id"]]: d["next"] async for d in found}

    def next(self, partition: Partition) -> int:
        """The first offset that has not had its effect, of a loaded partition."""
        return self._known[partition].next

    def beyond(self, partition: Partition, end: int) -> bool:
        """Whether our position in a loaded partition lies after `end`."""
        return self._known[partition].next > end

    async def restart(self, partition: Partition, end: int) -> bool:
        """A log that ends before our position was made anew: begin again. Tells whether that was so.

        The position must have been loaded before `end` was asked for: a log only grows, so an end that is older than
        the position proves nothing. The sequences stay: what a publisher tells again has had its effect.
        """
        if not self.beyond(partition, end):
            return False
        position = self._known[partition]
        place = {"_id": self._id(partition), "next": position.next}
        result = await self._documents.update_one(place, {"$set": {"next": 0}})
        self.forget()
        return result.matched_count == 1

    def unseen(self, records: Sequence[Record]) -> list[Record]:
        """Without the records that have had their effect."""
        known = self._known
        unseen = []
        topic, partition, begins = "", -1, 0
        for record in records:  # those of one partition come in a row
            if record.partition != partition or record.topic != topic:
                topic, partition = record.topic, record.partition
                begins = known[topic, partition].next
            if record.offset >= begins:
                unseen.append(record)
        return unseen

    def fresh(self, told: Sequence[S]) -> list[S]:
        """Without what has come before under the same sequence, published twice by a relay that died. `told` is in the
        order of the log, within each partition.
        """
        newest: dict[Partition, dict[str, str]] = {}
        fresh = []
        for one in told:
            sequence = one.sequence
            if sequence is not None:
                place = (one.record.topic, one.record.partition)
                known = newest.get(place)
                if known is None:
                    known = newest[place] = dict(self._known[place].sequences)
                publisher = _publisher(one)
                if sequence <= known.get(publisher, ""):
                    continue
                known[publisher] = sequence
            fresh.append(one)
        return fresh

    def after(self, records: Sequence[Record], told: Iterable[Sequenced]) -> dict[Partition, Position]:
        """The positions once these records have had their effect."""
        moved: dict[Partition, Position] = {}
        position, topic, partition = Position(), "", -1
        for record in records:  # those of one partition come in a row
            if record.partition != partition or record.topic != topic:
                topic, partition = record.topic, record.partition
                current = self._known[topic, partition]
                fresh = Position(current.next, dict(current.sequences), stored=True)
                position = moved.setdefault((topic, partition), fresh)
            position.next = max(position.next, record.offset + 1)
        for one in told:
            if one.sequence is not None:
                # What was published again ends below what is known: the newest stays the newest.
                sequences = moved[one.record.topic, one.record.partition].sequences
                publisher = _publisher(one)
                sequences[publisher] = max(one.sequence, sequences.get(publisher, ""))
        return moved

    async def move(self, moved: dict[Partition, Position], session: Session) -> None:
        """Move the documents, if they stand where we believe they do. Raises Fenced if one does not."""
        writes: list[InsertOne[Document] | UpdateOne] = []
        for partition, to in moved.items():
            current = self._known[partition]
            state = {"next": to.next, "sequences": to.sequences}
            if current.stored:
                writes.append(UpdateOne({"_id": self._id(partition), "next": current.next}, {"$set": state}))
            else:
                writes.append(InsertOne({"_id": self._id(partition), **state}))
        try:
            result = await self._documents.bulk_write(writes, ordered=True, session=session)
        except BulkWriteError as error:
            if not any(e["code"] == DUPLICATE_KEY for e in error.details.get("writeErrors", ())):
                raise
            raise Fenced(f"{self._group}: a partition has just been begun elsewhere") from error
        if result.matched_count + result.inserted_count != len(writes):
            raise Fenced(f"{self._group}: a partition has been moved elsewhere")

    def moved(self, positions: dict[Partition, Position]) -> None:
        """The transaction has committed."""
        self._known.update(positions)

    def _id(self, partition: Partition) -> str:
        return f"{self._group}:{partition[0]}:{partition[1]}"


def _publisher(event: Sequenced) -> str:
    """Whose sequence it is. All replays come from the one service that keeps the dead letters, whoever told them first."""
    return REPLAYS.name if event.record.topic.endswith(REPLAYS.name) else event.source
