"""Ids that we give say when they were made, and sort by it."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given, strategies as st

from shared.ids import before, made_at, uuid7

MILLISECOND = timedelta(milliseconds=1)
moments = st.datetimes(datetime(1971, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments)
@example(datetime(2243, 1, 1, 0, 0, 0, 3999, UTC))
def test_an_id_says_to_the_millisecond_when_it_was_made(moment: datetime) -> None:
    assert moment - MILLISECOND < made_at(uuid7(moment)) <= moment


@given(moments, st.timedeltas(MILLISECOND, timedelta(days=9000)))
def test_ids_from_before_a_moment_sort_before_it_and_all_others_behind(moment: datetime, apart: timedelta) -> None:
    assert uuid7(moment - apart) < before(moment) < uuid7(moment) < before(moment + apart)
