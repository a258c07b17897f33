"""Purchase state: exact money, and the same whatever the order, the batches, or whose customers turn out to be one."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.purchases import BeyondTheBooks, Order, PurchaseDay, Purchases, day_of, money_of
from tests.scoring.orders import moments, on, orders, stories


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


@given(story=stories(), data=st.data())
def test_what_is_left_does_not_depend_on_what_is_told_first(
    story: tuple[list[Order], list[Order]], data: st.DataObject
) -> None:
    told, left = story
    shuffled = data.draw(st.permutations(told))
    cut = data.draw(st.integers(0, len(told)))
    purchases = in_batches([shuffled[:cut], shuffled[cut:]])
    assert purchases == Purchases.of(told)
    assert in_batches([[one] for one in shuffled]) == purchases
    assert Purchases.unpack(purchases.pack()) == purchases
    kept = Purchases.of(left)
    assert facts(purchases) == facts(kept)
    assert [(day.day, day.orders, day.micros) for day in purchases.days] == [day[:3] for day in kept.days]


def facts(purchases: Purchases) -> tuple[object, ...]:
    """What models read."""
    days = (purchases.first_day, purchases.last_day) if purchases.days else ()
    repeat = (purchases.frequency, purchases.recency, purchases.repeat_spend)
    return (purchases.orders, purchases.money, *repeat, *days)


@given(stories(), stories(), st.data())
def test_two_customers_who_turn_out_to_be_one_are_as_if_they_always_had_been(
    one: tuple[list[Order], list[Order]], other: tuple[list[Order], list[Order]], data: st.DataObject
) -> None:
    both = data.draw(st.permutations([*one[0], *other[0]]))
    assert Purchases.of(one[0]).plus(Purchases.of(other[0])) == Purchases.of(both)


def test_a_return_lowers_the_money_of_the_orders_day_and_leaves_it_a_purchase_day() -> None:
    first, second = on("2021-03-01", "5"), on("2021-03-08", "7")
    purchases = Purchases.of([first, second, Order.returned(second.at, Decimal(3))])
    assert (purchases.frequency, purchases.recency, purchases.repeat_spend) == (1, 7, 4.0)
    assert (purchases.orders, purchases.money) == (2, Decimal(9))


def test_a_day_of_which_every_order_is_void_is_no_purchase_day() -> None:
    first, second = on("2021-03-01", "5"), on("2021-03-08", "7")
    purchases = Purchases.of([first, second, Order.cancelled(first.at, first.total)])
    assert (purchases.frequency, purchases.recency, purchases.first_day) == (0, 0, day_of(second.at))
    assert (purchases.first_at, purchases.last_at, purchases.money) == (second.at, second.at, Decimal(7))
    twice = purchases.plus(Purchases.of([on("2021-03-01", "2", hour=20)]))
    assert (twice.frequency, twice.money) == (1, Decimal(9))
    assert twice.first_at == first.at  # of all orders ever placed on the day


def test_a_customer_without_any_order_left_has_facts_of_zero() -> None:
    order = on("2021-03-01", "5")
    gone = Purchases.of([order, Order.returned(order.at, Decimal(2)), Order.cancelled(order.at, Decimal(3))])
    assert (gone.orders, gone.money, gone.frequency, gone.recency, gone.repeat_spend) == (0, Decimal(0), 0, 0, 0.0)
    assert gone.days == ()
    assert gone.plus(Purchases.of([on("2021-03-02", "1")])).first_day == day_of(order.at) + 1


def test_days_packed_when_orders_had_no_sign_read_back_as_they_were() -> None:
    """18,628 days, 2 orders, 12.5 of money, 8 and 20 hours: as earlier releases have written it."""
    packed = bytes.fromhex("c44800000200000020bcbe00000000000074b70100a24a04")
    day = PurchaseDay(18_628, 2, 12_500_000, 28_800_000, 72_000_000)
    assert Purchases.unpack(packed) == Purchases((day,))
    assert Purchases((day,)).pack() == packed


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


def test_a_day_that_counts_for_nothing_stays_within_the_books_too() -> None:
    most = Order.cancelled(on("2021-03-01").at, Decimal("999999999999.999999"))
    with pytest.raises(BeyondTheBooks):
        Purchases.of([most]).plus(Purchases.of([most]))


@pytest.mark.parametrize(
    ("micros", "written"), [(12_340_000, "12.34"), (0, "0.00"), (1, "0.000001"), (-5_500_000, "-5.50")]
)
def test_money_is_written_as_people_write_it(micros: int, written: str) -> None:
    assert str(money_of(micros)) == written
