"""Cursors: how they are written, read, and how far they may move."""

import pytest
from hypothesis import given, strategies as st

from services.sync.domain.positions import (
    BadEventId,
    Cursor,
    Resume,
    ahead,
    emptied,
    event_id,
    read_event_id,
    resolved,
    start_of,
)


@given(st.integers(0, 10**9 - 1), st.dictionaries(st.integers(0, 99_999), st.integers(0, 10**18 - 1)))
def test_an_event_id_reads_back(generation: int, cursor: Cursor) -> None:
    assert read_event_id(event_id(generation, cursor)) == (generation, cursor)


def test_an_event_id_is_readable() -> None:
    assert event_id(3, {1: 22, 0: 15}) == "3:0.15-1.22"
    assert event_id(1, {}) == "1:"


STRANGE = ["", "0", "1:0", "1:0.1-", "-1:1.5", "1:0.1.2", "a:b", "1:0.1\n", "²:", "1:0." + "9" * 40, "1:0.1-" * 9999]


@pytest.mark.parametrize("text", STRANGE)
def test_what_is_no_event_id_is_refused(text: str) -> None:
    with pytest.raises(BadEventId):
        read_event_id(text)


def test_a_client_without_a_place_begins_where_its_channel_is() -> None:
    assert start_of(None, 1, {0: 5}, {0: 9}) == {0: 5}


def test_a_client_begins_exactly_where_it_is() -> None:
    assert start_of(Resume(1, {0: 3, 1: 0}), 1, {0: 5}, {0: 9, 1: 9}) == {0: 3, 1: 0}


def test_after_a_replay_a_client_begins_at_the_earlier_of_both_places() -> None:
    assert start_of(Resume(1, {0: 3, 1: 8}), 2, {0: 5, 1: 2}, {0: 9, 1: 9}) == {0: 3, 1: 2}


def test_a_place_beyond_the_end_says_nothing() -> None:
    assert start_of(Resume(1, {0: 30, 1: 8}), 1, {}, {0: 9, 1: 9}) == {1: 8}


def test_a_partition_is_ahead_if_something_lies_beyond_the_cursor() -> None:
    assert ahead({0: 5, 1: 5, 2: 0}, {0: 5}) == [1]


def test_the_cursor_stops_before_the_first_view_that_is_not_dealt_with() -> None:
    outcomes = [(0, 1, True), (0, 2, False), (0, 3, True), (1, 7, True), (2, 4, False)]
    assert resolved(outcomes) == {0: 1, 1: 7}


def test_a_partition_without_anything_left_is_passed_unless_it_was_not_looked_at_to_the_end() -> None:
    cursor, tails = {0: 4, 1: 2}, {0: 5, 1: 9, 2: 3}
    assert emptied(cursor, tails, [(1, 8), (1, 9)], 10) == {0: 5, 2: 3}
    assert emptied(cursor, tails, [(1, 8), (1, 9)], 2) == {}
