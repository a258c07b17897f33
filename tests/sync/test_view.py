"""The fold of facts into a view: any order, any split into batches, the same view."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from services.sync.domain.known import NOTHING, read
from services.sync.domain.view import Held, Unfit, newest_by_others, next_version, origin_of, take
from shared.contracts.fact import Fact, Reason
from shared.contracts.sync import CustomerView
from tests.sync.facts import (
    ANNA,
    NOW,
    cancelled,
    contact,
    day,
    interaction,
    order,
    returned,
    score,
    selected,
    withdrawn,
)


def fold(facts: Sequence[Fact], before: Held | None = None, origin: str | None = None) -> Held | None:
    known = before.known if before else NOTHING
    caused_by: set[str | None] = set()
    for fact in facts:
        after = take(known, fact)
        caused_by |= {origin} if after is not known else set()
        known = after
    return next_version(ANNA, before, known, caused_by, NOW)


def held(facts: Sequence[Fact]) -> Held:
    held = fold(facts)
    assert held is not None
    return held


def folded(facts: Sequence[Fact]) -> CustomerView:
    """As those see it who read the contract."""
    return CustomerView.model_validate_json(held(facts).view())


def test_a_customer_known_by_a_sale_alone_has_a_view() -> None:
    view = folded([order(total="10.50")])
    assert (view.version, view.contact, view.sales.orders, view.sales.total) == (1, None, 1, Decimal("10.50"))


def test_a_batch_makes_one_version_however_many_facts_it_holds() -> None:
    first = fold([contact(), order(number=1), order(number=2)])
    second = fold([order(number=3), interaction(), score()], before=first)
    assert first is not None
    assert second is not None
    assert (first.version, second.version) == (1, 2)


def test_an_older_contact_does_not_overwrite_a_newer_one() -> None:
    first = fold([contact(version=5)])
    assert fold([contact(version=4), contact(version=5)], before=first) is None


def test_an_older_score_does_not_overwrite_a_newer_one_and_the_later_of_one_moment_counts() -> None:
    view = folded([score(as_of=5, value="1"), score(as_of=4, value="2"), score(as_of=5, value="3")])
    assert view.score is not None
    assert view.score.value == Decimal(3)


def test_customers_held_out_are_not_told_to_channels() -> None:
    assert fold([selected(arm="control")]) is None
    assert [note.campaign_id for note in folded([selected(number=1), selected(number=2)]).campaigns] == [
        "campaign-2",
        "campaign-1",
    ]


def test_who_is_held_out_after_all_loses_that_campaign_only_and_has_it_again_when_told_again() -> None:
    first, second = selected(number=1), selected(number=2)
    held_out = selected(number=1, arm="control")
    assert take(take(NOTHING, first), held_out) == NOTHING
    both = take(take(NOTHING, first), second)
    assert take(both, held_out) == take(NOTHING, second)
    assert take(take(both, held_out), first) == both
    assert take(take(NOTHING, second), held_out) == take(NOTHING, second)


def test_a_score_that_is_withdrawn_is_gone_unless_a_newer_one_is_known() -> None:
    known = take(take(NOTHING, order()), score(as_of=5))
    assert take(known, withdrawn(as_of=4)) is known
    assert take(known, withdrawn(as_of=5)) == take(NOTHING, order())
    assert take(NOTHING, withdrawn(as_of=5)) is NOTHING
    assert take(take(known, withdrawn(as_of=5)), score(as_of=5)) == known


def test_the_newest_ten_interactions_are_kept_and_all_are_counted() -> None:
    view = folded([interaction(number=n) for n in (*range(6, 13), *range(5))])
    assert view.interactions == 12
    assert [note.occurred_at for note in view.recent_interactions] == [
        day(n) for n in (12, 11, 10, 9, 8, 7, 6, 4, 3, 2)
    ]


def test_orders_in_a_second_currency_do_not_fit() -> None:
    with pytest.raises(Unfit) as refused:
        take(held([order()]).known, order(number=2, currency="EUR"))
    assert refused.value.reason is Reason.WRONG_CURRENCY


def test_a_sum_that_would_break_the_contract_does_not_fit() -> None:
    largest = [order(total="999999999999.999999")]
    assert folded(largest).sales.total == Decimal("999999999999.999999")
    with pytest.raises(Unfit):
        take(held(largest).known, order(number=2, total="0.000001"))


def test_the_summary_is_net_of_returns_and_cancellations() -> None:
    sales = folded([order(number=1), order(number=2, total="4"), returned(number=1, order=2, total="1.25")]).sales
    assert (sales.orders, sales.total, sales.returned, sales.cancelled) == (2, Decimal("13.25"), Decimal("1.25"), 0)
    sales = folded(
        [order(number=1), order(number=2, total="4"), cancelled(order=1), returned(order=2, total="1")]
    ).sales
    assert (sales.orders, sales.total, sales.returned, sales.cancelled) == (1, Decimal(3), Decimal(1), 1)
    assert (sales.first_order_at, sales.last_order_at) == (day(1), day(2))


def test_what_comes_back_of_a_void_order_is_given_back_and_lowers_nothing() -> None:
    late = returned(total="4").model_copy(update={"total": Decimal(0)})
    sales = folded([order(), cancelled(), late]).sales
    assert (sales.orders, sales.total, sales.returned, sales.cancelled) == (0, Decimal(0), Decimal(4), 1)


def test_who_has_never_returned_anything_has_a_view_as_small_as_ever() -> None:
    assert b"returned" not in held([order()]).view()
    assert b"cancelled" not in held([order(), returned()]).view()


def test_returns_in_a_second_currency_and_beyond_the_books_do_not_fit() -> None:
    known = held([order()]).known
    with pytest.raises(Unfit):
        take(known, returned(currency="EUR"))
    with pytest.raises(Unfit):
        take(take(known, returned(total="600000000000")), returned(total="400000000000"))


def test_a_view_reads_back_without_loss() -> None:
    facts = [contact(consents=[CONSENT], attributes={"a": 1e-7, "b": 2**63 - 1, "c": 'Zoë\n"', "d": None, "e": 0.1})]
    sales = [order(total="0.100000"), returned(total="0.05"), order(number=2), cancelled(order=2)]
    told = held([*facts, *sales, interaction(), score(), selected()])
    version, changed_at, known = read(told.view())
    assert (version, changed_at, known) == (told.version, told.changed_at, told.known)


def test_a_view_is_written_as_its_contract_would_write_it() -> None:
    everything = [contact(), order(total="0.100000"), interaction(), score(), selected()]
    for facts in ([order()], everything, [*everything, returned()], [*everything, cancelled()]):
        told = held(facts).view()
        assert CustomerView.model_validate_json(told).model_dump_json().encode() == told


def test_a_note_of_a_campaign_is_replaced_by_a_newer_one_of_the_same_and_never_by_an_older() -> None:
    newer, older = selected(number=1), selected(number=1).model_copy(update={"selected_at": day(0), "name": "Old"})
    assert folded([older, newer]) == folded([newer])
    assert fold([older], before=held([newer])) is None


def test_who_caused_the_newest_version_is_known_for_every_source() -> None:
    told = None
    for origin in ("/shop", None, "/calls", "/calls", "/mail"):
        told = fold([order()], before=told, origin=origin)
    assert told is not None
    assert [newest_by_others(told.origins, source) for source in ("/mail", "/calls", "/shop")] == [4, 5, 5]


def test_what_rapport_works_out_itself_is_news_to_the_channel_that_set_it_off() -> None:
    assert origin_of(score(), "/channels/e-shop") is None
    assert origin_of(order(), "/channels/e-shop") == "/channels/e-shop"


CONSENT = {"purpose": "service", "channel": "any", "status": "granted", "given_at": day(1), "source": "/channels/x"}
FACTS = [
    *(contact(version=n) for n in range(1, 4)),
    *(order(number=n, total=f"{n}.{n:06}") for n in range(1, 5)),
    *(returned(number=n, order=2, total=f"0.{n:06}") for n in range(1, 3)),
    cancelled(order=4, total="4.000004"),
    *(interaction(number=n) for n in range(14)),
    *(score(as_of=n) for n in range(3)),
    *(selected(number=n) for n in range(3)),
]


@given(facts=st.permutations(FACTS), cut=st.integers(0, len(FACTS)))
def test_any_order_in_any_batches_gives_the_same_view(facts: list[Fact], cut: int) -> None:
    first = fold(facts[:cut])
    if first is not None:  # as another instance would have it from the store
        first = first._replace(known=read(first.view())[2])
    told = fold(facts[cut:], before=first) or first
    assert told is not None
    assert told.known == held(FACTS).known
