"""The clock of the year: periods by the calendar's dates, horizons on it, and how far it moves them."""

from datetime import date

import numpy as np
import pytest

from services.scoring.domain.yearly import FOLLOWED, STEADY, Season, periods
from tests.scoring.seasonal import SUMMER_AND_CHRISTMAS

EPOCH = date(1970, 1, 1)
SEASON = Season.of(SUMMER_AND_CHRISTMAS)


def day(text: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


@pytest.mark.parametrize(
    ("when", "place"),
    [
        ("2023-01-01", 0),
        ("2023-01-28", 0),
        ("2023-01-29", 1),
        ("2023-12-03", 12),
        ("2023-12-31", 12),
        ("2024-12-31", 12),
        ("2025-01-01", 0),
        ("1969-12-31", 12),
    ],
)
def test_periods_begin_with_the_year_and_the_last_ends_with_it(when: str, place: int) -> None:
    (number,) = periods(np.array([day(when)]))
    assert (number % 13, number // 13 + 1970) == (place, int(when[:4]))


def test_a_year_is_as_long_by_its_clock_as_by_the_calendar() -> None:
    assert SEASON.ahead(day("2024-06-30"), 1461) == pytest.approx(1461)
    assert np.array(SEASON.levels) / SEASON.levels[1] == pytest.approx(SUMMER_AND_CHRISTMAS)


def test_the_days_ahead_are_those_after_today() -> None:
    christmas = Season.of(np.array([1.0] * 12 + [2.0]))
    usual, high = christmas.levels[0], christmas.levels[12]
    assert christmas.ahead(day("2023-12-30"), 10) == pytest.approx(high + 9 * usual)
    assert christmas.ahead(day("2023-12-02"), 29) == pytest.approx(29 * high)
    days = np.array([day("2023-12-30"), day("2023-12-02"), day("2022-05-01")])
    assert christmas.each(days, 10) == pytest.approx([christmas.ahead(int(one), 10) for one in days])


def test_without_a_season_every_day_counts_alike() -> None:
    assert STEADY.ahead(20_000, 90) == 90.0
    assert (STEADY.each(np.array([1, 2]), 90) == 90.0).all()
    assert STEADY.coming(20_000, 90) is None
    assert len(SEASON.each(np.empty(0, np.int64), 90)) == 0


def test_how_far_a_horizon_will_have_moved_at_most() -> None:
    today = day("2023-03-01")
    coming = SEASON.coming(today, 90)
    assert coming is not None
    moved = [SEASON.ahead(today + n, 90) / SEASON.ahead(today, 90) for n in range(FOLLOWED + 1)]
    for n in (1, 50, FOLLOWED):
        assert coming.most[n - 1] == pytest.approx(max(moved[: n + 1]))
        assert coming.least[n - 1] == pytest.approx(min(moved[: n + 1]))


def test_seasons_are_the_same_that_differ_by_half_a_percent() -> None:
    assert SEASON.close_to(Season.of(SUMMER_AND_CHRISTMAS * np.array([1.004] + [1.0] * 12)))
    assert not SEASON.close_to(Season.of(SUMMER_AND_CHRISTMAS * np.array([1.05] + [1.0] * 12)))
    assert not SEASON.close_to(STEADY)
    assert STEADY.close_to(Season())
