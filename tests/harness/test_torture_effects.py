"""The judge's rules about what services keep: silent in a world that is right, and each of them able to fail."""

from decimal import Decimal
from typing import Any

import pytest

from tests.harness.torture_world import IDS, SENT, World
from tests.torture.judge import effects, identities, letters
from tests.torture.judge.inbound import RULE as LOGGED, Inbound, Place
from tests.torture.judge.letters import Letter
from tests.torture.sendings import NAMING


@pytest.fixture
def world() -> World:
    return World()


def history(world: World, documents: list[dict[str, Any]]) -> None:
    found = effects.History(world.books, world.who, world.breaches)
    for document in documents:
        found.take(document)
    found.close()


def test_books_count_an_accepted_event_once_however_often_it_came(world: World) -> None:
    before = world.books.totals()
    for sent in [s for s in SENT if s.kind != "poison"]:
        world.books.accept(sent)
    assert world.books.totals() == before == (2, 3, Decimal("14.49"))


def test_books_keep_the_name_that_was_said_last_and_the_ten_latest_interactions(world: World) -> None:
    account = world.books.accounts[1]
    for event in range(20):
        account.take(SENT[1]._replace(at=100 - event, said=f"name {event}"))
        account.take(SENT[2]._replace(event=event, at=2 * 10**9 + event, said=f"kind {event}"))
    assert account.named[1] == "Ann"
    assert [kind for _, kind in account.latest] == [f"kind {n}" for n in range(19, 9, -1)]


def test_a_world_that_is_right_breaks_no_rule(world: World) -> None:
    books, who, breaches = world.books, world.who, world.breaches
    history(world, world.history())
    effects.figures(books, world.figures(), 0, breaches)
    effects.scores(world.persons, who, [world.score(1), world.score(2)], breaches)
    effects.profiles(world.persons, who, [world.profile(1), world.profile(2)], breaches)
    effects.contacts(world.persons, who, [world.contact(1), world.contact(2)], breaches)
    identities.identities(books, NAMING, world.owners(), 0, breaches)
    letters.letters(books, world.inbound.poison, world.originals(), [world.letter()], breaches)
    assert list(breaches) == []
    assert sum(breaches.checks.values()) > 20


def test_an_event_that_is_not_in_the_history_is_found_by_its_number(world: World) -> None:
    history(world, world.history()[1:])
    assert [breach.event for breach in world.breaches] == [0]


def test_an_event_that_is_in_the_history_twice_is_found(world: World) -> None:
    history(world, [*world.history(), world.history()[0]])
    assert world.rules == {effects.HISTORY}


@pytest.mark.parametrize(
    ("field", "value"),
    [("customer", "id-2"), ("total", 10.5), ("total", "10.51"), ("event", "torture-9"), ("event", "x")],
)
def test_an_entry_of_the_history_that_says_something_else_is_found(world: World, field: str, value: Any) -> None:
    first, *others = world.history()
    history(world, [first | {field: value}, *others])
    assert world.rules == {effects.HISTORY}


@pytest.mark.parametrize("field", ["interactions", "orders", "duplicates", "duplicate_orders"])
def test_figures_that_are_off_by_one_are_found(world: World, field: str) -> None:
    effects.figures(world.books, world.figures() | {field: world.figures()[field] + 1}, 0, world.breaches)
    assert world.rules == {effects.HISTORY}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("purchases", 3),
        ("money", "13.50"),
        ("money", 13.49),
        ("frequency", 0),
        ("last_purchase", "2020-01-01T00:00:00Z"),
    ],
)
def test_a_score_of_other_purchases_is_found(world: World, field: str, value: Any) -> None:
    effects.scores(world.persons, world.who, [world.score(1) | {field: value}, world.score(2)], world.breaches)
    assert [breach.customer for breach in world.breaches] == [1]


def test_a_missing_score_and_one_too_many_are_found(world: World) -> None:
    effects.scores(world.persons, world.who, [world.score(1), world.score(1)], world.breaches)
    assert len(world.breaches) == 2


@pytest.mark.parametrize(("section", "field", "value"), [("sales", "orders", 3), ("interactions", "count", 1)])
def test_a_profile_that_counts_otherwise_is_found(world: World, section: str, field: str, value: int) -> None:
    profile = world.profile(1)
    profile[section] = profile[section] | {field: value}
    effects.profiles(world.persons, world.who, [profile, world.profile(2)], world.breaches)
    assert world.rules == {effects.PROFILES}


def test_a_profile_without_its_contact_or_its_score_is_found(world: World) -> None:
    bare = {name: value for name, value in world.profile(1).items() if name != "contact"}
    unscored = world.profile(2) | {"score": {}}
    effects.profiles(world.persons, world.who, [bare, unscored], world.breaches)
    assert len(world.breaches) == 2


def test_orders_of_the_campaigns_are_counted_and_summed(world: World) -> None:
    right: list[tuple[str, int, object]] = [("id-1", 2, "13.49"), ("id-2", 1, "1.00")]
    effects.order_rows(world.persons, world.who, 3, right, world.breaches)
    assert not world.breaches.counts
    effects.order_rows(world.persons, world.who, 4, [("id-1", 3, "13.49"), ("id-9", 1, "1.00")], world.breaches)
    assert world.breaches.counts[effects.ORDERS] == 3


@pytest.mark.parametrize("change", [{"name": "Anna"}, {"consents": []}, {"consents": [{"status": "denied"}]}])
def test_a_contact_that_holds_what_was_not_said_last_is_found(world: World, change: dict[str, Any]) -> None:
    effects.contacts(world.persons, world.who, [world.contact(1) | change, world.contact(2)], world.breaches)
    assert world.rules == {effects.CONTACTS}


def test_two_ids_for_one_customer_one_id_for_two_and_a_missing_identifier_are_found(world: World) -> None:
    owners = world.owners()
    for wrong in (
        [*owners[1:], (owners[0][0], "id-9")],
        [*owners, (owners[-1][0], "id-1")],
        owners[1:],
        [*owners, ("x:1", "id-1")],
    ):
        breaches = World().breaches
        identities.identities(world.books, NAMING, wrong, 0, breaches)
        assert set(breaches.counts) == {identities.RULE}, wrong


def test_a_conflict_between_customers_is_found(world: World) -> None:
    identities.identities(world.books, NAMING, world.owners(), 1, world.breaches)
    assert world.rules == {identities.RULE}


def test_an_accepted_event_that_the_log_lacks_is_found(world: World) -> None:
    world = World()
    for number in range(8):
        world.books.offset[number] = -1
    inbound = Inbound(world.books, world.breaches)
    for record in world.log()[1:]:
        inbound.take(record)
    inbound.close()
    assert [(breach.rule, breach.event) for breach in world.breaches] == [(LOGGED, 0)]


def test_a_record_that_nobody_sent_is_found_and_a_second_copy_is_only_counted(world: World) -> None:
    inbound = Inbound(world.books, world.breaches)
    inbound.take(world.told(SENT[0], 90))
    assert inbound.copies["sale"] == 1
    inbound.take(world.told(SENT[0]._replace(event=14), 91))
    assert world.rules == {LOGGED}


def test_poison_without_an_id_is_known_by_its_order(world: World) -> None:
    inbound = Inbound(world.books, world.breaches)
    record = world.told(SENT[6], 90)._replace(headers={}, value=b'{"order":"torture-order-6","x":')
    inbound.take(record)
    assert inbound.poison == {Place(0, 90): 6}
    assert not world.breaches.counts


def wrong_letters(world: World) -> list[list[Letter]]:
    letter = world.letter()
    return [
        [],
        [letter, letter],
        [letter._replace(body=b"other")],
        [letter._replace(reason="empty")],
        [letter, letter._replace(place=Place(0, 0))],
        [letter, letter._replace(topic="crm.sales")],
    ]


@pytest.mark.parametrize("number", range(6))
def test_dead_letters_that_are_not_exactly_the_poison_are_found(world: World, number: int) -> None:
    letters.letters(world.books, world.inbound.poison, world.originals(), wrong_letters(world)[number], world.breaches)
    assert world.rules == {letters.RULE}


def test_customers_go_by_their_numbers(world: World) -> None:
    assert {number: world.who.ids[number] for number in IDS} == IDS
    assert world.who.customer("id-7") is None
