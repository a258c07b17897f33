"""The judge's rules about views, channels' copies, topics and deliveries: silent where all is right, able to fail."""

from typing import Any

import pytest

from tests.harness.torture_world import MOODY, SENT, STEADY, World, delivery, fact
from tests.torture.judge import deliveries, health, topics, views
from tests.torture.judge.deliveries import Received
from tests.torture.judge.health import Position, Readiness
from tests.torture.judge.inbound import Record
from tests.torture.judge.topics import Topics
from tests.torture.judge.views import part
from tests.torture.sendings import NAMING


@pytest.fixture
def world() -> World:
    return World()


def read(world: World, records: list[Record]) -> Topics:
    seen = Topics(world.books, world.who, world.breaches)
    for record in records:
        seen.take(record)
    seen.close()
    seen.agree(world.persons, {"id-1": 4, "id-2": 4}, {"id-1": 2, "id-2": 2})
    return seen


def test_views_copies_and_topics_that_are_right_break_no_rule(world: World) -> None:
    views.views(world.persons, world.who, NAMING, world.views(), world.breaches)
    for terms in (STEADY, MOODY):
        views.copies(world.persons, world.who, terms, world.views(), world.copies(terms), world.breaches)
    views.sums(world.persons, {"customers": 2, "orders": 3, "total": "14.49"}, world.breaches)
    read(world, world.facts())
    assert list(world.breaches) == []


def changes() -> list[dict[str, Any]]:
    world = World()
    view = world.view(1)
    return [
        {"interactions": 3},
        {"sales": view["sales"] | {"total": "13.50"}},
        {"sales": view["sales"] | {"total": 13.49}},
        {"sales": view["sales"] | {"orders": 1}},
        {"recent_interactions": view["recent_interactions"][::-1]},
        {"contact": view["contact"] | {"identifiers": view["contact"]["identifiers"][1:]}},
        {"contact": view["contact"] | {"name": "Anna"}},
        {"contact": None},
        {"score": None},
        {"score": view["score"] | {"purchases": 1}},
    ]


@pytest.mark.parametrize("change", changes())
def test_a_view_that_differs_from_the_books_is_found(world: World, change: dict[str, Any]) -> None:
    told = world.views() | {"id-1": world.view(1) | change}
    views.views(world.persons, world.who, NAMING, told, world.breaches)
    assert world.rules == {views.VIEWS}


def test_a_missing_view_and_one_of_nobody_are_found(world: World) -> None:
    views.views(world.persons, world.who, NAMING, {"id-1": world.view(1), "id-9": world.view(1)}, world.breaches)
    assert len(world.breaches) == 2


def test_sums_that_are_off_are_found(world: World) -> None:
    views.sums(world.persons, {"customers": 2, "orders": 3, "total": "14.48"}, world.breaches)
    assert world.rules == {views.SUMS}


def test_a_copy_that_is_missing_older_or_different_is_found(world: World) -> None:
    right = world.copies(STEADY)
    one = right["id-1"]
    wrong = [
        {"id-2": right["id-2"]},
        right | {"id-1": one | {"version": 3}},
        right | {"id-1": one | {"customer": one["customer"] | {"interactions": 9}}},
    ]
    for held in wrong:
        breaches = World().breaches
        views.copies(world.persons, world.who, STEADY, world.views(), held, breaches)
        assert set(breaches.counts) == {views.COPIES}


def test_a_field_that_the_policy_does_not_name_is_found(world: World) -> None:
    held = world.copies(STEADY)
    held["id-1"]["customer"]["score"] = {}
    views.copies(world.persons, world.who, STEADY, world.views(), held, world.breaches)
    assert world.rules == {views.POLICY}


def test_a_customer_told_without_consent_and_one_withheld_despite_consent_are_found(world: World) -> None:
    for customer_id, customer, withheld in (("id-2", {"sales": {}}, []), ("id-1", {}, list(MOODY.fields))):
        held, breaches = world.copies(MOODY), World().breaches
        held[customer_id] |= {"customer": customer, "withheld": withheld}
        views.copies(world.persons, world.who, MOODY, world.views(), held, breaches)
        assert views.POLICY in breaches.counts


def test_parts_of_documents_follow_dotted_names() -> None:
    document = {"a": {"b": 1, "c": 2}, "d": [{"e": 1, "f": 2}], "g": None}
    assert part(document, [["a", "b"], ["d", "e"], ["g", "x"], ["h"]]) == {"a": {"b": 1}, "d": [{"e": 1}], "g": None}


def test_what_a_relay_publishes_again_under_its_old_sequence_is_no_breach(world: World) -> None:
    facts = [record for record in world.facts() for _ in range(2)]
    assert read(world, facts).sequences.republished.total() == len(facts) // 2
    assert not world.breaches.counts


def test_a_fact_that_is_lost_is_found(world: World) -> None:
    read(world, world.facts()[1:])
    assert [(breach.rule, breach.event) for breach in world.breaches] == [(topics.ONCE, 0)]


def test_a_fact_that_is_told_twice_under_two_sequences_is_found(world: World) -> None:
    read(world, [*world.facts(), fact("crm.sales", "id-2", 4, {}, 99)])
    assert topics.ONCE in world.rules


def test_facts_of_a_customer_out_of_the_logs_order_are_found(world: World) -> None:
    facts = [fact("crm.sales", "id-1", 3, {}, 1), fact("crm.sales", "id-1", 0, {}, 2)]
    rest = [record for record in world.facts() if (record.topic, record.key) != ("crm.sales", b"id-1")]
    read(world, [*facts, *rest])
    assert topics.ORDERED in world.rules


def test_an_event_that_came_again_in_an_added_partition_has_no_place_among_the_others(world: World) -> None:
    """It may have had its effect by either copy."""
    later = SENT[3]
    world.inbound.take(world.told(later, 90)._replace(partition=7))
    facts = [fact("crm.sales", "id-1", 3, {}, 1), fact("crm.sales", "id-1", 0, {}, 2)]
    rest = [record for record in world.facts() if (record.topic, record.key) != ("crm.sales", b"id-1")]
    read(world, [*facts, *rest])
    assert topics.ORDERED not in world.rules


def test_a_fact_under_another_customers_key_is_found(world: World) -> None:
    first, *rest = world.facts()
    read(world, [first._replace(key=b"id-2"), *rest])
    assert topics.ONCE in world.rules


def test_a_fact_about_no_accepted_event_is_found(world: World) -> None:
    read(world, [*world.facts(), fact("crm.sales", "id-1", 15, {}, 99)])
    assert topics.ONCE in world.rules


def test_a_version_that_stands_still_and_one_that_is_never_told_are_found(world: World) -> None:
    read(world, [*world.facts(), fact("crm.customers", "id-1", 1, {"view": {"version": 4}}, 99)])
    assert world.rules == {topics.VERSIONS}
    other = World()
    read(other, world.facts()[:-1])
    assert other.rules == {topics.VERSIONS}


def test_a_score_of_fewer_purchases_than_before_is_found(world: World) -> None:
    read(world, [*world.facts(), fact("crm.scores", "id-1", 1, {"score": {"purchases": 1}}, 99)])
    assert world.rules == {topics.SCORES}


def test_the_facts_of_a_customer_who_has_moved_to_another_partition_are_in_the_order_of_their_sequences(
    world: World,
) -> None:
    facts = [record._replace(partition=record.offset % 2) for record in world.facts()]
    straight = read(World(), world.facts())
    moved = read(world, sorted(facts, key=lambda record: -record.partition))
    assert any(straight.place)
    assert list(moved.place) == list(straight.place)


def received(world: World, *told: Any, excused: int = 0) -> Received:
    found = Received(world.who, world.breaches, excused)
    for one in told:
        found.take(one)
    found.close()
    return found


def test_deliveries_that_only_go_forward_break_no_rule(world: World) -> None:
    received(world, delivery(1), delivery(3), delivery(2, channel="moody"), delivery(3, customer_id="id-2"))
    assert not world.breaches.counts


def test_a_delivery_that_goes_back_is_found(world: World) -> None:
    received(world, delivery(3), delivery(2))
    assert world.rules == {deliveries.FORWARD}


def test_a_delivery_whose_signature_does_not_verify_is_found(world: World) -> None:
    received(world, delivery(1, signed=False))
    assert world.rules == {deliveries.SIGNED}


def test_what_was_acknowledged_may_come_again_only_where_a_fault_excuses_it(world: World) -> None:
    received(world, delivery(1), delivery(1), excused=1)
    assert not world.breaches.counts
    received(world, delivery(1), delivery(1), excused=0)
    assert world.rules == {deliveries.TWICE}


def test_what_was_not_acknowledged_may_come_again(world: World) -> None:
    received(
        world, delivery(1, taken=False), delivery(1, taken=False), delivery(1), delivery(2, taken=False), delivery(2)
    )
    assert not world.breaches.counts


def test_a_repeated_delivery_under_another_id_is_found(world: World) -> None:
    received(world, delivery(1, taken=False), delivery(1, message_id="other"))
    assert world.rules == {deliveries.STABLE}


def test_whatever_is_left_over_is_found(world: World) -> None:
    health.drained([Position("scoring", "crm.sales", 0, 7, 7)], {"sync": 0}, {"steady": 0}, world.breaches)
    assert not world.breaches.counts
    health.drained([Position("scoring", "crm.sales", 0, 6, 7)], {"sync": 1}, {"steady": 1}, world.breaches)
    assert world.breaches.counts == {health.DRAINED: 3}


def test_a_group_that_has_never_taken_anything_stands_at_zero() -> None:
    found = health.positions({("scoring", "crm.sales", 0): 5}, {("crm.sales", 0): 5, ("crm.sales", 1): 3})
    assert Position("scoring", "crm.sales", 1, 0, 3) in found
    assert Position("scoring", "crm.sales", 0, 5, 5) in found
    assert Position("sync", "crm.sales", 0, 0, 5) in found


def test_a_process_that_is_not_ready_or_died_by_itself_is_found(world: World) -> None:
    health.well([Readiness("sync-1", 200, "", 2, 2)], world.breaches)
    assert not world.breaches.counts
    health.well([Readiness("sync-1", 503, "halted", 0, 0), Readiness("sync-2", 200, "", 1, 0)], world.breaches)
    assert world.rules == {health.WELL, health.RESTARTS}


def test_a_refused_event_and_a_fault_that_nothing_recovered_from_are_found(world: World) -> None:
    health.taken({}, world.breaches)
    health.recovered([None, None], world.breaches)
    assert not world.breaches.counts
    health.taken({"malformed": 1}, world.breaches)
    health.recovered(["kafka killed: nothing moves"], world.breaches)
    assert world.rules == {health.TAKEN, health.DRAINED}


def test_the_earliest_event_that_is_wrong_is_where_to_look_first(world: World) -> None:
    world.breaches.expect("rule", "late", 1, 2, event=9)
    world.breaches.expect("rule", "whole customer", 1, 2, customer=3)
    world.breaches.expect("rule", "early", 1, 2, event=4)
    first = world.breaches.first_event
    assert first is not None
    assert first.what == "early"
