"""Units of work and received events without a broker or a database, for the tests of handlers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from aiokafka import ConsumerRecord

from shared.contracts.fact import Fact, Reason
from shared.contracts.topics import DEAD_LETTERS
from shared.messaging import CloudEvent, Outgoing, Received, Unit
from shared.messaging.dead_letters import letter
from shared.messaging.received import Record, Rejected
from tests.interactions.facts import NOON, SHOP


def unit(prepared: Any = None, now: datetime = NOON) -> Unit:
    """A unit whose transaction is nowhere: what it collects is looked at, never flushed."""
    nowhere: Any = None
    return Unit("interactions", nowhere, nowhere, "interactions", prepared, now)


def record(
    value: bytes | None,
    headers: Sequence[tuple[str, bytes | None]] = (),
    *,
    topic: str = "crm.inbound",
    key: bytes | None = b"pos:N-1",
    partition: int = 0,
    offset: int = 0,
) -> Record:
    milliseconds = int(NOON.timestamp() * 1000)
    made: Record = ConsumerRecord(topic, partition, offset, milliseconds, 0, key, value, None, 0, 0, tuple(headers))
    return made


def received(fact: Fact, event_id: str = "e-1", source: str = SHOP, *, partition: int = 0, offset: int = 0) -> Received:
    data = fact.model_dump_json().encode()
    headers = CloudEvent(event_id, source, fact.TYPE, data).headers()
    return Received(
        event_id,
        source,
        fact.TYPE,
        "pos:N-1",
        NOON,
        fact,
        "crm.inbound",
        partition,
        offset,
        None,
        event_id,
        source,
        record(data, headers, partition=partition, offset=offset),
    )


def dead_letter(
    value: bytes | None = b'{"a":',
    headers: Sequence[tuple[str, bytes | None]] = (("ce_id", b"e-1"), ("ce_source", b"/channels/x")),
    *,
    reason: Reason = Reason.MALFORMED,
    offset: int = 0,
    handler: str = "interactions",
    now: datetime = NOON,
    key: bytes | None = b"pos:N-1",
) -> Received:
    """What `crm.dead-letters` holds after a group has refused such a record."""
    rejected = Rejected(record(value, headers, offset=offset, key=key), "crm.inbound", reason, "why")
    return raw(letter(rejected, handler, "/rapport/interactions", now))


def raw(told: Outgoing) -> Received:
    refused = record(told.value, told.headers, topic=DEAD_LETTERS.name, key=told.key)
    return Received("id", "", "", "", NOON, None, DEAD_LETTERS.name, 0, 0, None, "id", None, refused)


def data(told: Outgoing) -> Any:
    return orjson.loads(told.value or b"null")
