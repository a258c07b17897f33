"""What of a contact is compared with others."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.contacts.domain.matching.record import MOST_KEYS, Record, beside, record_of
from shared.contracts.channels import Address, NameParts
from shared.contracts.contacts import Contact, Email, Phone, PostalAddress

NOW = datetime(2026, 1, 2, tzinfo=UTC)
BERLIN = Address(lines=["c/o Miller", "Hauptstr. 12a"], postal_code="10115", city="Berlin", country="DE")
POINT: dict[str, Any] = {"purpose": "any", "verdict": "valid", "reason": "ok", "source": "s", "said_at": NOW}


def contact(party: Any = "person", **fields: Any) -> Contact:
    base = {"customer_id": "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b", "version": 1, "stage": "lead", "identifiers": []}
    return Contact(**base, party=party, registered_at=NOW, changed_at=NOW, **fields)


def said(of: Contact) -> dict[str, str]:
    record = record_of(of)
    return {one.name: value for one, value in zip(record.fields, record.values, strict=True) if value}


def test_a_person_is_their_name_in_parts_address_and_what_attributes_are_called() -> None:
    attributes = {"birthdate": "29.02.1980", "passport": "X 12-34", "leisure": "golf 18", "vat": True, "iban": "none"}
    found = said(contact(name="Dr. Ann van der Berg Jr.", address=BERLIN, attributes=attributes, phone="+493012345678"))
    assert found == {
        "given name": "ann", "family name": "van der berg", "suffix of the name": "jr", "date of birth": "19800229",
        "street": "haupt street", "house number": "12a", "postcode": "10115", "city": "berlin",
        "phone": "12345678", "identifier": "passport x1234",
    }  # fmt: skip


def test_parts_of_a_name_are_taken_as_said() -> None:
    parts = NameParts(given="Maria Luisa", particles="de la", family="Cruz", suffix="PhD")
    assert said(contact(name="M. Cruz", name_parts=parts)) == {"given name": "maria luisa", "family name": "de la cruz"}


def test_organisations_and_households_have_one_name() -> None:
    assert said(contact("organisation", name="Müller & Söhne GmbH")) == {"organisation": "muller sohne|gmbh"}
    assert said(contact("household", name="The Müllers")) == {"name": "the mullers"}


@pytest.mark.parametrize(
    "fields", [{}, {"name": "unknown"}, {"name": "?"}, {"address": Address()}, {"attributes": {"dob": "soon"}}]
)
def test_who_says_nothing_is_an_empty_record_without_keys(fields: dict[str, Any]) -> None:
    record = record_of(contact(**fields))
    assert record.empty
    assert record.keys == []


def test_keys_are_of_one_kind_of_party_and_never_too_many() -> None:
    same = {"name": "Ann Lee", "phone": "+493012345678", "address": BERLIN}
    assert not {*record_of(contact(**same)).keys} & {*record_of(contact("household", **same)).keys}
    many = contact(
        name="Ann Beth Cleo Dora Eve Fay Lee",
        phones=[Phone(typed=f"030 12345{n:02}", **POINT) for n in range(10)],
        emails=[Email(typed=f"ann{n}@lee.example", **POINT) for n in range(10)],
        addresses=[
            PostalAddress(typed=Address(lines=[f"Street{n} {n}"], postal_code=f"1{n}", city=f"Town {n}"), **POINT)
            for n in range(10)
        ],
    )
    assert 40 < len(record_of(many).keys) <= MOST_KEYS


def numbered(*phones: str, places: tuple[Any, ...] = (), identifiers: tuple[str, ...] = ()) -> Record:
    first = {"phone": phones[0] if phones else "", "identifier": identifiers[0] if identifiers else ""}
    names = ("street", "house number", "postcode", "city")
    first |= dict(zip(names, places[0], strict=True)) if places else {}
    fields = record_of(contact()).fields
    values = tuple(first.get(one.name, "") for one in fields)
    return Record("person", values, phones=phones, identifiers=identifiers, places=places)


def seen(one: Record, other: Record) -> list[dict[str, str]]:
    return [
        {field.name: value for field, value in zip(one.fields, values, strict=True) if value}
        for values in beside(one, other)
    ]


def test_beside_each_other_two_are_seen_with_what_they_share() -> None:
    assert seen(numbered("1", "2"), numbered("3", "2")) == [{"phone": "2"}] * 2
    assert seen(numbered("1", "2"), numbered("3", "4")) == [{"phone": "1"}, {"phone": "3"}]
    assert seen(numbered(), numbered("3")) == [{}, {"phone": "3"}]
    here, there, near = (
        ("high", "1", "10115", "berlin"),
        ("low", "2", "20095", "hamburg"),
        ("low", "3", "20095", "hamburg"),
    )
    left, right = seen(numbered(places=(here, there)), numbered(places=(near,)))
    assert (left["house number"], right["house number"], left["city"]) == ("2", "3", "hamburg")


def test_a_passport_says_nothing_of_a_tax_number() -> None:
    passport, other, tax = "passport x1", "passport x2", "vat de1"
    assert seen(numbered(identifiers=(passport,)), numbered(identifiers=(tax,))) == [{}, {}]
    both = seen(numbered(identifiers=(tax, passport)), numbered(identifiers=(other,)))
    assert both == [{"identifier": passport}, {"identifier": other}]
    assert seen(numbered(identifiers=(tax, passport)), numbered(identifiers=(other, tax))) == [{"identifier": tax}] * 2
