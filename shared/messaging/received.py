"""An event as a handler sees it, and how a Kafka record becomes one."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson

from shared.contracts.fact import Fact, Reason
from shared.messaging import envelope
from shared.messaging.envelope import CloudEvent, Refused

MAX_ELEMENTS = 1_000
"""Of one record in batch mode. More would not fit into a transaction, least of all as dead letters."""


class Record(Protocol):
    """A Kafka record, as aiokafka gives it."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


@dataclass(slots=True)
class Received:
    """A valid event: its attributes, its fact, and where in the log it stood."""

    id: str
    source: str
    type: str
    subject: str
    """The record's key; on domain topics the customer's id."""
    time: datetime
    fact: Any
    """The validated contract model; handlers know its type by `type` or `isinstance`."""
    topic: str
    """The topic's name in the contracts, without the namespace."""
    partition: int
    offset: int
    sequence: str | None
    correlation_id: str
    origin: str | None
    """The edge source that this goes back to, if any."""
    record: Record
    element: int | None = None
    """Position in the record, where the record is a batch."""


@dataclass(slots=True)
class Rejected:
    """A record, or an element of it, that no handler will see."""

    record: Record
    topic: str
    reason: Reason
    detail: str
    element: int | None = None
    source: str = ""
    sequence: str | None = None
    """Of a fact that could be read but not taken: published twice, it is refused once."""

    def value(self) -> bytes | None:
        """The record's bytes, or the one element's that is refused."""
        if self.element is None:
            return self.record.value
        return orjson.dumps(_elements(self.record.value or b"[]")[self.element])


@functools.lru_cache(maxsize=1)
def _elements(batch: bytes) -> list[Any]:
    """Read once for all the elements that are refused, which may be all of them."""
    return orjson.loads(batch)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a subscription takes from one topic."""

    topic: str
    facts: Mapping[str, type[Fact]]
    ignored: frozenset[str]
    """Types that are another service's business."""
    owns_rest: bool
    """Whether what nobody can take is this subscription's to refuse."""
    limit: int
    """Bytes of one event's data."""
    edge: bool
    """Written by outsiders: any mode of CloudEvents, and no trust in attributes of ours."""
    wanted: frozenset[bytes | None] = field(init=False, repr=False, compare=False)
    """The types of the facts, as they stand in a header: a guest looks at those of all records."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "wanted", frozenset(name.encode() for name in self.facts))

    def passes_over(self, headers: Mapping[str, bytes | None]) -> bool:
        """Whether a record in binary mode is another group's by its type alone, whatever else is right or wrong about it."""
        return not self.owns_rest and headers.get("ce_type") not in self.wanted


class Intake:
    """What a batch of records holds: valid events in order, and what has to be set aside."""

    __slots__ = ("events", "rejected")

    def __init__(self) -> None:
        self.events: list[Received] = []
        self.rejected: list[Rejected] = []

    def read(self, record: Record, rules: Rules, headers: Mapping[str, bytes | None] | None = None) -> None:
        """Take in a record: one event, as many as its batch holds, or none where they are another service's business."""
        if headers is None:
            headers = dict(record.headers)
        try:
            if "ce_type" in headers or not rules.edge:
                if rules.passes_over(headers):
                    return
                self._judge(envelope.from_headers(headers, record.value or b""), record, rules)
            else:
                self._read_document(headers, record, rules)
        except Refused as refused:
            self._refuse_unread(refused, record, rules)

    def told(self) -> Sequence[Received | Rejected]:
        """All of it, each partition's in the order of the log."""
        if not self.rejected:
            return self.events
        return sorted(
            [*self.events, *self.rejected], key=lambda one: (one.record.topic, one.record.partition, one.record.offset)
        )

    def _read_document(self, headers: Mapping[str, bytes | None], record: Record, rules: Rules) -> None:
        """Structured and batch mode; a batch's bad elements do not spoil its good ones."""
        if not record.value:
            raise Refused(Reason.EMPTY, "the record has no value")
        try:
            document = orjson.loads(record.value)
        except orjson.JSONDecodeError as error:
            raise Refused(Reason.MALFORMED, str(error)) from None
        if not isinstance(document, list):
            if (headers.get("content-type") or b"").startswith(b"application/json"):
                raise Refused(Reason.INVALID_ENVELOPE, "the attributes ce_type, ce_id and ce_source are missing")
            self._judge(envelope.from_json(document), record, rules)
            return
        if len(document) > MAX_ELEMENTS:
            raise Refused(Reason.TOO_LARGE, f"the batch has {len(document)} events, more than {MAX_ELEMENTS}")
        for position, element in enumerate(document):
            try:
                self._judge(envelope.from_json(element), record, rules, position)
            except Refused as refused:
                self._refuse_unread(refused, record, rules, position)

    def _judge(self, event: CloudEvent, record: Record, rules: Rules, element: int | None = None) -> None:
        if event.type in rules.ignored or (not rules.owns_rest and event.type not in rules.facts):
            return
        try:
            if rules.edge:
                fact = envelope.admit(rules.facts, event, rules.limit)
            else:
                fact = envelope.validate(rules.facts, event.type, event.data, rules.limit)
            time = event.time or _logged_at(record)
        except Refused as refused:
            sequence = None if rules.edge else event.sequence
            self.rejected.append(
                Rejected(record, rules.topic, refused.reason, refused.detail, element, event.source, sequence)
            )
            return
        key = record.key
        self.events.append(
            Received(
                event.id,
                event.source,
                event.type,
                key.decode("utf-8", "replace") if key else event.subject or "",
                time,
                fact,
                rules.topic,
                record.partition,
                record.offset,
                None if rules.edge else event.sequence,
                event.correlation_id or event.id,
                event.source if rules.edge else event.origin,
                record,
                element,
            )
        )

    def _refuse_unread(self, refused: Refused, record: Record, rules: Rules, element: int | None = None) -> None:
        """What has no readable type belongs to the one subscription that owns the rest."""
        if rules.owns_rest:
            self.rejected.append(Rejected(record, rules.topic, refused.reason, refused.detail, element))


def _logged_at(record: Record) -> datetime:
    """The record's own time, which is whatever its producer wrote."""
    try:
        return datetime.fromtimestamp(record.timestamp / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise Refused(Reason.IMPLAUSIBLE_TIME, "the record's timestamp is out of range", "time") from None
