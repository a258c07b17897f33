"""What a channel may see: named fields, and the customer's answer."""

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st

from services.sync.domain.known import NOTHING, written
from services.sync.domain.policy import (
    Basis,
    Policy,
    allowed,
    is_barred,
    known_field,
    standing_answer,
)
from services.sync.domain.sensitive import Sensitive
from services.sync.domain.view import take
from shared.consent import barred, standing
from shared.contracts.contacts import Contact
from shared.contracts.sync import CustomerView
from tests.sync.facts import ANNA, NOW, contact, day, interaction, order, score

SENSITIVE = Sensitive()


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
    return orjson.loads(allowed(policy, document, NOW, SENSITIVE).customer)


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
    assert allowed(policy("*"), view(), NOW, SENSITIVE).customer == view()
    CustomerView.model_validate_json(allowed(policy("*", basis="legitimate-interest"), view(), NOW, SENSITIVE).customer)


@pytest.mark.parametrize(
    ("basis", "answers", "sees"),
    [
        ("contract", [], True),
        ("contract", [("any", "denied")], True),
        ("consent", [], False),
        ("consent", [("any", "granted")], True),
        ("consent", [("any", "denied"), ("call-centre", "granted")], False),
        ("consent", [("any", "granted"), ("call-centre", "withdrawn")], False),
        ("consent", [("mail", "granted")], False),
        ("legitimate-interest", [], True),
        ("legitimate-interest", [("any", "withdrawn")], False),
    ],
)
def test_the_customers_answer_decides_as_far_as_the_basis_asks_for_it(
    basis: Basis, answers: list[tuple[str, str]], sees: bool
) -> None:
    part = allowed(policy("contact.name", "sales", basis=basis), view(*answers), NOW, SENSITIVE)
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
        assert b"salary" not in allowed(policy(*fields), with_secrets(), NOW, SENSITIVE).customer
    for fields in (("*", "contact.sensitive"), ("contact", "contact.sensitive"), ("contact.sensitive",)):
        assert seen(policy(*fields), with_secrets())["contact"]["sensitive"] == {"salary": 7, "religion": "x"}
    for fields in (("*", "contact.sensitive.salary"), ("contact.sensitive.salary",)):
        assert seen(policy(*fields), with_secrets())["contact"]["sensitive"] == {"salary": 7}


def test_a_view_without_secrets_goes_out_as_it_is_kept() -> None:
    plain = view()
    assert allowed(policy("*"), plain, NOW, SENSITIVE).customer is plain
    assert SENSITIVE.without(view()) == view()
    assert orjson.loads(SENSITIVE.without(with_secrets()))["contact"]["attributes"] == {"kids": 2}


def test_words_that_look_like_secrets_change_nothing() -> None:
    odd = written(ANNA, 3, NOW, take(NOTHING, contact(name='"sensitive":{')))
    assert seen(policy("*"), odd) == orjson.loads(odd)


moments = st.one_of(
    st.sampled_from([NOW - timedelta(days=1), NOW, NOW - timedelta(days=400)]),
    st.integers(0, 2 * 10**6).map(lambda microseconds: NOW - timedelta(microseconds=microseconds)),
)
ends = st.one_of(
    st.none(), st.just(NOW), st.integers(-(10**6), 10**6).map(lambda some: NOW + timedelta(microseconds=some))
)
words = st.sampled_from(["any", "mail", "e-mail"])
ANSWERS = st.fixed_dictionaries(
    {
        "purpose": st.sampled_from(["ads", "news"]),
        "channel": words,
        "status": st.sampled_from(["granted", "denied", "withdrawn"]),
        "given_at": moments,
        "source": st.just("/channels/x"),
        "valid_until": ends,
        "expired": st.booleans(),
    }
)
FORBIDDEN = st.fixed_dictionaries(
    {"channel": words, "reason": st.just("asked"), "since": moments, "until": ends, "source": st.just("desk")}
)


@given(st.lists(ANSWERS, max_size=6), st.lists(FORBIDDEN, max_size=4))
def test_json_is_judged_as_the_one_rule_for_all_services_judges(
    consents: list[dict[str, Any]], forbidden: list[dict[str, Any]]
) -> None:
    known = take(NOTHING, contact(consents=consents, do_not_contact=forbidden))
    told, read = Contact.model_validate_json(known.contact), orjson.loads(known.contact)
    for channel in ("any", "mail"):
        found = standing(told.consents, "ads", channel, NOW)
        assert standing_answer(read, "ads", channel, NOW) == (found and found.answer)
        assert is_barred(read, channel, NOW) is (barred(told.do_not_contact, channel, NOW) is not None)


def granted_until(until: datetime) -> bytes:
    answer = {"purpose": "service", "channel": "any", "status": "granted", "given_at": day(1), "source": "s"}
    return written(ANNA, 3, NOW, take(NOTHING, contact(consents=[{**answer, "valid_until": until}])))


def test_a_grant_that_has_run_out_is_none_though_nobody_has_told_it_yet() -> None:
    for basis, before, after in (("consent", False, True), ("legitimate-interest", False, False)):
        own = policy("*", basis=basis)  # type: ignore[arg-type]
        assert bool(allowed(own, granted_until(NOW + timedelta(microseconds=1)), NOW, SENSITIVE).withheld) is before
        assert bool(allowed(own, granted_until(NOW), NOW, SENSITIVE).withheld) is after


def forbidden_on(channel: str, **more: Any) -> bytes:
    entry = {"channel": channel, "reason": "asked", "since": day(1), "source": "desk", **more}
    return written(ANNA, 3, NOW, take(NOTHING, contact(do_not_contact=[entry])))


def test_do_not_contact_is_shown_and_hides_nothing_by_itself() -> None:
    for fields in (("*",), ("contact",), ("contact.do_not_contact",)):
        shown = seen(policy(*fields), forbidden_on("any"))["contact"]["do_not_contact"]
        assert [entry["reason"] for entry in shown] == ["asked"]
    assert seen(policy("contact.name"), forbidden_on("any")) == {"contact": {"name": "Name 1"}}


@pytest.mark.parametrize("basis", ["contract", "legitimate-interest", "consent"])
def test_who_must_not_be_approached_is_kept_back_from_a_channel_that_approaches(basis: Basis) -> None:
    agreed = {"purpose": "service", "channel": "any", "status": "granted", "given_at": day(1), "source": "s"}
    own = Policy(2, "service", basis, ("*",), "call-centre", approach=True)
    for channel, more, kept_back in (
        ("call-centre", {}, True),
        ("any", {"until": NOW + timedelta(seconds=1)}, True),
        ("any", {"until": NOW}, False),
        ("mail", {}, False),
    ):
        entry = {"channel": channel, "reason": "asked", "since": day(1), "source": "desk", **more}
        shown = written(ANNA, 3, NOW, take(NOTHING, contact(consents=[agreed], do_not_contact=[entry])))
        part = allowed(own, shown, NOW, SENSITIVE)
        assert (part.withheld, part.customer) == (("*",), b"{}") if kept_back else ((), shown)
    assert allowed(own, view(("any", "granted")), NOW, SENSITIVE).withheld == ()
