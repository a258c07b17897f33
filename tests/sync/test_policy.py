"""What a channel may see: named fields, and the customer's answer."""

from typing import Any

import orjson
import pytest

from services.sync.domain.known import NOTHING, written
from services.sync.domain.policy import Basis, Policy, allowed, known_field, without_secrets
from services.sync.domain.view import take
from shared.contracts.sync import CustomerView
from tests.sync.facts import ANNA, NOW, contact, day, interaction, order, score


def policy(*fields: str, basis: Basis = "contract") -> Policy:
    return Policy(version=1, purpose="service", basis=basis, fields=fields, consent_channel="call-centre")


def view(*answers: tuple[str, str]) -> bytes:
    consents = [
        {"purpose": "service", "channel": channel, "status": status, "given_at": day(1), "source": "/channels/x"}
        for channel, status in answers
    ]
    known = NOTHING
    known = take(
        known, contact(consents=consents, email="anna@example.org", attributes={"age.band": "35-44", "kids": 2})
    )
    for fact in (order(), interaction(number=1), interaction(number=2, kind="visit"), score()):
        known = take(known, fact)
    return written(ANNA, 3, NOW, known)


def seen(policy: Policy, document: bytes) -> Any:
    return orjson.loads(allowed(policy, document).customer)


def test_only_named_fields_are_seen() -> None:
    assert seen(policy("contact.name", "sales.orders", "score.value"), view()) == {
        "contact": {"name": "Name 1"},
        "sales": {"orders": 1},
        "score": {"value": "99.90"},
    }


def test_a_whole_part_swallows_its_own_fields() -> None:
    assert seen(policy("sales.orders", "sales"), view()) == {"sales": orjson.loads(view())["sales"]}


def test_fields_of_lists_are_taken_of_each_element() -> None:
    notes = seen(policy("recent_interactions.kind"), view())["recent_interactions"]
    assert notes == [{"kind": "visit"}, {"kind": "call"}]


def test_single_attributes_can_be_named_dots_and_all() -> None:
    seen_attributes = seen(policy("contact.attributes.age.band"), view())["contact"]["attributes"]
    assert seen_attributes == {"age.band": "35-44"}


def test_a_part_that_is_not_there_yet_is_null() -> None:
    empty = written(ANNA, 1, NOW, NOTHING)
    assert seen(policy("contact.name", "sales.total"), empty) == {"contact": None, "sales": {"total": "0"}}


def test_a_star_is_the_view_byte_for_byte() -> None:
    assert allowed(policy("*"), view()).customer == view()
    CustomerView.model_validate_json(allowed(policy("*", basis="legitimate-interest"), view()).customer)


@pytest.mark.parametrize(
    ("basis", "answers", "sees"),
    [
        ("contract", [], True),
        ("contract", [("any", "denied")], True),
        ("consent", [], False),
        ("consent", [("any", "granted")], True),
        ("consent", [("any", "denied"), ("call-centre", "granted")], True),
        ("consent", [("any", "granted"), ("call-centre", "withdrawn")], False),
        ("consent", [("mail", "granted")], False),
        ("legitimate-interest", [], True),
        ("legitimate-interest", [("any", "withdrawn")], False),
    ],
)
def test_the_customers_answer_decides_as_far_as_the_basis_asks_for_it(
    basis: Basis, answers: list[tuple[str, str]], sees: bool
) -> None:
    part = allowed(policy("contact.name", "sales", basis=basis), view(*answers))
    assert part.withheld == (() if sees else ("contact.name", "sales"))
    assert (part.customer == b"{}") is not sees


@pytest.mark.parametrize(
    "path", ["*", "sales", "contact.address.city", "contact.attributes.x.y", "score.model.version"]
)
def test_paths_into_a_view_are_known(path: str) -> None:
    assert known_field(path) == path


@pytest.mark.parametrize(
    "path", ["", "secret", "contact.", "contact.names", "sales.total.cents", "contact.attributes."]
)
def test_other_paths_are_not(path: str) -> None:
    with pytest.raises(ValueError, match="no field"):
        known_field(path)


def with_secrets() -> bytes:
    return written(
        ANNA, 3, NOW, take(NOTHING, contact(attributes={"kids": 2}, sensitive={"salary": 7, "religion": "x"}))
    )


def test_what_is_sensitive_is_seen_only_by_name() -> None:
    for fields in (("*",), ("contact",), ("*", "sales"), ("contact.attributes", "contact.name")):
        assert b"salary" not in allowed(policy(*fields), with_secrets()).customer
    for fields in (("*", "contact.sensitive"), ("contact", "contact.sensitive"), ("contact.sensitive",)):
        assert seen(policy(*fields), with_secrets())["contact"]["sensitive"] == {"salary": 7, "religion": "x"}
    for fields in (("*", "contact.sensitive.salary"), ("contact.sensitive.salary",)):
        assert seen(policy(*fields), with_secrets())["contact"]["sensitive"] == {"salary": 7}


def test_a_view_without_secrets_is_read_no_more_than_before() -> None:
    plain = view()
    assert allowed(policy("*"), plain).customer is plain
    assert without_secrets(view()) == view()
    assert orjson.loads(without_secrets(with_secrets()))["contact"]["attributes"] == {"kids": 2}


def test_words_that_look_like_secrets_change_nothing() -> None:
    odd = written(ANNA, 3, NOW, take(NOTHING, contact(name='"sensitive":{')))
    assert seen(policy("*"), odd) == orjson.loads(odd)
