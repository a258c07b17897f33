"""What a transaction wants to tell: kept in the `outbox` collection by the transaction itself, for the relay to publish.

One document holds all events of one transaction (several only where 16 MB would not do), because a document costs
MongoDB far more than an element of an array. Documents leave the collection when the broker has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from bson import ObjectId

from shared.mongo import Database, Document, Session

COLLECTION = "outbox"
CHUNK_BYTES = 8 * 1_048_576
CHUNK_EVENTS = 5_000


class Outgoing(NamedTuple):
    """A record to be: on topic `topic` (without the namespace), under `key`."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


async def write(database: Database, session: Session, events: Iterable[Outgoing], now: datetime) -> None:
    """Add the events to the transaction, in order."""
    documents = [
        {"_id": ObjectId(), "at": now, "part": part, "events": chunk} for part, chunk in enumerate(_chunks(events))
    ]
    if documents:
        await database[COLLECTION].insert_many(documents, session=session)


def _chunks(events: Iterable[Outgoing]) -> Iterator[list[list[object]]]:
    chunk: list[list[object]] = []
    size = 0
    for event in events:
        weight = len(event.value or b"") + sum(len(name) + len(value or b"") + 16 for name, value in event.headers) + 64
        if chunk and (size + weight > CHUNK_BYTES or len(chunk) == CHUNK_EVENTS):
            yield chunk
            chunk, size = [], 0
        chunk.append([event.topic, event.key, event.value, [list(header) for header in event.headers]])
        size += weight
    if chunk:
        yield chunk


def sequenced(document: Document, seconds: int, increment: int) -> list[Outgoing]:
    """The document's events with their `ce_sequence`.

    It is made of the commit's place in the oplog, the document's part in its transaction and the event's place in the
    document: strictly growing in commit order and the same however often the document is read. As text it sorts.
    """
    stamp = f"{seconds:08x}{increment:08x}{document['part']:04x}"
    return [
        Outgoing(
            topic,
            key,
            value,
            [*((name, header) for name, header in headers), ("ce_sequence", f"{stamp}{place:04x}".encode())],
        )
        for place, (topic, key, value, headers) in enumerate(document["events"])
    ]
