"""Kafka's record batches, readable whatever a header is called: only there is aiokafka's decoder particular.

It fails on a header name that is not UTF-8, and with that record on all that follow in the same batch, because a batch is
always decoded from its beginning. Source: Kafka's protocol guide, record batch format 2.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from aiokafka.consumer import fetcher
from aiokafka.record.memory_records import MemoryRecords

LENGTH, RECORDS = 8, 61
"""Where a batch says how long it is, and where its records begin."""
GZIP, CODECS, LOG_APPEND_TIME = 1, 7, 8


class BatchRecord(NamedTuple):
    """A record as aiokafka's own decoder gives it."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    checksum: None = None


class ReadableBatch:
    """A batch of aiokafka's, decoded by it where it can."""

    def __init__(self, batch: Any, fetched: bytes) -> None:
        self._batch = batch
        self._fetched = fetched

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except UnicodeDecodeError:
            return decoded(_bytes_of(self._batch.base_offset, self._fetched))


class ReadableRecords:
    """The batches of one partition in one answer of the broker; takes the place of aiokafka's `MemoryRecords`."""

    def __init__(self, fetched: bytes) -> None:
        self._records = MemoryRecords(fetched)
        self._fetched = fetched

    def size_in_bytes(self) -> int:
        return int(self._records.size_in_bytes())

    def has_next(self) -> bool:
        return bool(self._records.has_next())

    def next_batch(self) -> ReadableBatch | None:
        batch = self._records.next_batch()
        return None if batch is None else ReadableBatch(batch, self._fetched)


def install() -> None:
    """Let every consumer of this process read so."""
    fetcher.MemoryRecords = ReadableRecords


def _bytes_of(base_offset: int, fetched: bytes) -> bytes:
    at = 0
    while True:
        offset, length = struct.unpack_from(">qi", fetched, at)
        end = at + LENGTH + 4 + length
        if offset == base_offset:
            return bytes(fetched[at:end])
        at = end


def decoded(batch: bytes) -> Iterator[BatchRecord]:
    """The records of a batch; in the name of a header, bytes that are not UTF-8 are written as backslash escapes."""
    base_offset, *_ = struct.unpack_from(">q", batch)
    attributes, _, first, newest, *_, count = struct.unpack_from(">hiqqqhii", batch, RECORDS - 40)
    packed = batch[RECORDS:]
    reader = _Reader(gzip.decompress(packed) if attributes & CODECS == GZIP else packed)
    appended = bool(attributes & LOG_APPEND_TIME)
    for _ in range(count):
        reader.number()
        reader.number()
        after, offset = reader.number(), base_offset + reader.number()
        key, value = reader.sized(), reader.sized()
        headers = [
            ((reader.sized() or b"").decode("utf-8", "backslashreplace"), reader.sized())
            for _ in range(reader.number())
        ]
        yield BatchRecord(offset, newest if appended else first + after, int(appended), key, value, headers)


class _Reader:
    """Zigzag numbers, seven bits a byte, and bytes that their number goes before."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self) -> int:
        found = shift = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                return found >> 1 ^ -(found & 1)
            shift += 7

    def sized(self) -> bytes | None:
        length = self.number()
        if length < 0:
            return None
        self._at += length
        return self._data[self._at - length : self._at]
