"""What a transaction wants to tell: kept in the `outbox` collection by the transaction itself, for the relay to publish.

One document holds all events of one transaction (several only where 16 MB would not do), because a document costs
MongoDB far more than an element of an array. A fact's headers are written when it leaves; kept are only those of its
attributes that differ from fact to fact. Documents leave the collection when the broker has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from bson import ObjectId

from shared.mongo import Database, Document, Session

COLLECTION = "outbox"
IN_TIME = [("at", 1), ("_id", 1)]
"""The order of commits, as well as it can be told without the oplog: ids alone are in no order between instances."""
CHUNK_BYTES = 8 * 1_048_576
CHUNK_EVENTS = 5_000
ATTRIBUTES_BYTES = 256
"""About what a fact weighs beside its data."""

Headers = Sequence[tuple[str, bytes | None]]
Kind = tuple[str, str, str]
"""Topic, type and source, which the facts of one transaction mostly share."""


class Outgoing(NamedTuple):
    """A record to be: on topic `topic` (without the namespace), under `key`."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


class Told(NamedTuple):
    """A fact to be: a record whose headers follow from its attributes."""

    kind: Kind
    key: bytes
    value: bytes
    id: str
    time: str
    """RFC 3339."""
    correlation_id: str
    origin: str | None

    @property
    def topic(self) -> str:
        return self.kind[0]

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """Binary mode, without the sequence, which the commit gives."""
        return _headers(_of_kind(self.kind), self.key, self.id, self.time, self.correlation_id, self.origin)


async def write(database: Database, session: Session, events: Iterable[Outgoing | Told], now: datetime) -> None:
    """Add the events to the transaction, in order."""
    documents = [{"_id": ObjectId(), **document} for document in packed(events, now)]
    if documents:
        await database[COLLECTION].insert_many(documents, session=session)


def packed(events: Iterable[Outgoing | Told], now: datetime) -> list[Document]:
    """The events as documents, without their `_id`; see `sequenced` for the way back."""
    return [{"at": now, "part": part, **fields} for part, fields in enumerate(_chunks(events))]


def _chunks(events: Iterable[Outgoing | Told]) -> Iterator[Document]:
    kinds: dict[Kind, int] = {}
    chunk: list[Any] = []
    size = 0
    for event in events:
        weight = _weight(event)
        if chunk and (size + weight > CHUNK_BYTES or len(chunk) == CHUNK_EVENTS):
            yield {"kinds": [list(kind) for kind in kinds], "events": chunk}
            kinds, chunk, size = {}, [], 0
        if isinstance(event, Told):
            chunk.append([kinds.setdefault(event.kind, len(kinds)), *event[1:]])
        else:
            chunk.append([event.topic, event.key, event.value, [list(header) for header in event.headers]])
        size += weight
    if chunk:
        yield {"kinds": [list(kind) for kind in kinds], "events": chunk}


def _weight(event: Outgoing | Told) -> int:
    if isinstance(event, Told):
        return len(event.value) + ATTRIBUTES_BYTES + len(event.correlation_id) + len(event.origin or "")
    headers = sum(len(name) + len(value or b"") + 16 for name, value in event.headers)
    return len(event.value or b"") + headers + 64


def sequenced(document: Document, seconds: int, increment: int) -> list[Outgoing]:
    """The document's events with their `ce_sequence`.

    It is made of the commit's place in the oplog, the document's part in its transaction and the event's place in the
    document: strictly growing in commit order and the same however often the document is read. As text it sorts.
    """
    stamp = f"{seconds:08x}{increment:08x}{document['part']:04x}"
    kinds = [tuple(kind) for kind in document.get("kinds", ())]
    constant = [_of_kind(kind) for kind in kinds]
    events = []
    for place, (kind, key, value, *rest) in enumerate(document["events"]):
        if isinstance(kind, int):
            topic, headers = kinds[kind][0], _headers(constant[kind], key, *rest)
        else:
            topic, headers = kind, [(name, header) for name, header in rest[0]]
        headers.append(("ce_sequence", f"{stamp}{place:04x}".encode()))
        events.append(Outgoing(topic, key, value, headers))
    return events


def _of_kind(kind: Kind) -> list[tuple[str, bytes]]:
    return [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_source", kind[2].encode()),
        ("ce_type", kind[1].encode()),
    ]


def _headers(
    constant: list[tuple[str, bytes]], key: bytes, id_: str, time: str, correlation_id: str, origin: str | None
) -> list[tuple[str, bytes]]:
    headers = [
        *constant,
        ("ce_id", id_.encode()),
        ("ce_time", time.encode()),
        ("ce_subject", key),
        ("ce_correlationid", correlation_id.encode()),
    ]
    if origin is not None:
        headers.append(("ce_origin", origin.encode()))
    return headers
