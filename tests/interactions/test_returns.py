"""Returns and cancellations: exact whatever comes first, comes twice, or comes in between."""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.interactions.domain import MOST_WAITING, NotAcceptable, check
from shared.contracts.channels import CancellationReported, ReturnReported, SaleReported
from shared.contracts.fact import Fact, Reason
from shared.contracts.interactions import SALES, OrderCancelled, OrderPlaced, OrderReturned
from shared.messaging import Received, Unit
from tests.interactions.book import Book
from tests.interactions.facts import ANNA, NOON, SHOP, cancelled, interaction, returned, sale
from tests.interactions.units import received


@pytest.fixture
def book() -> Book:
    return Book()


def told(*works: Unit) -> Iterator[Any]:
    """The facts of sales that the units tell."""
    for record in (record for work in works for record in work.outgoing):
        kind = dict(record.headers)["ce_type"] or b""
        yield SALES.types[kind.decode()].model_validate_json(record.value or b"")


async def figures(book: Book) -> tuple[int, Decimal, Decimal, int, int]:
    """Orders, total, returned, cancelled, waiting."""
    sums = await book.history.figures()
    return sums.orders, sums.total, sums.returned, sums.cancelled, sums.waiting


async def test_a_return_lowers_the_total_and_is_told_with_the_order_that_it_is_of(book: Book) -> None:
    [placed] = told(await book.take(received(sale("O-1", "10", "5"), "e-1")))
    [back] = told(await book.take(received(returned("O-1", "R-1", "4", "0.5"), "e-2")))
    assert isinstance(back, OrderReturned)
    assert (back.order_id, back.customer_id, back.channel) == (placed.order_id, ANNA, SHOP)
    assert (back.total, back.ordered_at, back.returned_at) == (Decimal("4.5"), NOON, NOON)
    assert await figures(book) == (1, Decimal("10.5"), Decimal("4.5"), 0, 0)
    assert book.history.entries[placed.order_id].returned == Decimal("4.5")


async def test_a_cancellation_voids_what_has_not_come_back(book: Book) -> None:
    order = sale("O-1", "10", payment="card", parcels=2)
    await book.take(received(order, "e-1"), received(returned("O-1", "R-1", "4"), "e-2"))
    [void] = told(await book.take(received(cancelled("O-1", reason="unpaid"), "e-3")))
    assert isinstance(void, OrderCancelled)
    assert (void.total, void.reason, void.customer_id, void.ordered_at) == (Decimal(6), "unpaid", ANNA, NOON)
    assert (void.returned, void.lines, void.payment, void.parcels) == (Decimal(4), order.lines, "card", 2)
    assert await figures(book) == (0, Decimal(0), Decimal(4), 1, 0)
    assert book.history.entries[void.order_id].cancelled_at == NOON


async def test_whomever_they_name_they_are_of_the_orders_customer(book: Book) -> None:
    await book.take(received(sale("O-1", customer=["pos:N-1"]), "e-1"))
    work = await book.take(
        received(returned("O-1", customer=["pos:N-2"]), "e-2"),
        received(cancelled("O-1", customer=["pos:nobody-knows"]), "e-3"),
    )
    assert {fact.customer_id for fact in told(work)} == {ANNA}
    assert {record.key for record in work.outgoing} == {ANNA.encode()}
    assert book.identities.asked == {("pos:N-1",)}


async def test_what_comes_before_its_order_waits_and_is_told_right_after_it(book: Book) -> None:
    early = await book.take(received(returned("O-1", "R-1", "4"), "e-1"), received(cancelled("O-1"), "e-2"))
    assert (early.outgoing, early.rejected, book.history.entries) == ([], [], {})
    assert await figures(book) == (0, Decimal(0), Decimal(0), 0, 2)
    work = await book.take(received(sale("O-1", "10"), "e-3"))
    assert [type(fact) for fact in told(work)] == [OrderPlaced, OrderReturned, OrderCancelled]
    assert [fact.total for fact in told(work)] == [Decimal(10), Decimal(4), Decimal(6)]
    assert [dict(record.headers)["ce_correlationid"] for record in work.outgoing] == [b"e-3", b"e-1", b"e-2"]
    assert await figures(book) == (0, Decimal(0), Decimal(4), 1, 0)
    assert book.history.awaited == {}


async def test_within_a_batch_too(book: Book) -> None:
    work = await book.take(
        received(cancelled("O-1"), "e-1"), received(sale("O-2", "7"), "e-2"), received(sale("O-1", "3"), "e-3")
    )
    assert [type(fact) for fact in told(work)] == [OrderPlaced, OrderPlaced, OrderCancelled]
    assert await figures(book) == (1, Decimal(7), Decimal(0), 1, 0)


async def test_an_order_of_another_channel_with_the_same_number_is_another_order(book: Book) -> None:
    await book.take(received(sale("O-1"), "e-1", "/channels/other"))
    work = await book.take(received(cancelled("O-1"), "e-1"))
    assert work.outgoing == []
    assert (await figures(book))[-1] == 1


async def test_the_same_event_again_changes_nothing_whether_it_waits_or_not(book: Book) -> None:
    await book.take(received(sale("O-1", "10"), "e-1"))
    for event in (received(returned("O-1", "R-1"), "e-2"), received(returned("O-9", "R-9"), "e-9")):
        await book.take(event)
        before = await figures(book)
        work = await book.take(event)
        assert (work.outgoing, work.rejected) == ([], [])
        assert await figures(book) == before
    assert (await book.history.figures()).duplicates == 2


async def test_a_waiting_event_whose_id_is_used_for_something_else_stays_the_first(book: Book) -> None:
    await book.take(received(returned("O-9", "R-9"), "e-1"))
    work = await book.take(received(interaction(), "e-1"))
    assert work.outgoing == []
    assert (await book.history.figures()).duplicates == 1


async def test_a_return_told_again_as_another_event_and_a_second_cancellation_are_dropped_and_counted(
    book: Book,
) -> None:
    await book.take(received(sale("O-1", "10"), "e-1"), received(returned("O-1", "R-1", "4"), "e-2"))
    again = await book.take(received(returned("O-1", "R-1", "4"), "e-3"), received(cancelled("O-1"), "e-4"))
    assert [type(fact) for fact in told(again)] == [OrderCancelled]
    last = await book.take(received(cancelled("O-1"), "e-5"))
    assert (last.outgoing, last.rejected) == ([], [])
    sums = await book.history.figures()
    assert (sums.duplicate_returns, sums.duplicate_cancellations, sums.duplicates) == (1, 1, 0)
    assert await figures(book) == (0, Decimal(0), Decimal(4), 1, 0)


async def test_while_they_wait_too(book: Book) -> None:
    await book.take(received(returned("O-1", "R-1"), "e-1"), received(cancelled("O-1"), "e-2"))
    await book.take(received(returned("O-1", "R-1"), "e-3"), received(cancelled("O-1"), "e-4"))
    sums = await book.history.figures()
    assert (sums.duplicate_returns, sums.duplicate_cancellations, sums.waiting) == (1, 1, 2)


async def test_what_comes_back_of_a_cancelled_order_lowers_nothing_more(book: Book) -> None:
    await book.take(received(sale("O-1", "10"), "e-1"), received(cancelled("O-1"), "e-2"))
    [back] = told(await book.take(received(returned("O-1", "R-1", "4"), "e-3")))
    assert (back.total, back.given_back) == (0, Decimal(4))
    assert await figures(book) == (0, Decimal(0), Decimal(4), 1, 0)
    assert book.history.entries[back.order_id].returned == Decimal(4)


async def test_a_refused_return_that_is_replayed_is_no_duplicate(book: Book) -> None:
    early = received(returned("O-1", "R-1", currency="EUR"), "e-2")
    work = await book.take(received(sale("O-1", "10"), "e-1"), early)
    assert [rejected.reason for rejected in work.rejected] == [Reason.WRONG_CURRENCY]
    await book.take(received(returned("O-1", "R-1", "4"), "e-2"))
    assert await figures(book) == (1, Decimal(6), Decimal(4), 0, 0)


async def test_more_may_come_back_than_was_paid(book: Book) -> None:
    """Postage, or goodwill: what the customer got is a fact."""
    await book.take(received(sale("O-1", "10"), "e-1"), received(returned("O-1", "R-1", "12"), "e-2"))
    assert await figures(book) == (1, Decimal(-2), Decimal(12), 0, 0)
    [void] = told(await book.take(received(cancelled("O-1"), "e-3")))
    assert void.total == Decimal(-2)
    assert await figures(book) == (0, Decimal(0), Decimal(12), 1, 0)


async def test_returns_that_no_amount_can_hold_are_refused(book: Book) -> None:
    with pytest.raises(NotAcceptable) as refused:
        check(returned("O-1", "R-1", "999999999999", "1"), "USD")
    assert refused.value.reason is Reason.INVALID_DATA
    much = [received(returned("O-1", f"R-{n}", "600000000000"), f"e-{n}") for n in range(2)]
    work = await book.take(*much)
    assert [rejected.reason for rejected in work.rejected] == [Reason.INVALID_DATA]
    assert (await figures(book))[-1] == 1


async def test_an_order_that_nobody_tells_does_not_gather_returns_without_end(book: Book) -> None:
    flood = [received(returned("O-1", f"R-{n}", "1"), f"e-{n}") for n in range(MOST_WAITING + 3)]
    work = await book.take(*flood)
    assert [rejected.reason for rejected in work.rejected] == [Reason.INVALID_DATA] * 3
    assert len(list(told(await book.take(received(sale("O-1", "500"), "e-sale"))))) == MOST_WAITING + 1
    assert await figures(book) == (1, Decimal(500 - MOST_WAITING), Decimal(MOST_WAITING), 0, 0)


async def test_orders_without_returns_cost_no_further_question() -> None:
    book = Book()

    async def never(*_: Any) -> Any:
        raise AssertionError("asked for nothing")

    book.history.known_returns = book.history.change = never  # type: ignore[method-assign, assignment]
    await book.take(received(sale("O-1"), "e-1"), received(interaction(), "e-2"), received(sale("O-1"), "e-3"))
    assert (await book.history.figures()).orders == 1


ORDERS = {"O-1": "10", "O-2": "20.50", "O-3": "0"}
stories = st.lists(
    st.one_of(
        st.sampled_from(sorted(ORDERS)).map(lambda order: sale(order, ORDERS[order])),
        st.builds(
            lambda order, number, value, back: returned(order, f"{order}-{number}", value, restocked=back),
            st.sampled_from(sorted(ORDERS)), st.integers(1, 3), st.sampled_from(["0", "1.25", "9"]),
            st.sampled_from(["0", "0.4", "1"]),
        ),
        st.sampled_from(sorted(ORDERS)).map(cancelled),
    ),
    max_size=14,
)  # fmt: skip


@given(stories, st.data())
async def test_any_story_in_any_batches_adds_up_and_every_order_is_told_first(
    story: list[Fact], data: st.DataObject
) -> None:
    events = [received(fact, f"e-{data.draw(st.integers(0, 20))}") for fact in story]
    whole, pieces = Book(), Book()
    at_once = await whole.take(*events)
    works: list[Unit] = []
    left = events
    while left:
        size = data.draw(st.integers(1, len(left)))
        works += [await pieces.take(*left[:size]), await pieces.take(*left[:size])]  # and each batch comes again
        left = left[size:]
    facts = list(told(*works))
    assert facts == list(told(at_once))
    assert pieces.history.entries == whole.history.entries
    assert pieces.history.awaited == whole.history.awaited
    assert await figures(pieces) == await figures(whole)
    assert_adds_up(facts, await figures(whole))


@given(st.permutations(["sale", "one", "two", "cancelled"]), st.lists(st.booleans(), min_size=4, max_size=4))
async def test_whatever_comes_first_the_figures_are_the_same(order: Sequence[str], cut: Sequence[bool]) -> None:
    reported: dict[str, SaleReported | ReturnReported | CancellationReported] = {
        "sale": sale("O-1", "10"),
        "one": returned("O-1", "R-1", "4"),
        "two": returned("O-1", "R-2", "1"),
        "cancelled": cancelled("O-1"),
    }
    book, waiting = Book(), list[Received]()
    for name, flush in zip(order, cut, strict=True):
        waiting.append(received(reported[name], name))
        if flush:
            await book.take(*waiting)
            waiting = []
    await book.take(*waiting)
    assert await figures(book) == (0, Decimal(0), Decimal(5), 1, 0)
    [placed] = [entry for entry in book.history.entries.values() if isinstance(entry.fact, OrderPlaced)]
    assert (placed.returned, placed.cancelled_at) == (Decimal(5), NOON)


def assert_adds_up(facts: Sequence[Any], sums: tuple[int, Decimal, Decimal, int, int]) -> None:
    orders, total, back, void, _ = sums
    signs: dict[Any, int] = {OrderPlaced: 1, OrderReturned: -1, OrderCancelled: -1}
    kinds = Counter(type(fact) for fact in facts)
    assert (orders, void) == (kinds[OrderPlaced] - kinds[OrderCancelled], kinds[OrderCancelled])
    assert total == sum((signs[type(fact)] * fact.total for fact in facts), Decimal(0))
    assert back == sum((fact.given_back for fact in facts if isinstance(fact, OrderReturned)), Decimal(0))
    stories: dict[str, list[Any]] = {}
    for fact in facts:
        stories.setdefault(fact.order_id, []).append(fact)
    for story in stories.values():
        told = [type(fact) for fact in story]
        assert told[0] is OrderPlaced
        assert told.count(OrderPlaced) == 1
        assert told.count(OrderCancelled) <= 1
        assert_goods_add_up(story)


def assert_goods_add_up(story: Sequence[Any]) -> None:
    """No more is back on the shelf than was sold, and a cancellation tells all of it again."""
    sold, told = story[0].lines[0], [fact for fact in story if isinstance(fact, OrderReturned) and fact.restocked]
    back = [line for fact in told for line in fact.restocked]
    share = sum((line.quantity for line in back), Decimal(0))
    assert 0 <= share <= sold.quantity
    assert sum((line.value for line in back), Decimal(0)) == sold.value * share
    for void in (fact for fact in story if isinstance(fact, OrderCancelled)):
        assert [(one.return_id, one.returned_at, one.lines) for one in void.restocked] == [
            (fact.return_id, fact.returned_at, fact.restocked) for fact in told
        ]
