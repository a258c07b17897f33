"""Cursors: how they are written, read, and how far they may move."""

import pytest
from hypothesis import given, strategies as st

from services.sync.domain.positions import BadCursor, ahead, decode, encode, resolved


@given(st.dictionaries(st.integers(0, 99_999), st.integers(0, 10**18 - 1), min_size=1))
def test_a_cursor_reads_back(cursor: dict[int, int]) -> None:
    assert decode(encode(cursor)) == cursor


def test_a_cursor_is_readable() -> None:
    assert encode({1: 22, 0: 15}) == "0.15-1.22"
    assert decode(encode({})) == {0: 0}


@pytest.mark.parametrize(
    "text", ["", "0", "0.1-", "-1.5", "0.1.2", "a.b", "0.1\n", "²" * 3, "0." + "9" * 40, "0.1-" * 9999]
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        decode(text)


def test_a_partition_is_ahead_if_something_lies_beyond_the_cursor() -> None:
    assert ahead({0: 5, 1: 5, 2: 0}, {0: 5}) == [1]


def test_the_cursor_stops_before_the_first_view_that_is_not_dealt_with() -> None:
    outcomes = [(0, 1, True), (0, 2, False), (0, 3, True), (1, 7, True), (2, 4, False)]
    assert resolved(outcomes) == {0: 1, 1: 7}
