"""The rules of the history."""

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from services.interactions.domain import (
    Batch,
    Entry,
    Event,
    NotAcceptable,
    Placed,
    Standing,
    check,
    identity_of,
    name_of,
)
from services.interactions.domain.batch import Told
from shared.contracts.fact import Reason
from shared.contracts.interactions import InteractionRecorded, OrderPlaced
from tests.interactions.facts import ANNA, NOON, SHOP, identifiers, interaction, sale

STORED = Placed("0" * 32, ANNA, NOON, "USD", Decimal(10), [])


def take(batch: Batch, fact: Told, event_id: str = "e-1", source: str = SHOP) -> bool:
    return bool(batch.take(fact, Event(source, event_id, event_id, NOON), ANNA))


def new(batch: Batch, fact: Told) -> Entry:
    [told] = batch.take(fact, Event(SHOP, "e-1", "e-1", NOON), ANNA)
    return told.entry


def test_an_order_is_the_exact_sum_of_its_lines() -> None:
    batch = Batch((), {})
    lines = [
        {"product": "P", "quantity": "2", "value": "0.10", "discounts": {"retail": "0.01", "coupon": "1.005"}},
        {"product": "Q", "quantity": "1", "value": "0.20", "discounts": {"coupon_match": "0.3"}},
        {"product": "R", "quantity": "1", "value": "3"},
    ]
    entry = new(batch, sale(lines=lines))
    placed = entry.fact
    assert isinstance(placed, OrderPlaced)
    assert (placed.total, placed.discount) == (Decimal("3.30"), Decimal("1.315"))
    assert (placed.customer_id, placed.channel, placed.ordered_at, entry.order) == (ANNA, SHOP, NOON, "O-1")
    assert OrderPlaced.model_validate_json(placed.model_dump_json()) == placed


def test_an_interaction_keeps_what_was_told() -> None:
    batch = Batch((), {})
    told = interaction("visit", summary="asked for a loan", attributes={"minutes": 12}, direction="inbound")
    entry = new(batch, told)
    recorded = entry.fact
    assert isinstance(recorded, InteractionRecorded)
    assert (recorded.kind, recorded.summary, recorded.attributes) == ("visit", "asked for a loan", {"minutes": 12})
    assert InteractionRecorded.model_validate_json(recorded.model_dump_json()) == recorded


def test_an_event_told_twice_in_a_batch_is_kept_once() -> None:
    batch = Batch((), {})
    assert [take(batch, interaction()), take(batch, interaction())] == [True, False]
    assert (batch.tally.interactions, batch.tally.duplicates) == (1, 1)


def test_an_event_that_is_in_the_history_is_dropped() -> None:
    batch = Batch({name_of(SHOP, "e-1")}, {})
    assert not take(batch, sale())
    assert (batch.tally.orders, batch.tally.duplicates, batch.tally.total) == (0, 1, Decimal(0))


def test_one_event_id_of_two_channels_is_two_events() -> None:
    batch = Batch((), {})
    assert take(batch, sale(), source="/channels/a")
    assert take(batch, sale(), source="/channels/b")


def test_of_one_order_under_two_event_ids_the_first_stays() -> None:
    batch = Batch((), {})
    assert [take(batch, sale("O-1", "1"), "e-1"), take(batch, sale("O-1", "2"), "e-2")] == [True, False]
    assert (batch.tally.orders, batch.tally.total) == (1, Decimal(1))
    assert (batch.tally.duplicates, batch.tally.duplicate_orders) == (0, 1)


def test_an_order_that_is_in_the_history_is_dropped() -> None:
    batch = Batch((), {(SHOP, "O-1"): Standing(STORED)})
    assert not take(batch, sale("O-1"), "another")
    assert take(batch, sale("O-1"), "e-9", source="/channels/other")


def test_a_currency_that_is_not_the_companys_is_refused() -> None:
    check(sale(), "USD")
    with pytest.raises(NotAcceptable) as refused:
        check(sale(), "EUR")
    assert (refused.value.reason, refused.value.field) == (Reason.WRONG_CURRENCY, "currency")


def test_lines_whose_sum_no_amount_can_hold_are_refused() -> None:
    with pytest.raises(NotAcceptable) as refused:
        check(sale("O-1", "999999999999", "1"), "USD")
    assert refused.value.reason is Reason.INVALID_DATA


def test_an_interaction_cannot_pass_for_an_order() -> None:
    with pytest.raises(NotAcceptable):
        check(interaction("order"), "USD")


def test_an_identity_lists_all_identifiers_in_their_order() -> None:
    assert identity_of(identifiers("pos:N-1", "mail:a:b")) == ("pos:N-1", "mail:a:b")


def test_names_tell_parts_apart() -> None:
    assert name_of("a", "bc") != name_of("ab", "c")
    assert name_of("a", "b") == name_of("a", "b")
    assert len(name_of("a", "b")) == 32


told = st.tuples(st.sampled_from("abcdef"), st.sampled_from(["1", "2", "3", None]))


@given(st.lists(told, max_size=30), st.data())
def test_any_split_into_batches_keeps_the_same_entries(
    events: list[tuple[str, str | None]], data: st.DataObject
) -> None:
    def run(batches: list[list[tuple[str, str | None]]]) -> tuple[list[str], list[object]]:
        names: set[str] = set()
        orders: dict[tuple[str, str], Standing] = {}
        figures = [0, 0, 0, 0]
        kept: list[str] = []
        for events_of_batch in batches:
            batch = Batch(names, orders)
            for event_id, order in events_of_batch:
                take(batch, sale(order) if order else interaction(), event_id)
            names |= {entry.name for entry in batch.entries}
            orders |= {(SHOP, entry.order): Standing(STORED) for entry in batch.entries if entry.order}
            kept += [entry.name for entry in batch.entries]
            tally = batch.tally
            added = (tally.interactions, tally.orders, tally.duplicates, tally.duplicate_orders)
            figures = [a + b for a, b in zip(figures, added, strict=True)]
        return kept, list(figures)

    cut = data.draw(st.integers(0, len(events)))
    assert run([events]) == run([events[:cut], events[cut:]])
