"""Batches of `crm.inbound` become history."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.interactions.handlers.recording import Recording
from shared.contracts.fact import Reason
from shared.contracts.interactions import InteractionRecorded, OrderPlaced
from tests.interactions.book import Book
from tests.interactions.facts import ANNA, BEN, SHOP, interaction, sale
from tests.interactions.memory import HistoryInMemory
from tests.interactions.units import received, unit


@pytest.fixture
def book() -> Book:
    return Book()


async def test_a_sale_and_an_interaction_are_kept_and_told_under_their_customer(book: Book) -> None:
    work = await book.take(
        received(sale("O-1", "1.10", "2.20"), "e-1"), received(interaction(customer=["pos:N-2"]), "e-2")
    )
    placed, recorded = work.outgoing
    assert (placed.topic, placed.key, recorded.topic, recorded.key) == (
        "crm.sales", ANNA.encode(), "crm.interactions", BEN.encode(),
    )  # fmt: skip
    order = OrderPlaced.model_validate_json(placed.value or b"")
    told = InteractionRecorded.model_validate_json(recorded.value or b"")
    assert (order.total, order.customer_id, told.kind, told.customer_id) == (Decimal("3.30"), ANNA, "call", BEN)
    assert book.history.entries.keys() == {order.order_id, told.interaction_id}


async def test_what_is_told_goes_back_to_its_channel_and_its_correlation(book: Book) -> None:
    work = await book.take(received(sale(), "e-1"))
    headers = dict(work.outgoing[0].headers)
    assert (headers["ce_origin"], headers["ce_correlationid"]) == (SHOP.encode(), b"e-1")
    assert headers["ce_source"] == b"/rapport/interactions"


async def test_the_same_event_twice_changes_nothing(book: Book) -> None:
    await book.take(received(sale(), "e-1"))
    before = dict(book.history.entries)
    work = await book.take(received(sale(), "e-1", offset=1))
    assert (work.outgoing, work.rejected, book.history.entries) == ([], [], before)
    figures = await book.history.figures()
    assert (figures.orders, figures.duplicates) == (1, 1)


async def test_an_order_told_again_as_another_event_stays_as_it_was_first(book: Book) -> None:
    await book.take(received(sale("O-1", "1"), "e-1"))
    work = await book.take(received(sale("O-1", "2"), "e-2"))
    assert work.outgoing == []
    figures = await book.history.figures()
    assert (figures.orders, figures.total, figures.duplicates, figures.duplicate_orders) == (1, Decimal(1), 0, 1)


async def test_a_sale_in_a_foreign_currency_is_refused_and_asks_nobody_who_the_customer_is(book: Book) -> None:
    work = await book.take(received(sale(currency="EUR", customer=["pos:unknown"])), received(interaction(), "e-2"))
    assert [rejected.reason for rejected in work.rejected] == [Reason.WRONG_CURRENCY]
    assert book.identities.asked == {("pos:N-1",)}
    assert len(book.history.entries) == 1


async def test_a_refused_event_that_is_replayed_is_no_duplicate(book: Book) -> None:
    await book.take(received(sale(currency="EUR")))
    book.recording = Recording(book.history, book.identities, "EUR")
    work = await book.take(received(sale(currency="EUR"), offset=7))
    assert len(work.outgoing) == 1
    assert (await book.history.figures()).duplicates == 0


async def test_a_retried_transaction_counts_once(book: Book) -> None:
    events = [received(sale(), "e-1"), received(sale(), "e-1", offset=1)]
    prepared = await book.recording.resolve(events)
    await Recording(HistoryInMemory(), book.identities, "USD").record(unit(prepared), events)  # rolled back
    work = unit(prepared)
    await book.recording.record(work, events)
    figures = await book.history.figures()
    assert (figures.orders, figures.duplicates, len(work.outgoing)) == (1, 1, 1)


async def test_instances_count_in_different_documents(book: Book) -> None:
    await book.take(received(sale("O-1"), "e-1", partition=2), received(sale("O-2"), "e-2", partition=1))
    await book.take(received(sale("O-3"), "e-3", partition=3))
    assert book.history.counters.keys() == {"crm.inbound:1", "crm.inbound:3"}


sent = st.tuples(st.integers(0, 7), st.sampled_from(["1", "2", None]), st.sampled_from(["pos:N-1", "pos:N-2"]))


@given(st.lists(sent, max_size=25), st.data())
async def test_redelivery_and_batching_never_change_the_state(
    told: list[tuple[int, str | None, str]], data: Any
) -> None:
    events = [
        received(sale(order, customer=[who]) if order else interaction(customer=[who]), f"e-{event_id}")
        for event_id, order, who in told
    ]
    whole, pieces = Book(), Book()
    await whole.take(*events)
    while events:
        size = data.draw(st.integers(1, len(events)))
        await pieces.take(*events[:size])
        await pieces.take(*events[:size])  # a channel that sends everything twice
        events = events[size:]
    assert pieces.history.entries == whole.history.entries
    ours, theirs = await pieces.history.figures(), await whole.history.figures()
    assert (ours.orders, ours.interactions, ours.total) == (theirs.orders, theirs.interactions, theirs.total)
