"""Rules say what they mean, and a wrong rule says where it is wrong."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from services.campaigns.domain.fields import FAMILIES, FIELDS, find, reader
from services.campaigns.domain.meaning import predicate
from services.campaigns.domain.profile import Profile, fold
from services.campaigns.domain.rules import MAX_DEPTH, MAX_PARTS, RULE, written
from shared.contracts.fact import Fact
from tests.campaigns.facts import contact, day, order
from tests.campaigns.questions import Question, questions
from tests.campaigns.shopper import ANN, FALSE, NOW, SHOPPER, TRUE


def holds(question: Question, *facts: Fact) -> bool:
    profile = Profile(ANN)
    for fact in facts or SHOPPER:
        fold(profile, fact)
    return predicate(RULE.validate_python(question), NOW)(profile)


@pytest.mark.parametrize(("field", "operator", "operand"), TRUE)
def test_a_condition_holds_for_a_customer_it_describes(field: str, operator: str, operand: object) -> None:
    assert holds({"field": field, operator: operand})


@pytest.mark.parametrize(("field", "operator", "operand"), FALSE)
def test_a_condition_does_not_hold_for_a_customer_it_does_not_describe(
    field: str, operator: str, operand: object
) -> None:
    assert not holds({"field": field, operator: operand})


def test_conditions_are_combined() -> None:
    yes, no = {"field": "sales.orders", "is": 2}, {"field": "sales.orders", "is": 3}
    assert holds({"all": [yes, {"any": [no, yes]}, {"not": no}]})
    assert not holds({"all": [yes, no]})
    assert not holds({"any": [no, {"not": yes}]})


def test_whoever_has_never_bought_has_zero_orders_and_no_last_order() -> None:
    assert holds({"all": [{"field": "sales.orders", "is": 0}, {"field": "sales.total", "at_most": 0}]}, contact(ANN, 1))
    assert holds({"not": {"field": "sales.last_order_at", "days_ago_at_most": 365}}, contact(ANN, 1))
    assert not holds({"field": "sales.last_order_at", "days_ago_at_least": 365}, contact(ANN, 1))


def test_days_ago_are_counted_from_the_moment_of_asking() -> None:
    asked = RULE.validate_python({"field": "sales.last_order_at", "days_ago_at_most": 30})
    profile = Profile(ANN)
    fold(profile, order(1, ANN, day(70)))
    assert predicate(asked, NOW)(profile)
    assert not predicate(asked, NOW + timedelta(milliseconds=1))(profile)


@given(questions)
def test_a_rule_reads_back_as_it_was_written(question: Question) -> None:
    rule = RULE.validate_python(question)
    again = RULE.validate_python(written(rule))
    assert again == rule
    assert written(again) == written(rule)


@pytest.mark.parametrize(
    ("question", "place", "said"),
    [
        ({"field": "score.sgment", "is": "gone"}, ("field",), "no such field"),
        ({"field": "contact.attributes.Bad Code", "is": 1}, ("field",), "no such field"),
        ({"field": ["x"], "is": 1}, ("field",), "no such field"),
        ({"field": "score.segment", "is": "goner"}, ("is",), "one of new, valuable"),
        ({"field": "score.segment", "in": ["gone", "x"]}, ("in",), "one of new, valuable"),
        ({"field": "score.segment", "at_least": 1}, ("at_least",), "text field can be asked for is, in, exists"),
        ({"field": "sales.total", "before": "2017-01-01T00:00:00Z"}, ("before",), "money field"),
        ({"field": "sales.total", "at_least": "ten"}, ("at_least",), "decimal"),
        ({"field": "sales.orders", "at_least": "3"}, ("at_least",), "number"),
        ({"field": "sales.orders", "at_least": float("nan")}, ("at_least",), "number"),
        ({"field": "sales.orders", "is": 2**63}, ("is",), "number"),
        ({"field": "sales.last_order_at", "before": "2017-01-01T00:00:00"}, ("before",), "timezone"),
        ({"field": "sales.last_order_at", "days_ago_at_least": -1}, ("days_ago_at_least",), "greater"),
        ({"field": "contact.attributes.a", "is": {"$gt": ""}}, ("is",), "number"),
        ({"field": "contact.attributes.a", "is": "x" * 257}, ("is",), "256"),
        ({"field": "contact.attributes.a", "is": "\ud800"}, ("is",), "valid string"),
        ({"field": "contact.city", "in": ["\ud800"]}, ("in", 0), "valid string"),
        ({"field": "sales.total"}, (), "exactly one of"),
        ({"field": "sales.total", "at_least": 1, "at_most": 2}, (), "exactly one of"),
        ({"field": "contact.city", "is": None}, (), "exactly one of"),
        ({"field": "do-not-contact@mail", "is": "yes"}, ("is",), "valid boolean"),
        ({"field": "do-not-contact@mail", "exists": True}, ("exists",), "flag field can be asked for is"),
        ({"field": "do-not-contact.mail", "is": True}, ("field",), "no such field"),
        ({"field": "consent.marketing@mail", "is": "lapsed"}, ("is",), "one of granted, denied, withdrawn, expired"),
        ({"all": []}, ("all",), "at least 1"),
        ({"all": [{"field": "sales.total", "exists": True}], "any": []}, ("any",), "Extra"),
        ({"any": [{"not": {"field": "nope", "is": 1}}]}, ("any", 0, "not", "field"), "no such field"),
        ({}, ("field",), "no such field"),
        ([], (), "a rule is an object"),
        ("$where", (), "a rule is an object"),
    ],
)
def test_a_wrong_rule_is_refused_and_the_place_is_named(question: Any, place: tuple[str | int, ...], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        RULE.validate_python(question)
    error = refused.value.errors()[0]
    assert error["loc"] == place
    assert said in error["msg"]


def test_rules_too_deep_or_too_large_are_refused_before_they_are_read() -> None:
    deep: Any = {"field": "sales.orders", "is": 1}
    for _ in range(5000):
        deep = {"not": deep}
    large = {"any": [{"field": "sales.orders", "is": n} for n in range(MAX_PARTS)]}
    for question in (deep, large):
        with pytest.raises(ValidationError, match=f"at most {MAX_PARTS} parts in {MAX_DEPTH} levels"):
            RULE.validate_python(question)


def test_every_field_can_be_found_and_read() -> None:
    names = [*FIELDS, *(family.name for family in FAMILIES)]
    for name in names:
        for placeholder in ("<code>", "<purpose>", "<channel>", "<kind>"):
            name = name.replace(placeholder, "a.b-c")  # noqa: PLW2901 - filled in step by step
        assert find(name) is not None
        assert reader(name, NOW)(Profile(ANN)) in (None, 0)
