"""What the judge makes of erasures: silent where they are right, and each of its rules able to fail."""

from array import array
from typing import Any

import pytest

from tests.harness.torture_persons import NOW, census, erased
from tests.harness.torture_world import SENT, STEADY, World, fact
from tests.torture.judge import effects, persons, unity, views
from tests.torture.judge.breach import Breaches
from tests.torture.judge.identities import Identities, identities
from tests.torture.judge.persons import Persons
from tests.torture.judge.topics import Topics
from tests.torture.judge.unity import Ledgered, Trace
from tests.torture.sendings import NAMING

NEW_ID = "id-3"


def told_under(reborn: tuple[int, ...]) -> dict[int, str]:
    """Of customer 1, these events are about somebody new."""
    events = [sent.event for sent in SENT if sent.customer == 1 and sent.kind in {"sale", "interaction"}]
    return {event: NEW_ID if event in reborn else "id-1" for event in events}


def afterwards(world: World, late: tuple[int, ...], reborn: tuple[int, ...], **contact: Any) -> Persons:
    """The world after customer 1 was erased: events that were sent late, and those that are somebody new's."""
    sent_at = array("d", [NOW if event in late else 0.0 for event in range(16)])
    owners = [(name, NEW_ID) for name in sorted(NAMING.identifiers(world.books.accounts[1]))]
    world.who = identities(
        world.books, NAMING, [*owners, *[o for o in world.owners() if o[1] == "id-2"]], 0, world.breaches, {"id-1": 1}
    )
    contacts = [{"_id": NEW_ID, "name": "Ann", "consents": [{"status": "granted"}]} | contact]
    under = told_under(reborn)
    return census(world, erased(), under=under, sent_at=sent_at, contacts=contacts, owners=owners)


def test_what_came_before_the_erasure_is_gone_and_what_came_after_is_about_somebody_new(world: World) -> None:
    living = afterwards(world, late=(3, 7), reborn=(3, 7))
    assert list(world.breaches) == []
    assert living.gone == {0, 2}
    assert (living.accounts[1].orders, living.accounts[1].cents, living.accounts[1].interactions) == (1, 299, 1)
    assert living.accounts[1].named[1] == "Ann"
    assert world.who.ids[1] == NEW_ID
    assert world.who.customer("id-1") == 1


def test_what_was_under_way_may_be_of_either(world: World) -> None:
    assert afterwards(world, late=(), reborn=(7,)).gone == {0, 2, 3}
    assert list(world.breaches) == []


def test_an_event_that_was_sent_after_the_erasure_and_came_under_the_erased_is_found(world: World) -> None:
    afterwards(world, late=(3, 7), reborn=(7,))
    assert [(breach.rule, breach.event) for breach in world.breaches] == [(persons.NEW, 3)]


@pytest.mark.parametrize("contact", [{"name": "Bob"}, {"consents": [{"status": "denied"}]}])
def test_somebody_new_of_whom_something_is_known_that_nobody_has_said_is_found(
    world: World, contact: dict[str, Any]
) -> None:
    afterwards(world, late=(3, 7), reborn=(3, 7), **contact)
    assert world.rules == {persons.NEW}


def test_nobody_new_although_something_came_afterwards_is_found(world: World) -> None:
    world.who = Identities({2: "id-2"}, {"id-1": 1, "id-2": 2})
    census(world, erased(), under=told_under((7,)), sent_at=array("d", [0.0]) * 16)
    assert world.rules == {persons.NEW}


def test_a_line_of_the_history_a_score_and_a_copy_of_the_erased_are_found(world: World) -> None:
    living = afterwards(world, late=(3, 7), reborn=(3, 7))
    history = effects.History(world.books, world.who, world.breaches, living.gone)
    for document in world.history():
        history.take(document)
    history.close()
    assert {breach.event for breach in world.breaches if breach.rule == effects.HISTORY} == {0, 2}
    effects.scores(living, world.who, [world.score(1), world.score(2)], world.breaches)
    assert effects.SCORING in world.rules
    held = {"id-1": {"version": 4, "customer": {"sales": None}, "withheld": []}}
    views.copies(living, world.who, STEADY, {}, held, world.breaches)
    assert views.COPIES in world.rules


def test_a_copy_that_says_nothing_but_that_somebody_is_erased_is_right(world: World) -> None:
    living = Persons({}, {}, erased={"id-1": "e-1"})
    held = {"id-1": {"version": 9, "customer": {}, "withheld": [], "erased": "e-1"}}
    views.copies(living, world.who, STEADY, {}, held, world.breaches)
    assert not world.breaches.counts


def test_the_view_of_the_erased_must_end_with_a_tombstone(world: World) -> None:
    for ended in (True, False):
        seen, breaches = Topics(world.books, world.who, Breaches()), Breaches()
        for record in world.facts():
            seen.take(record)
        if ended:
            seen.take(fact("crm.customers", "id-1", 1, {}, 50)._replace(value=None))
        seen.breaches = breaches
        living = Persons(world.books.accounts, world.books.accounts, erased={"id-1": "e-1"})
        seen.agree(living, {"id-2": 4}, {"id-2": 2})
        assert breaches.counts == ({} if ended else {"versions grow": 1})


LEDGERED = Ledgered(frozenset({"id-1"}), frozenset({"log", "sync", "channel:steady"}), frozenset({"log"}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"ledger": {}},
        {"ledger": {"e-1": LEDGERED, "e-2": LEDGERED}},
        {"ledger": {"e-1": LEDGERED._replace(open=frozenset({"log", "sync"}))}},
        {"ledger": {"e-1": LEDGERED._replace(places=frozenset({"log"}))}},
        {"ledger": {"e-1": LEDGERED._replace(customers=frozenset({"id-1", "id-2"}))}},
        {"tombstones": {"sync": set()}},
        {"tombstones": {"sync": {"id-1", "id-2"}}},
    ],
)
def test_an_erasure_without_all_its_receipts_and_tombstones_is_found(world: World, wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {"ledger": {"e-1": LEDGERED}, "tombstones": {"sync": {"id-1"}}, "channels": ["steady"]}
    unity.receipted(erased(), **right, breaches=world.breaches)
    assert not world.breaches.counts
    unity.receipted(erased(), **right | wrong, breaches=world.breaches)
    assert world.rules == {unity.RECEIPTED}


def test_a_trace_of_the_erased_is_found_but_where_ids_must_stay(world: World) -> None:
    allowed = [Trace("sync", "views", "id-1", None), Trace("interactions", "dead_letters", None, 1)]
    unity.forgotten(erased(), {1}, allowed, world.breaches)
    assert not world.breaches.counts
    for trace in (Trace("scoring", "customers", "id-1", None), Trace("contacts", "changes", None, 1)):
        breaches = Breaches()
        unity.forgotten(erased(), {1}, [trace], breaches)
        assert breaches.counts == {unity.FORGOTTEN: 1}


@pytest.fixture
def world() -> World:
    return World()
