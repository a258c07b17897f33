"""What databases keep of a moment."""

from datetime import UTC, datetime

import bson
from bson.codec_options import CodecOptions
from hypothesis import given, strategies as st

from shared.moments import as_micros, as_utc, to_the_millisecond

moments = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments)
def test_a_moment_that_is_cut_is_what_mongodb_gives_back_of_it(moment: datetime) -> None:
    aware: CodecOptions[dict[str, datetime]] = CodecOptions(tz_aware=True)
    assert bson.decode(bson.encode({"at": moment}), aware)["at"] == to_the_millisecond(moment)


@given(moments)
def test_a_moment_that_was_cut_stays_as_it_is(moment: datetime) -> None:
    cut = to_the_millisecond(moment)
    assert to_the_millisecond(cut) == cut <= moment


@given(moments)
def test_a_moment_in_microseconds_comes_back_as_it_was(moment: datetime) -> None:
    assert as_utc(as_micros(moment)) == moment
