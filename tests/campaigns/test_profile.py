"""A customer's profile comes out the same whatever order the facts come in."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, strategies as st

from services.campaigns.domain.answers import Answer, answer, answers, bans
from services.campaigns.domain.profile import MAX_KINDS, Profile, fold
from shared.consent import ANY, standing
from shared.contracts.contacts import Consent
from shared.contracts.fact import Fact
from tests.campaigns.facts import (
    ASKED_AT,
    CHANNELS,
    PURPOSES,
    ban,
    cancelled,
    consent,
    consents,
    contact,
    customer,
    day,
    histories,
    interaction,
    order,
    returned,
    scored,
)

ANN = customer(1)


def folded(*facts: Fact) -> Profile:
    profile = Profile(ANN)
    for fact in facts:
        fold(profile, fact)
    return profile


@given(histories(ANN).flatmap(lambda facts: st.tuples(st.just(facts), st.permutations(facts))))
def test_any_order_of_the_facts_gives_the_same_profile(told: tuple[list[Fact], list[Fact]]) -> None:
    in_order, shuffled = told
    assert folded(*in_order) == folded(*shuffled)


def test_orders_are_summed_exactly() -> None:
    sales = folded(*(order(n, ANN, day(n), "0.10") for n in (3, 1, 2))).sales
    assert (sales.orders, sales.total) == (3, Decimal("0.30"))
    assert (sales.first_order_at, sales.last_order_at) == (day(1), day(3))


def test_orders_are_net_of_returns_and_cancellations() -> None:
    first, second = order(1, ANN, day(1), "10.00"), order(2, ANN, day(2), "7.00")
    back = returned(1, first, "4.00")
    sales = folded(first, second, back, cancelled(second)).sales
    assert (sales.orders, sales.total, sales.returned, sales.cancelled) == (1, Decimal(6), Decimal(4), 1)
    assert (sales.first_order_at, sales.last_order_at) == (day(1), day(2))
    assert folded(first, back, cancelled(first, back)).sales.total == 0


def test_interactions_are_counted_by_kind_and_in_all() -> None:
    profile = folded(interaction(1, ANN, day(2)), interaction(2, ANN, day(1)), interaction(3, ANN, day(9), "visit"))
    assert (profile.interactions.count, profile.interactions.last_at) == (3, day(9))
    assert (profile.kinds["call"].count, profile.kinds["call"].last_at) == (2, day(2))


def test_a_flood_of_kinds_is_counted_but_does_not_grow_the_profile() -> None:
    profile = folded(*(interaction(n, ANN, day(1), f"kind-{n}") for n in range(MAX_KINDS + 50)))
    assert len(profile.kinds) == MAX_KINDS
    assert profile.interactions.count == MAX_KINDS + 50


def test_an_older_version_of_a_contact_changes_nothing() -> None:
    profile = folded(contact(ANN, 2, stage="customer"), contact(ANN, 1, stage="lead"))
    assert profile.contact["stage"] == "customer"


def test_an_older_score_changes_nothing_and_one_of_the_same_moment_replaces() -> None:
    new, old, again = (scored(ANN, day(at), segment=said) for at, said in ((5, "gone"), (4, "new"), (5, "slipping")))
    assert folded(new, old).score["segment"] == "gone"
    assert folded(new, again).score["segment"] == "slipping"


def test_what_a_newer_score_does_not_say_is_forgotten() -> None:
    profile = folded(scored(ANN, day(1), value=Decimal(3)), scored(ANN, day(2)))
    assert "value" not in profile.score


def test_an_attribute_without_a_value_is_absent() -> None:
    assert folded(contact(ANN, 1, attributes={"none": None, "no": False})).attributes == {"no": False}


def test_moments_are_kept_to_the_millisecond() -> None:
    sales = folded(order(1, ANN, day(1) + timedelta(microseconds=1999))).sales
    assert sales.last_order_at == day(1) + timedelta(milliseconds=1)


def test_only_sections_that_changed_are_touched() -> None:
    assert folded(order(1, ANN, day(1))).touched == {"sales"}
    known = replace(folded(contact(ANN, 2)), touched=set())
    fold(known, contact(ANN, 1))
    assert known.touched == set()


def words(consents: list[Consent]) -> dict[str, str]:
    return {channel: answer.word for channel, answer in answers(consents)["marketing"].items()}


def test_the_later_of_the_channels_own_answer_and_the_general_one_is_in_force() -> None:
    withdrawn = [consent("marketing", "mail", "granted", day(1)), consent("marketing", "any", "withdrawn", day(2))]
    reopened = [*withdrawn, consent("marketing", "mail", "granted", day(3))]
    assert words(withdrawn) == {"mail": "withdrawn", "any": "withdrawn"}
    assert words(reopened) == {"mail": "granted", "any": "withdrawn"}


def test_of_two_answers_of_the_same_moment_the_refusal_is_in_force() -> None:
    both = [consent("marketing", "any", "granted", day(1)), consent("marketing", "any", "denied", day(1))]
    assert words(both) == words(both[::-1]) == {"any": "denied"}


@given(consents.flatmap(lambda given: st.tuples(st.just(given), st.permutations(given))))
def test_a_profile_answers_as_the_one_rule_for_all_services_does_at_any_time(
    listed: tuple[list[Consent], list[Consent]],
) -> None:
    one, other = listed
    for purpose in PURPOSES:
        for channel in (*CHANNELS, "phone"):
            for at in (ASKED_AT, day(1), day(399)):
                found = standing(one, purpose, channel, at)
                cut = timedelta(milliseconds=1)  # a profile keeps milliseconds
                if found and found.consent.valid_until and abs(found.consent.valid_until - at) < cut:
                    continue
                assert answer(answers(other), purpose, channel, at) == (found and found.answer)


def test_a_grant_is_expired_from_its_end_on() -> None:
    [[kept]] = [
        one.values() for one in answers([consent("ads", "any", "granted", day(1), valid_until=day(9))]).values()
    ]
    assert kept == Answer("granted", day(9))
    assert (kept.at(day(9) - timedelta(milliseconds=1)), kept.at(day(9))) == ("granted", "expired")
    told = consent("ads", "any", "withdrawn", day(1), valid_until=day(9), expired=True)
    assert answers([told]) == {"ads": {"any": Answer("expired")}}


def test_what_forbids_to_approach_is_kept_with_its_times() -> None:
    profile = folded(contact(ANN, 1, do_not_contact=[ban("mail", day(1), day(2)), ban(ANY, day(3))]))
    assert profile.do_not_contact == bans([ban("mail", day(1), day(2)), ban("any", day(3))])
    assert folded(contact(ANN, 1, do_not_contact=[ban("mail", day(1))]), contact(ANN, 2)).do_not_contact == ()
