"""Goods that came back: their parts add up to what was sold, whatever comes first and however often."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import given, strategies as st

from services.interactions.domain import MOST_RESTOCKED
from services.interactions.domain.restocking import back_on_the_shelf
from shared.contracts.channels import Discounts, ReturnLine, SaleLine
from shared.contracts.interactions import OrderCancelled, OrderPlaced, OrderReturned
from tests.interactions.book import Book
from tests.interactions.facts import NOON, cancelled, returned, sale
from tests.interactions.test_returns import told
from tests.interactions.units import received

WINE = SaleLine(
    product="wine",
    quantity=Decimal(3),
    value=Decimal(10),
    discounts=Discounts(retail=Decimal(1), coupon=Decimal("0.5"), coupon_match=Decimal("0.25")),
    category="drinks",
    cost=Decimal("4.01"),
)
CHEAPER = SaleLine(product="wine", quantity=Decimal(2), value=Decimal(5))
BREAD = SaleLine(product="bread", quantity=Decimal(0), value=Decimal(2))
ORDER = [WINE, BREAD, CHEAPER]


def back(product: str, restocked: str) -> ReturnLine:
    return ReturnLine(product=product, quantity=Decimal(99), value=Decimal(1), restocked=Decimal(restocked))


def test_a_third_of_a_line_has_a_third_of_all_its_money() -> None:
    (part,) = back_on_the_shelf(ORDER, [back("wine", "1")], [])
    assert (part.quantity, part.value, part.cost) == (Decimal(1), Decimal("3.333333"), Decimal("1.336667"))
    assert (part.category, part.discounts.retail) == ("drinks", Decimal("0.333333"))


def test_lines_of_a_product_are_filled_one_after_the_other_and_nothing_comes_of_what_was_not_sold() -> None:
    parts = back_on_the_shelf(ORDER, [back("wine", "90"), back("tea", "1"), back("bread", "1")], [])
    assert parts == [WINE, CHEAPER]
    assert back_on_the_shelf(ORDER, [back("wine", "90")], parts) == []


@given(st.lists(st.lists(st.sampled_from(["0.000001", "0.3", "0.7", "1", "2"]), max_size=3), max_size=6))
def test_whatever_returns_it_comes_back_in_it_adds_up_to_what_was_sold(returns: list[list[str]]) -> None:
    before: list[SaleLine] = []
    for quantities in returns:
        before += back_on_the_shelf(ORDER, [back("wine", quantity) for quantity in quantities], before)
    at_once = back_on_the_shelf(ORDER, [back("wine", quantity) for some in returns for quantity in some], [])
    assert sums(before) == sums(at_once)
    rest = back_on_the_shelf(ORDER, [back("wine", "5")], before)
    assert sums([*before, *rest]) == sums([WINE, CHEAPER])


def sums(lines: Sequence[SaleLine]) -> list[Decimal]:
    given = [line.discounts for line in lines]
    every: list[list[Decimal]] = [
        [line.quantity for line in lines],
        [line.value for line in lines],
        [line.cost for line in lines if line.cost is not None],
        [one.retail for one in given],
        [one.coupon for one in given],
        [one.coupon_match for one in given],
    ]
    return [sum(amounts, Decimal(0)) for amounts in every]


def half_back(number: str) -> Any:
    return returned("O-1", number, "4", restocked="0.5")


async def test_a_return_tells_which_goods_came_back_and_a_cancellation_all_of_them() -> None:
    book, order = Book(), sale("O-1", lines=[{"product": "P-0", "quantity": "1", "value": "10", "cost": "6"}])
    early = await book.take(received(half_back("R-1"), "e-1"))
    assert early.outgoing == []
    placed, first = told(await book.take(received(order, "e-2")))
    assert isinstance(placed, OrderPlaced)
    [second] = told(await book.take(received(half_back("R-2"), "e-3")))
    [again] = told(await book.take(received(half_back("R-3"), "e-4")))
    for one in (first, second):
        assert isinstance(one, OrderReturned)
        assert [(line.quantity, line.cost) for line in one.restocked] == [(Decimal("0.5"), Decimal(3))]
    assert again.restocked == []
    [void] = told(await book.take(received(cancelled("O-1"), "e-5")))
    assert isinstance(void, OrderCancelled)
    assert [(one.return_id, one.returned_at) for one in void.restocked] == [
        (first.return_id, NOON), (second.return_id, NOON),
    ]  # fmt: skip
    assert [one.lines for one in void.restocked] == [first.restocked, second.restocked]


async def test_of_a_void_order_no_goods_come_back() -> None:
    book = Book()
    await book.take(received(sale("O-1", "10"), "e-1"), received(cancelled("O-1"), "e-2"))
    [late] = told(await book.take(received(half_back("R-1"), "e-3")))
    assert (late.restocked, late.given_back) == ([], 4)


async def test_an_order_does_not_gather_goods_without_end_waiting_or_not() -> None:
    book = Book()
    lines = [{"product": "P", "quantity": "1", "value": "0", "restocked": "0.001"}] * (MOST_RESTOCKED // 2)
    waiting = [received(returned("O-1", f"R-{n}", lines=lines), f"e-{n}") for n in range(3)]
    assert len((await book.take(*waiting)).rejected) == 1
    goods = [{"product": f"P-{n}", "quantity": "1", "value": "1"} for n in range(MOST_RESTOCKED)]
    await book.take(received(sale("O-2", lines=goods), "e-10"))
    all_back = [{"product": f"P-{n}", "quantity": "1", "value": "1", "restocked": "0.5"} for n in range(MOST_RESTOCKED)]
    assert not (await book.take(received(returned("O-2", "R-10", lines=all_back), "e-11"))).rejected
    more = received(returned("O-2", "R-11", lines=all_back[:1]), "e-12")
    assert len((await book.take(more)).rejected) == 1
    none = [line | {"restocked": "0"} for line in all_back]
    assert not (await book.take(received(returned("O-2", "R-11", lines=none), "e-12"))).rejected
