"""Kafka record batches written byte by byte, so that they can hold what no client library would send.

Source: Kafka's protocol guide, record batch format 2. What the records mean is not known here.
"""

from __future__ import annotations

import gzip
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from tests.messaging import snappy

Codec = Literal["none", "gzip", "snappy"]
GZIP = 1
MAGIC = 2


@dataclass(frozen=True, slots=True)
class Raw:
    """One record. A header's name is bytes, because a hostile one need not be text."""

    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[bytes, bytes | None], ...] = ()
    timestamp: int | None = None
    """Milliseconds since 1970; None: now."""


def batch(records: Sequence[Raw], codec: Codec = "none") -> bytes:
    """A whole batch, sealed with its checksum."""
    now = int(time.time() * 1000)
    stamps = [now if record.timestamp is None else record.timestamp for record in records]
    body = b"".join(_record(record, number, stamps[number] - stamps[0]) for number, record in enumerate(records))
    attributes = GZIP if codec == "gzip" else 0
    if codec == "gzip":
        body = gzip.compress(body, 1)
    rest = struct.pack(">hiqqqhii", attributes, len(records) - 1, stamps[0], max(stamps), -1, -1, -1, len(records))
    rest += body
    head = struct.pack(">qiibI", 0, len(rest) + 9, -1, MAGIC, calc_crc32c(rest))
    return snappy.compressed(head + rest) if codec == "snappy" else head + rest


def _record(record: Raw, number: int, after: int) -> bytes:
    body = b"\0" + _varint(after) + _varint(number) + _sized(record.key) + _sized(record.value)
    body += _varint(len(record.headers))
    body += b"".join(_sized(name) + _sized(value) for name, value in record.headers)
    return _varint(len(body)) + body


def _sized(data: bytes | None) -> bytes:
    return _varint(-1) if data is None else _varint(len(data)) + data


def _varint(number: int) -> bytes:
    """Zigzag, then seven bits a byte, the lowest first."""
    left = (number << 1) ^ (number >> 63)
    out = bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)


class _Made:
    """What aiokafka's sender asks of a batch, with bytes of our own."""

    def __init__(self, made: bytes, count: int) -> None:
        self._made = made
        self._count = count

    def _build(self) -> bytes:
        return self._made

    def size(self) -> int:
        return len(self._made)

    def record_count(self) -> int:
        return self._count

    def closed(self) -> bool:
        return True

    def close(self) -> None:
        """It is."""


async def send(producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Raw], codec: Codec) -> int:
    """The offset of the first record. Raises KafkaError if the broker takes none of them."""
    made: Any = _Made(batch(records, codec), len(records))
    sent = await (await producer.send_batch(made, topic, partition=partition))
    return int(sent.offset)


def hostile_producer(bootstrap: str) -> AIOKafkaProducer:
    """Without idempotence, which would number the batches."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=False, max_request_size=16 * 1_048_576, max_batch_size=1 << 24
    )
