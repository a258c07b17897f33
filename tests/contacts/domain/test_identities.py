"""Whose an identifier is: by rule, by example, and for any input."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.identities import distinct, identified, normalised, resolve
from shared.contracts.channels import ContactReported
from shared.contracts.fact import Identifier

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def ids(*names: str) -> list[Identifier]:
    pairs = (name.split(":", 1) for name in names)
    return [Identifier(scheme=scheme, value=value) for scheme, value in pairs]


def numbered() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"new-{next(numbers)}"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("email:Ann@Example.COM ", "email:ann@example.com"),
        ("phone:0049 (30) 12-34", "phone:+49301234"),
        ("card:AbC", "card:AbC"),
        ("card: 7 ", "card:7"),
        ("card:   ", "card:   "),
        ("email:" + "İ" * 256, "email:" + "İ" * 256),
    ],
)
def test_identifiers_have_one_spelling(given: str, expected: str) -> None:
    assert [str(normalised(one)) for one in ids(given)] == [expected]


def test_email_and_phone_of_a_report_identify_too_but_last() -> None:
    report = ContactReported(customer=ids("card:1"), reported_at=NOW, email="A@b.de", phone="+49301234")
    assert [str(one) for one in identified(report)] == ["card:1", "email:a@b.de", "phone:+49301234"]


def test_the_first_known_identifier_decides_and_the_others_are_attached() -> None:
    found = resolve([ids("shop:1", "card:2", "email:x")], {"card:2": "ann"}, numbered())
    assert found.customers == ["ann"]
    assert found.owners == {"shop:1": "ann", "card:2": "ann", "email:x": "ann"}
    assert found.attached == {"ann": ids("shop:1", "email:x")}
    assert not found.registered
    assert not found.conflicts


def test_unknown_lists_that_share_an_identifier_become_one_customer() -> None:
    found = resolve([ids("a:1", "b:1"), ids("c:9"), ids("b:1", "d:1"), ids("d:1")], {}, numbered())
    assert found.customers == ["new-1", "new-2", "new-1", "new-1"]
    assert found.registered == {"new-1", "new-2"}


def test_a_list_of_two_customers_goes_to_the_first_and_nothing_is_stolen() -> None:
    found = resolve([ids("card:2", "card:1", "card:3")], {"card:1": "ann", "card:2": "bob"}, numbered())
    assert found.customers == ["bob"]
    assert found.owners == {"card:1": "ann", "card:2": "bob", "card:3": "bob"}
    assert [(c.kept, c.other, c.identifiers) for c in found.conflicts] == [
        ("bob", "ann", ("card:2", "card:1", "card:3"))
    ]
    assert [str(one) for one in found.own(0, ids("card:1", "card:2", "card:3"))] == ["card:2", "card:3"]


def test_what_was_known_before_decides_over_what_the_same_request_has_taught() -> None:
    lists = [ids("b:1", "x:1"), ids("x:1", "a:1")]
    assert resolve(lists, {"a:1": "ann", "b:1": "bob"}, numbered()).customers == ["bob", "ann"]


def test_a_long_chain_costs_no_more_than_its_length() -> None:
    links = [ids(f"n:{n}", f"n:{n + 1}") for n in range(5000)]
    found = resolve(links, {"n:5000": "ann"}, numbered())
    assert set(found.customers) == {"ann"}


NAMES = st.sampled_from([f"s:{n}" for n in range(8)])
LISTS = st.lists(st.lists(NAMES, min_size=1, max_size=4).map(lambda names: distinct(ids(*names))), max_size=8)
KNOWN = st.dictionaries(NAMES, st.sampled_from(["ann", "bob", "cleo"]))


@given(LISTS, KNOWN)
def test_whatever_comes_nothing_known_moves_and_every_identifier_has_an_owner(
    lists: list[list[Identifier]], known: dict[str, str]
) -> None:
    found = resolve(lists, known, numbered())
    assert {name: found.owners[name] for name in known} == known
    for index, listed in enumerate(lists):
        owners = [found.owners[str(one)] for one in listed]
        assert found.customers[index] in owners
        first_known = next((known[str(one)] for one in listed if str(one) in known), None)
        assert first_known in {None, found.customers[index]}
        if len(set(owners)) > 1:
            assert any(found.customers[index] == conflict.kept for conflict in found.conflicts)


@given(LISTS, KNOWN)
def test_asking_again_gives_the_same_customers(lists: list[list[Identifier]], known: dict[str, str]) -> None:
    first = resolve(lists, known, numbered())
    again = resolve(lists, first.owners, numbered())
    assert again.owners == first.owners
    assert not again.registered
    if not first.conflicts:
        assert again.customers == first.customers


@given(LISTS, st.randoms(use_true_random=False))
def test_of_unknown_lists_the_same_ones_end_together_in_any_order(
    lists: list[list[Identifier]], random: object
) -> None:
    order = list(range(len(lists)))
    random.shuffle(order)  # type: ignore[attr-defined]
    straight = resolve(lists, {}, numbered()).customers
    shuffled = dict(zip(order, resolve([lists[i] for i in order], {}, numbered()).customers, strict=True))
    for one in range(len(lists)):
        for other in range(one):
            assert (straight[one] == straight[other]) == (shuffled[one] == shuffled[other])
