"""Quiet hours by the customer's own clock, also where it is changed, in odd zones, and over whole days."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from services.campaigns.domain.quiet import WEEKDAYS, QuietHours, zone_named, zone_of

NIGHT = {"from": "20:00", "until": "08:00"}


def hours(**said: Any) -> QuietHours:
    return QuietHours.model_validate(said)


def ends(quiet: QuietHours, zone: str, at: str) -> str | None:
    """By the zone's clock, which also says when it is; `+hh:mm` behind it where the clock shows a time twice."""
    where = ZoneInfo(zone)
    asked = datetime.fromisoformat(at)
    moment = asked if asked.tzinfo else asked.replace(tzinfo=where)
    found = quiet.quiet_until(moment.astimezone(UTC), where)
    return found.astimezone(where).isoformat(timespec="minutes") if found else None


@pytest.mark.parametrize(
    ("said", "zone", "at", "until"),
    [
        (NIGHT, "Europe/Vienna", "2026-05-04T19:59", None),
        (NIGHT, "Europe/Vienna", "2026-05-04T20:00", "2026-05-05T08:00+02:00"),
        (NIGHT, "Europe/Vienna", "2026-05-05T07:59", "2026-05-05T08:00+02:00"),
        (NIGHT, "Europe/Vienna", "2026-05-05T08:00", None),
        ({"from": "12:00", "until": "14:00"}, "UTC", "2026-05-04T13:00", "2026-05-04T14:00+00:00"),
        ({"from": "12:00", "until": "14:00"}, "UTC", "2026-05-04T02:00", None),
        # The clocks are changed within the night: it ends by the clock.
        (NIGHT, "Europe/Vienna", "2026-03-28T23:00", "2026-03-29T08:00+02:00"),
        (NIGHT, "Europe/Vienna", "2026-10-24T23:00", "2026-10-25T08:00+01:00"),
        # A time that is skipped: the quiet ends after it, or begins before it.
        ({"from": "23:00", "until": "02:30"}, "Europe/Vienna", "2026-03-29T01:30", "2026-03-29T03:30+02:00"),
        ({"from": "02:30", "until": "06:00"}, "Europe/Vienna", "2026-03-29T03:00", "2026-03-29T06:00+02:00"),
        # A time that comes twice: the quiet ends with the second, and begins with the first.
        ({"from": "23:00", "until": "02:30"}, "Europe/Vienna", "2026-10-25T02:45+02:00", "2026-10-25T02:30+01:00"),
        ({"from": "02:30", "until": "06:00"}, "Europe/Vienna", "2026-10-25T02:15+01:00", "2026-10-25T06:00+01:00"),
        # Half hours, quarters, fourteen hours ahead, a change of half an hour, and a day that was skipped whole.
        (NIGHT, "Asia/Kathmandu", "2026-05-04T21:00", "2026-05-05T08:00+05:45"),
        (NIGHT, "Pacific/Kiritimati", "2026-05-04T06:00", "2026-05-04T08:00+14:00"),
        (NIGHT, "Australia/Lord_Howe", "2026-04-04T23:00", "2026-04-05T08:00+10:30"),
        (NIGHT, "Pacific/Apia", "2011-12-29T21:00", "2011-12-31T08:00+14:00"),
        # Days are those on which the quiet begins; those that join are one.
        (NIGHT | {"days": ["friday"]}, "UTC", "2026-05-02T07:00", "2026-05-02T08:00+00:00"),
        (NIGHT | {"days": ["friday"]}, "UTC", "2026-05-01T07:00", None),
        ({"from": "00:00", "until": "00:00", "days": ["saturday", "sunday"]}, "UTC", "2026-05-02T09:00", "2026-05-04T00:00+00:00"),
        ({"from": "18:00", "until": "18:00", "days": ["friday", "saturday"]}, "UTC", "2026-05-01T19:00", "2026-05-03T18:00+00:00"),
    ],
)  # fmt: skip
def test_quiet_hours_end_by_the_customers_clock(said: dict[str, Any], zone: str, at: str, until: str | None) -> None:
    assert ends(hours(**said), zone, at) == until


times = st.times().map(lambda one: one.strftime("%H:%M"))
quiet = st.tuples(times, times, st.none() | st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=6)).filter(
    lambda said: said[0] != said[1] or said[2] is not None
)
zones = st.sampled_from(
    ["UTC", "Europe/Vienna", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Tehran"]
)  # fmt: skip
moments = st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - given below


@given(quiet, zones, moments)
def test_whoever_waits_is_woken_when_it_is_not_quiet_and_nobody_is_disturbed_by_the_clock(
    said: tuple[str, str, list[str] | None], zone: str, at: datetime
) -> None:
    begin, until, days = said
    found, where = hours(**{"from": begin, "until": until}, days=days), ZoneInfo(zone)
    end = found.quiet_until(at, where)
    if end is not None:
        assert at < end < at + timedelta(days=9)
        assert found.quiet_until(end, where) is None
        assert found.quiet_until(end - timedelta(milliseconds=1), where) is not None
    shown = at.astimezone(where)
    clock, day = shown.strftime("%H:%M"), WEEKDAYS[shown.weekday()]
    begun_today = begin <= clock and (clock < until or until <= begin)
    if begun_today and (days is None or day in days):
        assert end is not None


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"from": "24:00", "until": "08:00"}, ("from",)),
        ({"from": "8:00", "until": "08:00"}, ("from",)),
        ({"from": "20:00"}, ("until",)),
        (NIGHT | {"days": []}, ("days",)),
        (NIGHT | {"days": ["mon"]}, ("days", 0)),
        (NIGHT | {"zone": "UTC"}, ("zone",)),
        ({"from": "20:00", "until": "20:00"}, ()),
        ({"from": "20:00", "until": "20:00", "days": list(WEEKDAYS)}, ()),
    ],
)
def test_quiet_hours_that_nobody_can_mean_are_refused(said: dict[str, Any], place: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as refused:
        hours(**said)
    assert refused.value.errors()[0]["loc"] == place


@pytest.mark.parametrize("name", ["Europe/Vienna", "Asia/Calcutta", "UTC"])
def test_known_zones(name: str) -> None:
    assert zone_of(name, ZoneInfo("Asia/Tokyo")) == zone_named(name)
    assert zone_named(name) is not None


@pytest.mark.parametrize("name", [None, "", "Nowhere/Else", "../etc/passwd", "Europe", "/UTC", "europe/\x00", 7])
def test_whose_zone_is_not_known_has_the_companys(name: object) -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    assert zone_of(name, tokyo) is tokyo
