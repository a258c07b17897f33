"""What a form on the web may say of a lead of before, and how to reach them."""

from datetime import UTC, datetime, timedelta

import pytest

from services.contacts.domain.forms import as_hearsay, places, said_again
from services.contacts.domain.hearsay import CLAIMED
from services.contacts.domain.points import MAX_POINTS, points
from services.contacts.domain.survivorship import Statement, fold, newcomer
from shared.contracts.channels import Address, AddressClaim, ConsentClaim, ContactReported, PhoneClaim
from shared.contracts.contacts import Consent
from shared.contracts.fact import Identifier
from shared.ids import uuid7

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_a_form_fills_what_is_empty_and_replaces_nothing_also_not_what_is_sensitive() -> None:
    held = newcomer(uuid7(NOW), NOW).contact.model_copy(
        update={"name": "Ann", "attributes": {"size": 4}, "sensitive": {"wage": 3000}}
    )
    report = ContactReported(
        customer=[Identifier(scheme="email", value="ann@b.de")],
        reported_at=NOW,
        name="Mallory",
        stage="lead",
        language="de",
        attributes={"size": 9, "wage": 1, "hat": 38, "lead-source": "fair"},
    )
    left = said_again(report, held)
    assert (left.name, left.stage, left.language) == (None, None, "de")
    assert left.attributes == {"hat": 38, "lead-source": "fair"}


@pytest.mark.parametrize(("refused", "ticked"), [("email", "email"), ("any", "email"), ("email", "any")])
def test_a_form_opens_nothing_that_the_customer_has_refused_not_by_a_yes_on_every_channel_either(
    refused: str, ticked: str
) -> None:
    no = Consent(purpose="news", channel=refused, status="withdrawn", given_at=NOW, source="/channels/shop")
    held = newcomer(uuid7(NOW), NOW).contact.model_copy(update={"consents": [no]})
    yes = ConsentClaim(purpose="news", channel=ticked, status="granted", given_at=NOW + timedelta(days=1))
    other = yes.model_copy(update={"purpose": "events"})
    who = [Identifier(scheme="email", value="ann@b.de")]
    report = ContactReported(customer=who, reported_at=NOW, consents=[yes, other])
    assert said_again(report, held).consents == [other]


def test_how_to_reach_somebody_is_kept_in_lists_and_never_as_the_customers_own() -> None:
    who = [Identifier(scheme="email", value="ann@b.de")]
    place = Address(lines=["Hauptstr. 12"], city="Bonn")
    report = ContactReported(
        customer=who, reported_at=NOW, email="Ann@b.de", phone="+493012345678", address=place, name="Ann"
    )
    told = as_hearsay(report, {"phone"})
    assert (told.email, told.phone, told.address, told.name) == (None, None, None, "Ann")
    lists = (told.emails, told.phones, told.addresses)
    assert [one.typed for [one] in lists] == ["Ann@b.de", "+493012345678", place]
    assert [one.purpose for [one] in lists] == ["any", CLAIMED, "any"]
    reached = newcomer(uuid7(NOW), NOW).contact.model_copy(update={"email": "first@b.de"})
    assert as_hearsay(report, (), reached).emails[0].purpose == CLAIMED, "the first stays preferred"
    full = reached.model_copy(update={"phones": [None] * MAX_POINTS})
    assert as_hearsay(report, (), full).phones == [], "and is not pushed out"
    assert [str(one) for one in places(report)] == ["email:ann@b.de", "phone:+493012345678"]
    assert [str(one) for one in places(report.model_copy(update={"email": None}))] == ["phone:+493012345678"]


def test_what_is_said_once_more_however_it_is_typed_stays_as_it_was_said_first() -> None:
    who, place = [Identifier(scheme="email", value="ann@b.de")], Address(city="Bonn")
    report = ContactReported(customer=who, reported_at=NOW, email="Ann@b.de", phone="+493012345678", address=place)
    first = points(as_hearsay(report, ()), "/forms/news", NOW)
    held = newcomer(uuid7(NOW), NOW).contact.model_copy(update=dict(first) | {"email": "ann@b.de"})
    again = as_hearsay(report.model_copy(update={"email": "mailto:ANN@b.de"}), ("phone",), held)
    assert (again.emails, again.phones, again.addresses[1:]) == ([], [], [])
    nobodys = as_hearsay(report, (), held.model_copy(update={"email": None}))
    assert [one.purpose for one in nobodys.emails] == ["any"], "whose it was may be gone by now"


def test_a_number_that_nobody_understands_yet_is_not_used_when_somebody_does() -> None:
    """Else a place that is said later would make it a customer's number, which nobody has asked after."""
    who = [Identifier(scheme="email", value="mallory@evil.example")]
    report = ContactReported(customer=who, reported_at=NOW, email=who[0].value, phones=[PhoneClaim(typed="030 123456")])
    told = points(as_hearsay(report, ()), "/forms/news", NOW)
    lead = Identifier(scheme="form", value=who[0].value)
    where = {"addresses": [AddressClaim(typed=Address(city="Berlin", country="DE"))]}
    address = points(report.model_copy(update=where), "/forms/news", NOW)["addresses"]
    known = fold(
        newcomer(uuid7(NOW), NOW),
        Statement("/forms/news", NOW, identifiers=[lead], points={**told, "addresses": address}),
    )
    assert [one.understood for one in known.contact.phones] == ["+4930123456"]
    assert (known.contact.email, known.contact.phone) == (who[0].value, None)
