"""Rows of keys read from bytes are what the driver reads."""

import bson
from hypothesis import given, strategies as st

from services.contacts.domain.matching.record import MOST_KEYS
from services.contacts.store.key_rows import read

NUMBERS = st.integers(0, 2**63 - 1) | st.integers(0, 2**31 - 1)
ROWS = st.lists(st.tuples(st.text("abc-é", max_size=40), st.lists(NUMBERS, max_size=30), NUMBERS), max_size=5)


@given(ROWS)
def test_what_is_read_is_what_was_written(rows: list[tuple[str, list[int], int]]) -> None:
    batch = b"".join(bson.encode({"_id": who, "keys": keys, "whole": whole}) for who, keys, whole in rows)
    assert list(read(batch)) == [(who, (*keys, whole)) for who, keys, whole in rows]


def test_any_number_of_keys_is_read() -> None:
    for size in range(1, MOST_KEYS + 2):
        keys = [2**62 + n for n in range(size)]
        assert list(read(bson.encode({"_id": "ann", "keys": keys, "whole": 2**61}))) == [("ann", (*keys, 2**61))]


def test_more_and_smaller_numbers_in_the_room_of_fewer_are_not_taken_for_these() -> None:
    keys = [0] * 15
    assert list(read(bson.encode({"_id": "ann", "keys": keys, "whole": 2**31}))) == [("ann", (*keys, 2**31))]
