"""Numbers, times and money in words."""

import math

import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.reasons.fact import UNUSUAL
from services.scoring.domain.reasons.words import ago, compared, every, money, ordinal, part, span, times


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "0 days"),
        (1, "1 day"),
        (6, "6 days"),
        (7, "1 week"),
        (7.4, "1 week"),
        (8, "8 days"),
        (13, "13 days"),
        (14, "2 weeks"),
        (20, "3 weeks"),
        (63, "9 weeks"),
        (91, "13 weeks"),
        (92, "3 months"),
        (365, "12 months"),
        (550, "18 months"),
        (1_095, "36 months"),
        (1_096, "3 years"),
        (3_650, "10 years"),
    ],
)
def test_a_length_of_time_has_the_unit_one_would_use(days: float, words: str) -> None:
    assert str(span(days)) == words


@given(st.floats(1, 20_000))
def test_a_length_of_time_is_rounded_by_a_quarter_at_most(days: float) -> None:
    count, unit = span(days)
    length = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}[unit]
    assert count >= 1
    assert abs(count * length - days) <= 0.5 * length + 1e-6
    assert abs(count * length - days) <= 0.5 * max(days, 1.0)


@pytest.mark.parametrize(
    ("days", "beside", "words"),
    [
        (21, 63, "every 3"),
        (7, 63, "every week"),
        (1, 5, "every day"),
        (3, 9, "every 3"),
        (21, 150, "every 3 weeks"),
        (30, 60, "every 4"),
        (45, 7, "every 6 weeks"),
        (0.5, 9, "every day"),
        (400, 1_300, "every 13 months"),
    ],
)
def test_a_rhythm_names_its_unit_only_where_the_sentence_has_not(days: float, beside: float, words: str) -> None:
    assert every(days, span(beside)) == words


@given(st.integers(2, 4_000), st.integers(0, 500))
def test_a_silence_of_half_as_long_again_never_sounds_like_the_usual(half_days: int, more: int) -> None:
    usual = half_days / 2
    silent = span(math.ceil(UNUSUAL * usual) + more)
    assert every(usual, silent) != f"every {silent.number}"
    assert every(usual) != f"every {silent}"


def test_ordinals() -> None:
    numbers = (1, 2, 3, 10, 11, 12, 13, 21, 22, 23, 101, 111, 112)
    assert [ordinal(n) for n in numbers] == [
        "first",
        "second",
        "third",
        "tenth",
        "11th",
        "12th",
        "13th",
        "21st",
        "22nd",
        "23rd",
        "101st",
        "111th",
        "112th",
    ]


def test_times() -> None:
    assert [times(n) for n in (1, 2, 3, 6, 7)] == ["once", "twice", "three times", "six times", "7 times"]


@pytest.mark.parametrize(
    ("days", "words"), [(-1, "today"), (0, "today"), (1, "yesterday"), (2, "2 days ago"), (21, "3 weeks ago")]
)
def test_a_day_as_seen_from_today(days: int, words: str) -> None:
    assert ago(days) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (34.4, "34 EUR"),
        (4.5, "4.50 EUR"),
        (19.999, "20 EUR"),
        (19.99, "19.99 EUR"),
        (12_345.6, "12,346 EUR"),
        (0.01, "0.01 EUR"),
    ],
)
def test_money_is_whole_from_twenty_on(amount: float, words: str) -> None:
    assert money(amount, "EUR") == words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.97, "more than nineteen in twenty customers"),
        (0.92, "more than nine in ten customers"),
        (0.8, "more than four in five customers"),
        (0.7, "more than two in three customers"),
        (0.5, None),
        (0.3, "less than two in three customers"),
        (0.2, "less than four in five customers"),
        (0.1, "less than nine in ten customers"),
        (0.0, "less than nineteen in twenty customers"),
    ],
)
def test_a_customer_among_the_others(share: float, words: str | None) -> None:
    assert compared(share) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.1001, "a tenth"),
        (0.15, "15%"),
        (0.19, "a fifth"),
        (0.23, "a quarter"),
        (0.31, "a third"),
        (0.45, "a half"),
        (0.62, "two thirds"),
        (1.5, "150%"),
    ],
)
def test_a_part_is_called_by_the_name_that_is_near(share: float, words: str) -> None:
    assert part(share) == words
