"""What the judge makes of merges: silent where they are right, and each of its rules able to fail."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import pytest

from tests.harness.torture_persons import Merged, merged
from tests.harness.torture_world import STEADY, World, fact
from tests.torture.judge import effects, persons, unity, views
from tests.torture.judge.breach import Breaches
from tests.torture.judge.decided import Erasure, Merge
from tests.torture.judge.persons import together
from tests.torture.judge.topics import Topics
from tests.torture.sendings import NAMING


@pytest.mark.parametrize(
    ("survivor", "absorbed", "answer"),
    [
        ("id-1", "id-2", HTTPStatus.OK),
        ("id-2", "id-1", HTTPStatus.CONFLICT),
        ("id-3", "id-2", HTTPStatus.CONFLICT),
        ("id-3", "id-1", HTTPStatus.OK),
        ("id-4", "id-3", HTTPStatus.NOT_FOUND),
    ],
)
def test_what_a_merge_must_be_answered_follows_from_those_before_it(
    survivor: str, absorbed: str, answer: HTTPStatus
) -> None:
    decided = merged()
    decided.erasures["e-1"] = Erasure(("id-4",))
    assert decided.answer_to_merge(survivor, absorbed) == answer


def test_all_links_of_a_chain_are_one_and_an_undone_one_parts_it() -> None:
    decided = merged()
    decided.merges |= {"m-2": Merge("id-3", "id-1"), "m-3": Merge("id-5", "id-4")}
    assert decided.one_with("id-2") == {"id-1", "id-2", "id-3"}
    decided.undone.add("m-1")
    assert decided.one_with("id-2") == {"id-2"}
    assert decided.one_with("id-1") == {"id-1", "id-3"}
    decided.erasures["e-1"] = Erasure(("id-4", "id-5"))
    assert decided.into() == {"id-1": "id-3"}


def test_an_answer_that_does_not_follow_is_found() -> None:
    decided, breaches = merged(), Breaches()
    decided.expect("merging", 200, 200, "id-1")
    decided.expect("merging", 200, 409, "id-2")
    persons.answers(decided, breaches)
    assert [(breach.rule, breach.customer) for breach in breaches] == [(persons.ANSWERS, 2)]
    assert breaches.checks == {persons.ANSWERS: 2}


def test_several_who_are_one_have_all_that_each_has_brought_and_the_stricter_answer() -> None:
    ann, bob = World().books.accounts.values()
    whole = together([ann, bob], NAMING)
    assert (whole.customer, whole.orders, whole.cents, whole.interactions) == (1, 3, 1449, 2)
    assert whole.first_order_at == ann.first_order_at
    assert whole.last_order_at == ann.last_order_at
    assert whole.repeat_days == 1
    assert whole.latest == ann.latest
    assert whole.named[1] == "Bob"
    assert whole.consented is not None
    assert whole.consented[1] == "withdrawn"
    assert NAMING.identifiers(whole) == NAMING.identifiers(ann) | NAMING.identifiers(bob)


def kept(world: Merged, changes: Mapping[str, dict[str, Any]]) -> None:
    """Everything that is judged, with some documents changed."""

    def changed(name: str, document: dict[str, Any]) -> dict[str, Any]:
        return {**document, **changes.get(name, {})}

    who, living, breaches = world.who, world.persons, world.breaches
    effects.scores(living, who, [changed("score", world.score(1))], breaches)
    profiles = [changed("profile", world.profile(1)), changed("absorbed profile", world.profile(2))]
    effects.profiles(living, who, profiles, breaches)
    contacts = [changed("contact", world.contact(1)), changed("absorbed contact", world.contact(2))]
    effects.contacts(living, who, contacts, breaches)
    told = {"id-1": changed("view", world.view(1)), "id-2": changed("absorbed view", world.view(2))}
    views.views(living, who, NAMING, told, breaches)
    parts = {one: views.permitted(view, STEADY.fields) for one, view in told.items()}
    absorbed = {"version": 5, "customer": parts["id-2"], "withheld": [], "merged_into": "id-1"}
    copies = {
        "id-1": {"version": 4, "customer": parts["id-1"], "withheld": []},
        "id-2": changed("absorbed copy", absorbed),
    }
    views.copies(living, who, STEADY, told, copies, breaches)
    views.sums(living, changed("sums", {"customers": 1, "orders": 3, "total": "14.49"}), breaches)


def test_a_world_in_which_two_are_one_breaks_no_rule() -> None:
    world = Merged()
    kept(world, {})
    assert list(world.breaches) == []


@pytest.mark.parametrize(
    ("what", "change", "rule"),
    [
        ("score", {"purchases": 2}, effects.SCORING),
        ("score", {"customer_id": "id-2"}, effects.SCORING),
        ("profile", {"own": {}}, effects.PROFILES),
        ("profile", {"merged_into": "id-2"}, effects.PROFILES),
        ("absorbed profile", {"merged_into": None}, effects.PROFILES),
        ("absorbed profile", {"score": {"purchases": 1}}, effects.PROFILES),
        ("absorbed profile", {"sales": {}}, effects.PROFILES),
        ("contact", {"place": {}}, effects.CONTACTS),
        ("absorbed contact", {"place": {"into": "id-1"}}, effects.CONTACTS),
        ("absorbed contact", {"name": "Ann"}, effects.CONTACTS),
        ("view", {"interactions": 3}, views.VIEWS),
        ("view", {"merged_into": "id-2"}, views.VIEWS),
        ("absorbed view", {"merged_into": None}, views.VIEWS),
        ("absorbed view", {"interactions": 1}, views.VIEWS),
        ("absorbed copy", {"merged_into": None}, views.COPIES),
        ("sums", {"customers": 2}, views.SUMS),
    ],
)
def test_whatever_is_not_as_two_who_are_one_must_be_is_found(what: str, change: dict[str, Any], rule: str) -> None:
    world = Merged()
    kept(world, {what: change})
    assert rule in world.rules


def test_a_link_that_somebody_lost_or_kept_is_found(world: World) -> None:
    unity.links(merged(), {"sync": {"id-2": "id-1", "id-1": None}}, world.breaches)
    assert not world.breaches.counts
    for wrong in ({}, {"id-2": None}, {"id-2": "id-9"}, {"id-2": "id-1", "id-1": "id-2"}):
        breaches = Breaches()
        unity.links(merged(), {"sync": wrong}, breaches)
        assert breaches.counts == {unity.LINKS: 1}, wrong


def test_a_score_that_was_withdrawn_from_the_absorbed_is_right_and_one_that_was_not_is_found() -> None:
    for withdrawn in (True, False):
        world = Merged()
        seen = Topics(world.books, world.who, world.breaches)
        for record in World().facts():
            seen.take(record)
        seen.take(fact("crm.scores", "id-1", 1, {"score": {"purchases": 3}}, 90))
        if withdrawn:
            seen.take(fact("crm.scores", "id-2", 4, {"as_of": "2026-01-01T00:00:00Z"}, 91))
        seen.agree(world.persons, {"id-1": 4, "id-2": 4}, {"id-1": 2, "id-2": 2})
        assert world.rules == (set() if withdrawn else {"scores follow the orders"})


@pytest.fixture
def world() -> World:
    return World()
