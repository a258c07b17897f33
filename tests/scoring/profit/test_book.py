"""Books: exact under any order and any split, mergeable and separable, and undone without a trace."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.profit import (
    Book,
    Event,
    Key,
    Kind,
    Movement,
    SoldLine,
    Sum,
    cancelled,
    given_back,
    month_named,
    month_of,
    name_of,
    sold,
    spent,
    used,
)
from services.scoring.domain.purchases import BeyondTheBooks

START = datetime(2024, 1, 1, tzinfo=UTC)
events = st.builds(
    Event, st.uuids(version=4).map(str), st.integers(0, 400).map(lambda days: START + timedelta(days=days, hours=5))
)
amounts = st.decimals(0, 900, places=6)
lines = st.builds(SoldLine, amounts, amounts, amounts, amounts, st.none() | amounts, st.sampled_from(["", "wine"]))
subjects = st.sampled_from(["", "spring", "Frühling"])
movements = st.one_of(
    st.builds(sold, events, st.lists(lines, min_size=1, max_size=3), st.sampled_from(["", "card"])),
    st.builds(given_back, events, amounts, st.lists(lines, max_size=2)),
    st.builds(used, events, st.sampled_from([Kind.CALLS, Kind.CAMPAIGNS]), amounts, subjects).map(lambda one: [one]),
    st.builds(spent, events, st.just(Kind.SHIPPING), amounts).map(lambda one: [one]),
)
histories = st.lists(movements, max_size=12).map(lambda parts: [movement for part in parts for movement in part])


@settings(max_examples=50, deadline=None)
@given(histories, st.data())
def test_any_order_and_any_split_into_batches_give_the_same_book(history: list[Movement], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(history))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(history)), max_size=5)))
    parts = [shuffled[begin:end] for begin, end in pairwise([0, *cuts, len(history)])]
    assert reduce(Book.plus, map(Book.of, parts), Book()) == Book.of(history)


@settings(max_examples=50, deadline=None)
@given(histories)
def test_each_sum_is_that_of_its_movements(history: list[Movement]) -> None:
    for key, total in Book.of(history).sums.items():
        behind = [movement for movement in history if movement.key == key]
        assert total == (sum(m.events for m in behind), sum(m.micros for m in behind))


@settings(max_examples=50, deadline=None)
@given(histories, histories)
def test_two_customers_found_to_be_one_have_one_book_and_can_be_told_apart_again(
    left: list[Movement], right: list[Movement]
) -> None:
    merged = Book.of(left).plus(Book.of(right))
    assert merged == Book.of(left + right)
    assert merged.minus(Book.of(right)) == Book.of(left)


@settings(max_examples=50, deadline=None)
@given(histories, movements)
def test_what_is_cancelled_has_never_been(history: list[Movement], order: list[Movement]) -> None:
    assert Book.of([*history, *order, *cancelled(order)]) == Book.of(history)


@settings(max_examples=50, deadline=None)
@given(histories)
def test_packed_and_unpacked_is_the_same(history: list[Movement]) -> None:
    book = Book.of(history)
    assert Book.unpack(book.pack()) == book
    subjects_ = sum(len(key.subject.encode()) for key in book.sums)
    assert len(book.pack()) == 17 * len(book.sums) + subjects_


@settings(max_examples=50, deadline=None)
@given(histories, st.integers(640, 670), st.integers(640, 670))
def test_a_period_is_its_months(history: list[Movement], since: int, until: int) -> None:
    assert Book.of(history).within(since, until) == Book.of(m for m in history if since <= m.month < until)


def test_money_beyond_the_books_is_refused() -> None:
    most = spent(Event("1", START), Kind.SHIPPING, Decimal("999999999999.999999"))
    assert Book.of([most]).sums[most.key].micros == 10**18 - 1
    with pytest.raises(BeyondTheBooks):
        Book.of([most, spent(Event("2", START), Kind.SHIPPING, Decimal("0.000001"))])


def test_a_sale_is_booked_at_the_shelfs_price_with_its_discounts_by_who_bears_them() -> None:
    line = SoldLine(Decimal(8), retail=Decimal(2), coupon=Decimal("1.5"), coupon_match=Decimal("0.5"), category="wine")
    known = SoldLine(Decimal(5), cost=Decimal("3.10"))
    month = month_named("2024-01")
    assert Book.of(sold(Event("1", START), [line, known], "card")).sums == {
        Key(month, Kind.SALES, "", told=True): Sum(1, 15_500_000),
        Key(month, Kind.RETAIL_DISCOUNT, "", told=True): Sum(1, 2_000_000),
        Key(month, Kind.COUPON_MATCH, "", told=True): Sum(1, 500_000),
        Key(month, Kind.COUPON, "", told=True): Sum(1, 1_500_000),
        Key(month, Kind.GOODS, "", told=True): Sum(1, 3_100_000),
        Key(month, Kind.GOODS, "wine", told=False): Sum(1, 10_500_000),
        Key(month, Kind.PAYMENT_SHARE, "card", told=False): Sum(1, 11_500_000),
        Key(month, Kind.PAYMENT_FIXED, "card", told=False): Sum(1, 1_000_000),
    }


def test_a_return_falls_into_its_own_month_and_brings_the_goods_back() -> None:
    line = SoldLine(Decimal(10), cost=Decimal(6))
    later = Event("2", datetime(2024, 2, 3, tzinfo=UTC))
    book = Book.of([*sold(Event("1", START), [line]), *given_back(later, Decimal(10), [line])])
    january, february = month_named("2024-01"), month_named("2024-02")
    assert book.sums[Key(january, Kind.GOODS, "", told=True)] == (1, 6_000_000)
    assert book.within(february, february + 1).sums == {
        Key(february, Kind.REFUNDS, "", told=True): Sum(1, 10_000_000),
        Key(february, Kind.RETURN_HANDLING, "", told=False): Sum(1, 1_000_000),
        Key(february, Kind.GOODS, "", told=True): Sum(1, -6_000_000),
    }


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        ("1970-01-01T00:00:00+00:00", "1970-01"),
        ("2024-12-31T23:59:59+00:00", "2024-12"),
        ("2025-01-01T00:30:00+02:00", "2024-12"),
        ("1969-12-31T12:00:00+00:00", "1969-12"),
        ("1900-01-01T00:00:00+00:00", "1900-01"),
    ],
)
def test_months_are_those_of_utc(moment: str, name: str) -> None:
    month = month_of(datetime.fromisoformat(moment))
    assert name_of(month) == name
    assert month_named(name) == month


def test_what_is_no_month_is_refused() -> None:
    with pytest.raises(ValueError, match="month"):
        month_named("2024-13")
