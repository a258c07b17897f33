"""Records that cannot be taken: how they are kept, byte for byte, and how they are sent back to who refused them.

A dead letter has the original key and value; the original headers are kept under `original.`, ours say why and where.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.contracts.fact import Reason
from shared.contracts.topics import DEAD_LETTERS, REPLAYS
from shared.messaging.envelope import CloudEvent, rfc3339
from shared.messaging.outbox import Outgoing
from shared.messaging.received import Record, Rejected

TYPE = "crm.dead-letter.recorded.v1"
REASON, DETAIL, TOPIC, PARTITION, OFFSET, ELEMENT, HANDLER, FIRST_SEEN, REPLAYED, NO_VALUE = (
    f"rapport-{name}"
    for name in (
        "reason", "detail", "topic", "partition", "offset", "element", "handler", "first-seen", "replayed", "no-value",
    )
)  # fmt: skip
ORIGINAL = "original."
REPLAY_GROUP, REPLAY_TOPIC, REPLAY_OF = "rapport-replay-group", "rapport-replay-topic", "rapport-replay-of"
MAX_DETAIL = 2_000
MAX_ID = 512
MAX_HEADERS_BYTES = 256 * 1024
"""Of the original's headers, as many as fit are kept: the letter of the largest record must still fit into its topic."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter, read."""

    id: str
    """The refusing group and the record's place in the log: the same however often it is refused there."""
    reason: Reason
    detail: str
    topic: str
    """Where the original stood, without the namespace."""
    partition: int
    offset: int
    element: int | None
    handler: str
    """The consumer group that refused it."""
    first_seen: datetime
    replays: int
    """How often it had been sent back before."""
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    """The original's."""

    def attribute(self, name: str) -> str | None:
        """A CloudEvents attribute of the original in binary mode, if it is readable."""
        raw = dict(self.headers).get(f"ce_{name}")
        return raw.decode("utf-8", "replace") if raw else None


def letter(rejected: Rejected, handler: str, source: str, now: datetime) -> Outgoing:
    """The dead letter of a rejected record."""
    record = rejected.record
    original = dict(record.headers)
    # Only on its way back does a record carry headers of ours; an outsider may have written anything under their names.
    history = original if record.topic.endswith(REPLAYS.name) else {}
    value = rejected.value()
    event = CloudEvent(
        id=_identity(rejected, history, handler),
        source=source,
        type=TYPE,
        data=b"",
        time=now,
        correlation_id=(_text(original.get("ce_correlationid")) or _text(original.get("ce_id")) or "")[:MAX_ID] or None,
    )
    ours = {
        REASON: rejected.reason.value,
        DETAIL: rejected.detail[:MAX_DETAIL],
        TOPIC: rejected.topic,
        PARTITION: _text(history.get(PARTITION)) or str(record.partition),
        OFFSET: _text(history.get(OFFSET)) or str(record.offset),
        HANDLER: handler,
        FIRST_SEEN: _text(history.get(FIRST_SEEN)) or rfc3339(now),
        REPLAYED: _text(history.get(REPLAYED)) or "0",
    }
    if rejected.element is not None:
        ours[ELEMENT] = str(rejected.element)
    if value is None:
        ours[NO_VALUE] = "1"
    headers: list[tuple[str, bytes | None]] = [
        *event.headers(),
        *((name, text.encode()) for name, text in ours.items()),
    ]
    headers += _kept(record.headers)
    return Outgoing(DEAD_LETTERS.name, record.key, b"" if value is None else value, headers)


def _kept(headers: Sequence[tuple[str, bytes | None]]) -> list[tuple[str, bytes | None]]:
    """The original's headers under names of their own, without those that an earlier refusal had added."""
    kept: list[tuple[str, bytes | None]] = []
    room = MAX_HEADERS_BYTES
    for name, raw in headers:
        if name.startswith("rapport-"):
            continue
        room -= len(ORIGINAL) + len(name.encode()) + len(raw or b"") + 32
        if room >= 0:
            kept.append((ORIGINAL + name, raw))
    return kept


def _identity(rejected: Rejected, history: Mapping[str, bytes | None], handler: str) -> str:
    """Who refused it and where it stood; refused again after a replay, the first identity and the number of the replay."""
    record = rejected.record
    if replayed := _text(history.get(REPLAY_OF)):
        return f"{replayed.partition('~')[0]}~{_text(history.get(REPLAYED))}"
    place = f"{handler}:{rejected.topic}:{record.partition}:{record.offset}"
    return place if rejected.element is None else f"{place}:{rejected.element}"


def read(record: Record) -> DeadLetter:
    """Raises KeyError or ValueError for a record that is none of ours."""
    headers: Mapping[str, bytes | None] = dict(record.headers)

    def text(name: str) -> str:
        raw = headers[name]
        if raw is None:
            raise ValueError(f"header {name} is null")
        return raw.decode("utf-8", "replace")

    return DeadLetter(
        id=text("ce_id"),
        reason=Reason(text(REASON)),
        detail=text(DETAIL),
        topic=text(TOPIC),
        partition=int(text(PARTITION)),
        offset=int(text(OFFSET)),
        element=int(text(ELEMENT)) if ELEMENT in headers else None,
        handler=text(HANDLER),
        first_seen=datetime.fromisoformat(text(FIRST_SEEN)).astimezone(UTC),
        replays=int(text(REPLAYED)),
        key=record.key,
        value=None if NO_VALUE in headers else record.value,
        headers=[(name.removeprefix(ORIGINAL), raw) for name, raw in record.headers if name.startswith(ORIGINAL)],
    )


def replay(dead: DeadLetter, value: bytes | None = None) -> Outgoing:
    """The record that takes a dead letter back to the group that refused it; `value` replaces a body that was mended.

    An element of a batch travels as an event of its own, in structured mode. The sequence is not handed on: the relay
    that publishes the replay gives it one of its own, so that a replay that is published twice counts once.
    """
    back = {
        REPLAY_GROUP: dead.handler,
        REPLAY_TOPIC: dead.topic,
        REPLAY_OF: dead.id,
        PARTITION: str(dead.partition),
        OFFSET: str(dead.offset),
        FIRST_SEEN: rfc3339(dead.first_seen),
        REPLAYED: str(dead.replays + 1),
    }
    headers: list[tuple[str, bytes | None]] = [(name, text.encode()) for name, text in back.items()]
    dropped = {"ce_sequence"} if dead.element is None else {"ce_sequence", "content-type"}
    headers += [(name, raw) for name, raw in dead.headers if name not in dropped]
    return Outgoing(REPLAYS.name, dead.key, dead.value if value is None else value, headers)


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "replace")
