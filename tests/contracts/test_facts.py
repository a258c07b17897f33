"""The field types of all contracts: what they take, what they refuse, and in which words."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from deploy.schemas import facts
from shared.contracts.campaigns import CustomerSelected
from shared.contracts.channels import CancellationReported, InteractionReported, ReturnReported, SaleReported
from shared.contracts.fact import CURRENCIES, Fact
from shared.contracts.topics import ALL


def sale(**changes: Any) -> str:
    body = {
        "customer": [{"scheme": "north-pos", "value": "N-1"}],
        "order": "1",
        "ordered_at": "2017-01-28T19:06:53Z",
        "currency": "USD",
        "lines": [{"product": "p", "quantity": "1", "value": "3.86"}],
    }
    return json.dumps(body | changes)


def errors(body: str) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        SaleReported.model_validate_json(body)
    return {".".join(map(str, error["loc"])): error["type"] for error in caught.value.errors()}


def test_money_stays_exact_and_is_written_as_a_string() -> None:
    fact = SaleReported.model_validate_json(sale(lines=[{"product": "p", "quantity": "1", "value": "0.1"}]))
    assert fact.lines[0].value == Decimal("0.1")
    assert json.loads(fact.model_dump_json())["lines"][0]["value"] == "0.1"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-1", "1,50", "", "1e400", None, "1234567890123456789"])
def test_an_amount_is_a_plain_finite_number(value: str | None) -> None:
    assert "lines.0.value" in errors(sale(lines=[{"product": "p", "quantity": "1", "value": value}]))


@pytest.mark.parametrize("moment", ["9999-01-01T00:00:00Z", "1899-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00"])
def test_a_time_nobody_lives_in_is_implausible(moment: str) -> None:
    assert errors(sale(ordered_at=moment)) in (
        {"ordered_at": "implausible-time"},
        {"ordered_at": "datetime_from_date_parsing"},
    )


def test_a_clock_a_little_ahead_is_forgiven_and_two_days_are_not() -> None:
    now = datetime.now(UTC)
    SaleReported.model_validate_json(sale(ordered_at=(now + timedelta(hours=23)).isoformat()))
    assert errors(sale(ordered_at=(now + timedelta(days=2)).isoformat())) == {"ordered_at": "implausible-time"}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_deadline_that_no_calendar_has_in_utc_is_refused(moment: str) -> None:
    body = {
        "campaign_id": "c", "name": "n", "customer_id": "0190a5f0-7c1e-7b3a-9d52-6f1f0a3b2c4d", "arm": "control",
        "channel": "mail", "selected_at": "2017-10-01T00:00:00Z", "respond_until": moment,
    }  # fmt: skip
    with pytest.raises(ValidationError) as caught:
        CustomerSelected.model_validate_json(json.dumps(body))
    assert [error["type"] for error in caught.value.errors()] == ["implausible-time"]


def test_a_time_without_offset_is_refused() -> None:
    assert "ordered_at" in errors(sale(ordered_at="2017-01-28T19:06:53"))


@pytest.mark.parametrize("currency", ["EURO", "usd", "XXQ", ""])
def test_a_currency_is_an_iso_code(currency: str) -> None:
    assert errors(sale(currency=currency)) == {"currency": "wrong-currency"}


def test_someone_must_be_named() -> None:
    assert errors(sale(customer=[])) == {"customer": "missing-identifier"}


def test_unknown_fields_are_ignored_because_contracts_grow() -> None:
    assert SaleReported.model_validate_json(sale(colour="red")).order == "1"


def test_attributes_are_flat_and_few() -> None:
    body = {"customer": [{"scheme": "a", "value": "b"}], "kind": "call", "occurred_at": "2017-01-01T00:00:00Z"}
    for attributes in ({"a": {"b": 1}}, {f"a{i}": 1 for i in range(51)}, {"Not a code": 1}):
        with pytest.raises(ValidationError):
            InteractionReported.model_validate(body | {"attributes": attributes})


def test_what_comes_back_is_never_less_than_nothing() -> None:
    body = json.loads(sale(number="R-1", returned_at="2017-02-03T10:12:00Z"))
    ReturnReported.model_validate(body)
    line = body["lines"][0]
    for lines in ([], [line | {"value": "-1"}], [line | {"quantity": "-1"}]):
        with pytest.raises(ValidationError):
            ReturnReported.model_validate(body | {"lines": lines})


def test_not_more_is_restocked_than_came_back() -> None:
    body = json.loads(sale(number="R-1", returned_at="2017-02-03T10:12:00Z"))
    line = body["lines"][0] | {"quantity": "2"}
    assert ReturnReported.model_validate(body | {"lines": [line]}).lines[0].restocked == 0
    assert ReturnReported.model_validate(body | {"lines": [line | {"restocked": "2"}]}).lines[0].restocked == 2
    for wrong in ("2.000001", "-1"):
        with pytest.raises(ValidationError) as refused:
            ReturnReported.model_validate(body | {"lines": [line | {"restocked": wrong}]})
        assert [error["loc"] for error in refused.value.errors()] == [("lines", 0, "restocked")]


def test_a_cancellation_names_its_order_and_may_name_a_reason() -> None:
    body = json.loads(sale(cancelled_at="2017-02-03T10:12:00Z"))
    assert CancellationReported.model_validate(body).reason is None
    assert CancellationReported.model_validate(body | {"reason": "out-of-stock"}).reason == "out-of-stock"
    wrong = [("reason", "No reason"), ("order", ""), ("cancelled_at", "9999-01-01T00:00:00Z")]
    for name, value in wrong:
        with pytest.raises(ValidationError):
            CancellationReported.model_validate(body | {name: value})


def test_a_fact_cannot_be_changed() -> None:
    fact = SaleReported.model_validate_json(sale())
    with pytest.raises(ValidationError):
        fact.order = "2"  # type: ignore[misc]


@pytest.mark.parametrize("fact", list(facts()), ids=lambda fact: fact.TYPE)
def test_every_fact_has_a_type_of_the_form_and_says_when_it_is_true(fact: type[Fact]) -> None:
    crm, aggregate, happened, version = fact.TYPE.split(".")
    assert (crm, version) == ("crm", "v1")
    assert aggregate
    assert happened
    assert fact.__doc__ is not None
    assert "." in fact.__doc__


def test_a_type_is_on_one_topic_only() -> None:
    types = [name for topic in ALL for name in topic.types]
    assert len(types) == len(set(types))


def test_the_currencies_are_three_letters_each() -> None:
    assert all(len(code) == 3 and code.isupper() for code in CURRENCIES)
