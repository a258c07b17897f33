"""Purchase state: exact money, and the same whatever the order, the batches, or whose customers turn out to be one."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.purchases import BeyondTheBooks, Order, Purchases, day_of, money_of
from tests.scoring.orders import moments, on, orders


def in_batches(parts: list[list[Order]]) -> Purchases:
    return reduce(Purchases.plus, (Purchases.of(part) for part in parts), Purchases())


@given(batch=st.lists(orders, max_size=40), data=st.data())
def test_any_order_and_any_split_into_batches_give_the_state_of_one_batch(
    batch: list[Order], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(batch))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(batch)), max_size=5)))
    edges = [0, *cuts, len(batch)]
    parts = [shuffled[begin:end] for begin, end in pairwise(edges)]
    assert in_batches(parts) == Purchases.of(batch)


@given(st.lists(orders, max_size=40))
def test_money_and_orders_are_exact(batch: list[Order]) -> None:
    purchases = Purchases.of(batch)
    assert purchases.money == sum((order.total for order in batch), Decimal(0))
    assert purchases.orders == len(batch)
    assert len(purchases.days) == len({order.at.date() for order in batch})


@given(st.lists(orders, min_size=1, max_size=40))
def test_first_and_last_purchase_are_kept_to_the_millisecond(batch: list[Order]) -> None:
    purchases = Purchases.of(batch)
    earliest, latest = min(order.at for order in batch), max(order.at for order in batch)
    assert purchases.first_at == earliest.replace(microsecond=earliest.microsecond // 1000 * 1000)
    assert purchases.last_at == latest.replace(microsecond=latest.microsecond // 1000 * 1000)


@given(st.lists(orders, max_size=40))
def test_packed_and_unpacked_is_the_same(batch: list[Order]) -> None:
    purchases = Purchases.of(batch)
    assert Purchases.unpack(purchases.pack()) == purchases
    assert len(purchases.pack()) == 24 * len(purchases.days)


@given(st.lists(orders, max_size=20), moments)
def test_the_past_is_what_had_been_bought_by_then(batch: list[Order], moment: datetime) -> None:
    day = day_of(moment)
    assert Purchases.of(batch).until(day) == Purchases.of(order for order in batch if day_of(order.at) <= day)


def test_a_late_order_before_the_first_changes_which_day_is_the_first() -> None:
    purchases = Purchases.of([on("2021-03-01", "5"), on("2021-03-08", "7")])
    assert (purchases.frequency, purchases.recency, purchases.repeat_spend) == (1, 7, 7.0)
    late = purchases.plus(Purchases.of([on("2021-02-01", "100")]))
    assert (late.frequency, late.recency, late.repeat_spend) == (2, 35, 6.0)


def test_two_orders_of_a_day_are_one_purchase_day() -> None:
    purchases = Purchases.of([on("2021-03-01", "5", hour=0), on("2021-03-01", "7", hour=23)])
    assert (purchases.orders, purchases.frequency, purchases.money) == (2, 0, Decimal(12))


def test_a_day_is_a_utc_day_before_1970_too() -> None:
    first = Purchases.of([Order(datetime(1900, 1, 1, 23, 59, tzinfo=UTC), Decimal(1))])
    assert first.first_at == datetime(1900, 1, 1, 23, 59, tzinfo=UTC)
    assert Purchases.unpack(first.pack()) == first


def test_money_beyond_what_an_amount_can_say_is_refused() -> None:
    most = Purchases.of([on("2021-03-01", "999999999999.999999")])
    assert most.money == Decimal("999999999999.999999")
    for day in ("2021-03-01", "2021-03-02"):
        with pytest.raises(BeyondTheBooks):
            most.plus(Purchases.of([on(day, "0.000001")]))


@pytest.mark.parametrize(
    ("micros", "written"), [(12_340_000, "12.34"), (0, "0.00"), (1, "0.000001"), (-5_500_000, "-5.50")]
)
def test_money_is_written_as_people_write_it(micros: int, written: str) -> None:
    assert str(money_of(micros)) == written
