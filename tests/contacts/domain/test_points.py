"""How a customer can be reached: what is kept of it, how it is understood, and which is preferred."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.contacts.domain.points import MAX_POINTS
from services.contacts.domain.survivorship import (
    Known,
    Statement,
    fold,
    newcomer,
    revise,
    statement,
)
from shared.contracts.channels import Address, ContactReported
from shared.contracts.contacts import Contact
from shared.contracts.fact import Identifier
from shared.ids import uuid7

START = datetime(2026, 1, 2, tzinfo=UTC)
ANN = uuid7(START)
BONN = {"lines": ["Markt 1"], "postal_code": "53111", "city": "Bonn", "country": "DE"}


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def report(hours: float, *, given: set[str] | None = None, **fields: Any) -> Statement:
    card = [Identifier(scheme="card", value="1")]
    return statement(ContactReported(customer=card, reported_at=at(hours), **fields), "/channels/shop", given=given)


def told(*statements: Statement, country: str | None = None) -> Known:
    known = newcomer(ANN, START)
    for one in statements:
        known = fold(known, one, country)
    return known


def contact(*statements: Statement, country: str | None = None) -> Contact:
    return told(*statements, country=country).contact


def test_a_number_keeps_what_was_typed_what_was_understood_and_where_it_came_from() -> None:
    (phone,) = contact(report(1, phones=[{"typed": "0228 / 123456", "country": "DE", "purpose": "home"}])).phones
    assert (phone.typed, phone.understood, phone.verdict, phone.reason) == (
        "0228 / 123456",
        "+49228123456",
        "valid",
        "ok",
    )
    assert (phone.purpose, phone.source, phone.said_at) == ("home", "/channels/shop", at(1))


def test_what_is_doubtful_is_kept_with_its_verdict() -> None:
    found = contact(report(1, phones=[{"typed": "ask Bob"}], emails=[{"typed": "a@gmial.com"}, {"typed": "a at b"}]))
    assert [(one.typed, one.verdict) for one in found.phones] == [("ask Bob", "invalid")]
    assert {(one.typed, one.verdict, one.suggestion) for one in found.emails} == {
        ("a@gmial.com", "doubtful", "a@gmail.com"),
        ("a at b", "invalid", None),
    }


def test_the_same_one_said_again_is_brought_up_to_date_and_another_purpose_is_another() -> None:
    found = contact(
        report(1, phones=[{"typed": "+49 228 123456", "purpose": "home"}]),
        report(2, phones=[{"typed": "0049228123456", "purpose": "home", "valid_until": at(9)}]),
        report(3, phones=[{"typed": "+49228123456", "purpose": "work"}]),
    )
    assert [(one.purpose, one.typed, one.valid_until) for one in found.phones] == [
        ("work", "+49228123456", None),
        ("home", "0049228123456", at(9)),
    ]


def test_a_number_without_its_country_is_understood_as_soon_as_the_address_is_known() -> None:
    number, address = report(1, phones=[{"typed": "0228 123456"}]), report(2, address=BONN)
    assert contact(number).phones[0].reason == "no-country"
    for order in ((number, address), (address, number)):
        (phone,) = contact(*order).phones
        assert (phone.understood, phone.verdict, phone.reason) == ("+49228123456", "plausible", "country-assumed")
    assert contact(number, country="DE").phones[0].understood == "+49228123456"


def test_the_preferred_one_is_as_said_else_chosen() -> None:
    listed = report(1, phones=[{"typed": "+49 228 123456"}], emails=[{"typed": "A@b.de"}], addresses=[{"typed": BONN}])
    chosen = told(listed)
    assert (chosen.contact.phone, chosen.contact.email) == ("+49228123456", "a@b.de")
    assert chosen.contact.address == Address.model_validate(BONN)
    assert chosen.chosen == {"phone", "email", "address"}
    said = told(listed, report(0, phone="+4930123456"))
    assert (said.contact.phone, said.chosen) == ("+4930123456", frozenset({"email", "address"}))


@pytest.mark.parametrize(
    "better",
    [
        {"typed": "+49 228 654321", "purpose": "home"},
        {"typed": "+49 228 654321", "valid_from": at(1)},
    ],
)
@pytest.mark.parametrize(
    "worse",
    [
        {"typed": "+49 228 123456", "purpose": "billing"},
        {"typed": "+49 228 123456", "valid_until": at(99)},
        {"typed": "+49 228 123456", "valid_from": at(99)},
        {"typed": "+49 10 23456789"},
        {"typed": "12"},
    ],
)
def test_the_preferred_one_lasts_is_valid_and_not_for_one_task(better: dict[str, Any], worse: dict[str, Any]) -> None:
    assert contact(report(2, phones=[better]), report(3, phones=[worse])).phone == "+49228654321"


def test_the_latest_said_of_equals_is_preferred() -> None:
    first, second = ([{"typed": f"+49 228 12345{n}"}] for n in (6, 7))
    assert contact(report(2, phones=second), report(1, phones=first)).phone == "+49228123457"


def test_what_was_removed_does_not_come_back_until_it_is_said_again() -> None:
    listed, removed = report(1, emails=[{"typed": "a@b.de"}]), report(2, given={"email"})
    assert contact(listed, removed).email is None
    assert contact(listed, removed, report(3, emails=[{"typed": "a@b.de"}])).email == "a@b.de"


def test_a_name_is_made_of_its_parts_where_nobody_has_said_it_whole() -> None:
    parts = report(1, name_parts={"title": "Dr.", "given": "Ann", "particles": "van", "family": "Lee"})
    assert contact(parts).name == "Dr. Ann van Lee"
    assert contact(parts, report(0, name="Ann Lee")).name == "Ann Lee"
    long = report(1, name_parts={"given": "x" * 200, "family": "y" * 200})
    assert len(contact(long).name or "") == 200


def test_interests_and_preferences_have_each_a_time_of_their_own() -> None:
    found = contact(
        report(2, interests={"garden": True}, preferences={"salutation": "Du"}),
        report(1, interests={"garden": False, "tools": True, "pets": False}, preferences={"calls": False}),
        report(3, interests={"pets": None}),
    )
    assert found.interests == {"garden": True, "tools": True}
    assert found.preferences == {"calls": False, "salutation": "Du"}


def test_beyond_the_limit_the_longest_unsaid_give_way() -> None:
    reports = [report(n, emails=[{"typed": f"a{n}@b.de"}]) for n in range(MAX_POINTS + 3)]
    emails = contact(*reports[5:], *reports[:5]).emails
    assert [one.typed for one in emails] == [f"a{n}@b.de" for n in reversed(range(3, MAX_POINTS + 3))]


def test_what_is_new_is_told_by_its_name() -> None:
    before = told(report(1, name="Ann"))
    _, changed = revise(before, fold(before, report(2, phones=[{"typed": "+49 228 123456"}], owner="eve")), at(3))
    assert changed == ["phone", "owner", "phones"]
