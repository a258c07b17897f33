"""Merging and taking back: what was said is never lost, and a tree of merges is as if they had always been one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.merging import (
    MAX_MEMBERS,
    Merge,
    TooManyMembers,
    merged,
    regrouped,
    together,
    unmerged,
)
from services.contacts.domain.places import Place
from services.contacts.domain.ruling import Rules
from services.contacts.domain.survivorship import (
    MAX_CONSENTS,
    NO_RULES,
    Known,
    Statement,
    TooManyConsents,
    fold,
    newcomer,
    statement,
)
from shared.consent import standing
from shared.contracts.channels import Address, ContactReported, PhoneClaim
from shared.contracts.contacts import Consent
from shared.contracts.fact import Identifier
from shared.ids import uuid7
from tests.contacts.domain.test_ruling import RULES
from tests.contacts.domain.test_survivorship import STATEMENTS as REPORTED

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ANN, BOB, CLEO, DAN = (uuid7(NOW + timedelta(seconds=n)) for n in range(4))
ALL = (ANN, BOB, CLEO, DAN)
CARD = Identifier(scheme="card", value="7")


def at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def known(customer: str, *told: Statement, rules: Rules = NO_RULES) -> Known:
    return fold_all(newcomer(customer, NOW), told, rules)


def said(hours: float, **fields: Any) -> Statement:
    return Statement("/channels/shop", at(hours), fields=fields)


def consent(status: Any, hours: float, channel: str = "any") -> Consent:
    return Consent(purpose="ads", channel=channel, status=status, given_at=at(hours), source="s")


def consents(*given: Consent) -> Statement:
    return Statement("s", NOW, consents=list(given))


def family(*members: Known) -> dict[str, Known]:
    return {one.contact.customer_id: one for one in members}


def tree(parts: dict[str, Known], customer: str) -> dict[str, Known]:
    root = parts[customer].place.root or customer
    return {one: parts[one] for one in (root, *parts[root].place.members)}


def merge(
    parts: dict[str, Known], survivor: str, absorbed: str, hours: float = 10, rules: Rules = NO_RULES
) -> dict[str, Known]:
    both = {**tree(parts, survivor), **tree(parts, absorbed)}
    after = {**parts, **merged(both, Merge(uuid7(at(hours)), survivor, absorbed, at(hours), "me"))}
    return {**after, survivor: regrouped(after, survivor, NOW, rules=rules)[0]}


def undo(parts: dict[str, Known], absorbed: str, rules: Rules = NO_RULES) -> dict[str, Known]:
    root = parts[absorbed].place.root
    assert root
    after = {**parts, **unmerged(tree(parts, absorbed), absorbed)}
    after[root] = regrouped(after, root, NOW, rules=rules)[0]
    after[absorbed] = regrouped(after, absorbed, NOW, rules=rules, set_free=True)[0]
    return after


def test_of_each_field_what_was_said_last_holds_whoever_it_was_said_of() -> None:
    parts = family(
        known(ANN, said(1, name="Ann", email="a@b.de")),
        known(BOB, said(2, name="Anna"), Statement("s", at(0), [Identifier(scheme="card", value="7")])),
    )
    contact = merge(parts, ANN, BOB)[ANN].published
    assert (contact.customer_id, contact.name, contact.email) == (ANN, "Anna", "a@b.de")
    assert [str(one) for one in contact.identifiers] == ["card:7"]
    assert (contact.absorbed, contact.version) == ([BOB], 2)


def test_a_field_that_was_removed_last_is_removed() -> None:
    parts = family(known(ANN, said(1, name="Ann")), known(BOB, said(2, name=None)))
    assert merge(parts, ANN, BOB)[ANN].published.name is None


def number(hours: float, typed: str, purpose: str = "home") -> Statement:
    phones = [PhoneClaim(typed=typed, purpose=purpose)]
    return statement(ContactReported(customer=[CARD], reported_at=at(hours), phones=phones), "/channels/shop")


def test_how_to_reach_them_is_one_list_and_the_preferred_is_chosen_from_all_of_it() -> None:
    parts = family(known(ANN, number(1, "+49 228 123456")), known(BOB, number(2, "+49 731 123456")))
    contact = merge(parts, ANN, BOB)[ANN].published
    assert ([one.typed for one in contact.phones], contact.phone) == (
        ["+49 731 123456", "+49 228 123456"],
        "+49731123456",
    )
    assert undo(merge(parts, ANN, BOB), BOB)[ANN].published.phone == "+49228123456"


def test_what_was_chosen_for_the_absorbed_is_not_taken_for_said() -> None:
    removed = said(1, phone=None)
    parts = family(known(ANN, said(0, phone="+49 30 1")), known(BOB, removed, number(2, "+49 731 123456", "billing")))
    assert parts[BOB].chosen == {"phone"}
    whole = together(ANN, merge(parts, ANN, BOB))
    assert whole.said["phone"] == at(1)
    assert (whole.contact.phone, set(whole.chosen)) == ("+49731123456", {"phone"})
    better = merge(family(parts[BOB], known(ANN, number(1.5, "+49 228 123456"))), ANN, BOB)
    assert better[ANN].published.phone == "+49228123456", "a number for anything goes before one for bills"


def test_a_number_without_a_country_is_of_where_the_one_person_lives() -> None:
    home = said(1, address=Address(city="Bonn", country="DE"))
    parts = family(known(ANN, number(1, "0228 123456")), known(BOB, home))
    assert merge(parts, ANN, BOB)[ANN].published.phone == "+49228123456"


def test_parts_stay_as_they_are() -> None:
    parts = family(known(ANN, said(1, name="Ann")), known(BOB, said(2, name="Anna")))
    after = merge(parts, ANN, BOB)
    assert (after[ANN].said, after[BOB].said) == (parts[ANN].said, parts[BOB].said)
    assert (after[ANN].contact.name, after[BOB].contact.name) == ("Ann", "Anna")


def test_undone_both_are_what_they_were_at_a_later_version() -> None:
    parts = family(known(ANN, said(1, name="Ann")), known(BOB, said(2, name="Anna")))
    after = undo(merge(parts, ANN, BOB), BOB)
    assert [after[one].place.alone for one in (ANN, BOB)] == [True, True]
    assert [after[one].published.name for one in (ANN, BOB)] == ["Ann", "Anna"]
    assert [after[one].published.version for one in (ANN, BOB)] == [3, 2]
    assert after[BOB].place.turn == 2


@pytest.mark.parametrize(
    ("survivor", "absorbed", "holds"),
    [
        (consent("denied", 1), consent("granted", 2), "denied"),
        (consent("granted", 2), consent("denied", 1), "denied"),
        (consent("withdrawn", 2), consent("denied", 1), "denied"),
        (consent("denied", 1), consent("granted", 11), "granted"),
        (consent("granted", 11), consent("withdrawn", 1), "granted"),
        (consent("granted", 11), consent("withdrawn", 12), "withdrawn"),
    ],
)
def test_of_two_consents_the_stricter_holds_until_the_one_person_answers_anew(
    survivor: Consent, absorbed: Consent, holds: str
) -> None:
    parts = family(known(ANN, consents(survivor)), known(BOB, consents(absorbed)))
    (held,) = merge(parts, ANN, BOB, hours=10)[ANN].published.consents
    assert held.status == holds


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        (consent("withdrawn", 1, "mail"), consent("granted", 2), "withdrawn"),
        (consent("granted", 2, "mail"), consent("denied", 1), "denied"),
        (consent("withdrawn", 2, "mail"), consent("granted", 1), "withdrawn"),
        (consent("withdrawn", 1, "mail"), consent("granted", 11), "granted"),
        (consent("granted", 11, "mail"), consent("denied", 1), "granted"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_no_for_one_channel_and_a_yes_on_every_channel_are_answers_to_the_same_question(
    one: Consent, other: Consent, answer: str, turned: bool
) -> None:
    said = (other, one) if turned else (one, other)
    parts = family(*(known(who, consents(it)) for who, it in zip((ANN, BOB), said, strict=True)))
    held = merge(parts, ANN, BOB, hours=10)[ANN].published.consents
    stands = standing(held, one.purpose, "mail", NOW)
    assert stands
    assert stands.answer == answer
    every = other if other.channel == "any" else one
    of_others = standing(held, one.purpose, "phone", NOW)
    assert of_others
    assert of_others.answer == every.status


def test_consents_for_different_channels_all_hold() -> None:
    mail, phone = consent("granted", 1, "mail"), consent("denied", 1, "phone")
    parts = family(known(ANN, consents(mail)), known(BOB, consents(phone)))
    assert merge(parts, ANN, BOB)[ANN].published.consents == [mail, phone]


def test_a_merge_that_would_have_to_forget_consents_is_refused() -> None:
    def many(prefix: str) -> Statement:
        return consents(*(consent("denied", 1, f"{prefix}{n}") for n in range(MAX_CONSENTS // 2 + 1)))

    with pytest.raises(TooManyConsents):
        merge(family(known(ANN, many("a")), known(BOB, many("b"))), ANN, BOB)


def test_no_more_than_so_many_are_one() -> None:
    customers = [uuid7(at(n)) for n in range(MAX_MEMBERS + 2)]
    parts = family(*map(known, customers))
    for customer in customers[1:-1]:
        parts = merge(parts, customers[0], customer)
    assert len(parts[customers[0]].published.absorbed) == MAX_MEMBERS
    with pytest.raises(TooManyMembers):
        merge(parts, customers[0], customers[-1])


def test_a_chain_can_be_undone_in_its_middle_first() -> None:
    parts = family(*(known(one, said(n, name=f"name {n}")) for n, one in enumerate(ALL)))
    chain = merge(merge(merge(parts, BOB, ANN), CLEO, BOB), DAN, CLEO)
    assert chain[DAN].place.members == (ANN, BOB, CLEO)
    assert [chain[one].place.root for one in (ANN, BOB, CLEO)] == [DAN] * 3
    split = undo(chain, BOB)
    assert (split[BOB].place.members, split[DAN].place.members) == ((ANN,), (CLEO,))
    assert (split[ANN].place.root, split[BOB].place.root, split[CLEO].place.root) == (BOB, None, DAN)
    assert (split[BOB].published.name, split[DAN].published.name) == ("name 1", "name 3")
    single = undo(undo(split, ANN), CLEO)
    assert all(single[one].place.alone for one in ALL)


# Consents have a rule of their own.
STATEMENTS = st.lists(
    st.tuples(st.sampled_from(ALL), REPORTED.map(lambda statement: replace(statement, consents=[]))), max_size=8
)
# Who is merged into whom, of those who may be: a place in the list of pairs of roots.
STEPS = st.lists(st.integers(0, 100), max_size=8)


def change(parts: dict[str, Known], step: int, rules: Rules) -> dict[str, Known]:
    """One of the merges and undoings that are possible, drawn by a number."""
    roots = [one for one in ALL if parts[one].place.root is None]
    choices: list[Any] = [(merge, one, other) for one in roots for other in roots if one != other]
    choices += [(undo, one) for one in ALL if parts[one].place.root]
    action, *customers = choices[step % len(choices)]
    return action(parts, *customers, rules=rules)  # type: ignore[no-any-return]


@given(STATEMENTS, STEPS, RULES)
def test_a_tree_of_merges_is_as_if_they_had_always_been_one(
    told: Sequence[tuple[str, Statement]], steps: Sequence[int], rules: Rules
) -> None:
    parts = family(*map(known, ALL))
    for step in steps:
        parts = change(parts, step, rules)
    parts = {
        customer: replace(fold_all(one, [s for c, s in told if c == customer], rules), place=one.place)
        for customer, one in parts.items()
    }
    for root in ALL:
        if parts[root].place.root is None:
            members = {root, *parts[root].place.members}
            one = fold_all(known(root), [s for c, s in told if c in members], rules)
            whole = together(root, {member: parts[member] for member in members}, rules=rules)
            assert (whole.said, whole.chosen) == (one.said, one.chosen)
            assert (whole.tellers, whole.also) == (one.tellers, one.also)
            assert whole.contact.model_copy(update={"absorbed": []}) == one.contact.model_copy(
                update={"version": whole.contact.version, "changed_at": whole.contact.changed_at}
            )


@given(STATEMENTS, STEPS, RULES)
def test_whatever_was_merged_and_undone_everybody_is_as_before_and_no_version_goes_back(
    told: Sequence[tuple[str, Statement]], steps: Sequence[int], rules: Rules
) -> None:
    before = family(*(fold_all(known(one), [s for c, s in told if c == one], rules) for one in ALL))
    parts = before
    for step in steps:
        after = change(parts, step, rules)
        assert all(
            after[one].published.version >= parts[one].published.version for one in ALL if not after[one].place.root
        )
        parts = after
    for absorbed in ALL:
        if parts[absorbed].place.root:
            parts = undo(parts, absorbed, rules)
    for customer in ALL:
        assert parts[customer].place.alone
        assert parts[customer].said == before[customer].said
        assert (parts[customer].tellers, parts[customer].also) == (before[customer].tellers, before[customer].also)
        stamp = {"version": 1, "changed_at": NOW}
        assert parts[customer].published.model_copy(update=stamp) == before[customer].contact.model_copy(update=stamp)


def fold_all(one: Known, told: Sequence[Statement], rules: Rules = NO_RULES) -> Known:
    for said in told:
        one = fold(one, said, rules=rules)
    return one


def test_somebody_who_was_never_merged_is_alone() -> None:
    assert Place().alone
    assert not Place(root=ANN).alone
    assert not Place(members=(ANN,)).alone
