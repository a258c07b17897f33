"""Our decoder of record batches gives what aiokafka's gives, and goes on where that one fails."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given, strategies as st

from shared.messaging.readable import ReadableRecords, decoded
from tests.fuzz.batches import Codec, Raw, batch

some = st.none() | st.binary(max_size=200)
names = st.text(max_size=20).map(str.encode)
stamps = st.integers(0, 2**41)


def raws(name: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[Raw]]:
    headers = st.lists(st.tuples(name, some), max_size=4).map(tuple)
    return st.lists(st.builds(Raw, some, some, headers, stamps), min_size=1, max_size=5)


def seen(record: Any) -> tuple[Any, ...]:
    headers = [(name, value) for name, value in record.headers]
    return (record.offset, record.timestamp, record.timestamp_type, record.key, record.value, headers, record.checksum)


@given(raws(names), st.sampled_from(["none", "gzip"]))
def test_it_reads_as_aiokafka_does(records: list[Raw], codec: Codec) -> None:
    made = batch(records, codec)
    theirs = MemoryRecords(made).next_batch()
    assert theirs is not None
    assert [seen(record) for record in decoded(made)] == [seen(record) for record in theirs]


@given(raws(st.binary(max_size=20)))
def test_every_record_is_read_whatever_its_headers_are_called(records: list[Raw]) -> None:
    fetched = ReadableRecords(batch(records) + batch(records))
    for _ in range(2):
        assert fetched.has_next()
        found = fetched.next_batch()
        assert found is not None
        assert found.validate_crc()
        read = list(found)
        assert [(r.key, r.value, r.timestamp) for r in read] == [(r.key, r.value, r.timestamp) for r in records]
        assert [[v for _, v in r.headers] for r in read] == [[v for _, v in r.headers] for r in records]
    assert fetched.next_batch() is None


@pytest.mark.parametrize(("name", "shown"), [(b"\xff\xfe", "\\xff\\xfe"), (b"na\xc3me", "na\\xc3me"), (b"", "")])
def test_a_name_that_is_no_text_is_shown_byte_by_byte(name: bytes, shown: str) -> None:
    (record,) = decoded(batch([Raw(b"v", b"k", ((name, b"1"),))]))
    assert record.headers == [(shown, b"1")]
