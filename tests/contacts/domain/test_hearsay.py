"""How far a form's word carries: in no order of arrival, by no rule and by no merge before anybody else's."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from services.contacts.domain.hearsay import CLAIMED, MOST_LEADS, names_of_leads, only_a_lead, place_of, reached_at
from services.contacts.domain.merging import Merge, merged, together
from services.contacts.domain.points import MAX_POINTS
from services.contacts.domain.ruling import Rule, Rules
from services.contacts.domain.survivorship import NO_RULES, Known, Statement, fold, newcomer
from shared.contracts.contacts import Consent, Email, Phone
from shared.contracts.fact import Identifier
from shared.ids import uuid7

NOW = datetime(2026, 1, 2, tzinfo=UTC)
FORM, SHOP = "/forms/web", "/channels/shop"
LEAD = Identifier(scheme="form", value="mallory@evil.example")
CARD = Identifier(scheme="card", value="7")
RULES: list[Rules] = [
    NO_RULES,
    {"name": Rule(rule="most-complete"), "attributes.size": Rule(rule="source-priority", sources=(SHOP,), days=1)},
    {"name": Rule(rule="source-priority", sources=("/channels/erp",), days=1)},
]


def said(source: str, day: int, **what: Any) -> Statement:
    return Statement(source, NOW + timedelta(days=day), **what)


def email(source: str, typed: str, day: int = 0) -> Email:
    at = NOW + timedelta(days=day)
    return Email(
        typed=typed, purpose="any", understood=typed, verdict="valid", reason="well-formed", source=source, said_at=at
    )


def number(source: str, last: int, day: int = 0) -> Phone:
    typed, at = f"+4930123456{last:02}", NOW + timedelta(days=day)
    return Phone(
        typed=typed, purpose="any", understood=typed, verdict="valid", reason="well-formed", source=source, said_at=at
    )


def of(*told: Statement, rules: Rules = NO_RULES, name: str | None = None) -> Known:
    known = newcomer(name or uuid7(NOW), NOW)
    for one in told:
        known = fold(known, one, None, rules)
    return known


def one_of(survivor: Known, absorbed: Known, rules: Rules = NO_RULES) -> Known:
    root, other = survivor.contact.customer_id, absorbed.contact.customer_id
    merge = Merge(uuid7(NOW), root, other, NOW, "/keys/1")
    return together(root, merged({root: survivor, other: absorbed}, merge), None, rules)


@pytest.mark.parametrize("rules", RULES)
def test_a_form_yields_to_whatever_anybody_else_says_and_whenever(rules: Rules) -> None:
    told = [
        said(SHOP, 0, fields={"name": "Ann", "language": "de"}, attributes={"size": 4}),
        said(
            FORM, 9, fields={"name": "Mallory van Evil", "language": "pl", "party": "household"}, attributes={"size": 9}
        ),
        said(FORM, 2, fields={"name": "Mallory", "time_zone": "Europe/Paris"}, attributes={"size": 8, "hat": 1}),
    ]
    for order in permutations(told):
        contact = of(*order, rules=rules).contact
        assert (contact.name, contact.language, contact.attributes) == ("Ann", "de", {"hat": 1, "size": 4})
        assert contact.time_zone == "Europe/Paris"


@pytest.mark.parametrize("rules", RULES)
def test_of_a_merge_the_forms_word_is_the_last_whoever_survives(rules: Rules) -> None:
    ann = of(said(SHOP, 0, fields={"name": "Ann"}, attributes={"size": 4}, identifiers=[CARD]), rules=rules)
    reached: dict[str, list[Any]] = {"emails": [email(FORM, LEAD.value, 9)], "phones": [number(FORM, 1, 9)]}
    told = said(
        FORM, 9, fields={"name": "Mallory van Evil"}, attributes={"size": 9}, identifiers=[LEAD], points=reached
    )
    lead = of(told, rules=rules)
    assert (lead.contact.email, lead.contact.phone) == (LEAD.value, reached["phones"][0].typed)
    for pair in ((ann, lead), (lead, ann)):
        person = one_of(*pair, rules).contact
        assert (person.name, person.attributes) == ("Ann", {"size": 4})
        assert (person.email, person.phone) == (None, None)
        assert [one.typed for one in person.emails] == [LEAD.value], "kept, to be looked at"


def test_two_leads_that_a_person_merges_are_still_reached() -> None:
    other = Identifier(scheme="form", value="ann@b.de")
    first = of(said(FORM, 0, identifiers=[other], points={"emails": [email(FORM, "ann@b.de")]}))
    second = of(said(FORM, 1, identifiers=[LEAD], points={"phones": [number(FORM, 1)]}))
    both = one_of(first, second).contact
    assert (both.email, both.phone) == ("ann@b.de", number(FORM, 1).typed)


def test_somebody_without_any_identifier_is_not_reached_by_a_forms_word_either() -> None:
    ann = of(said("/keys/1", 0, fields={"name": "Ann"}))
    lead = of(said(FORM, 1, identifiers=[LEAD], points={"emails": [email(FORM, LEAD.value)]}))
    assert one_of(ann, lead).contact.email is None
    assert one_of(lead, ann).contact.email is None


def test_once_more_is_known_of_a_lead_what_the_form_said_is_kept_and_not_used() -> None:
    lead = of(said(FORM, 0, identifiers=[LEAD], points={"phones": [number(FORM, 1)]}))
    assert (lead.contact.phone, only_a_lead(lead.contact)) == (number(FORM, 1).typed, True)
    known = fold(lead, said(SHOP, 1, identifiers=[CARD]))
    assert (known.contact.phone, only_a_lead(known.contact)) == (None, False)
    assert [one.typed for one in known.contact.phones] == [number(FORM, 1).typed]


def test_what_is_somebodys_already_is_kept_with_a_lead_and_not_used() -> None:
    claimed = number(FORM, 1).model_copy(update={"purpose": CLAIMED})
    lead = of(said(FORM, 0, identifiers=[LEAD], points={"phones": [claimed]}))
    assert (lead.contact.phone, [one.typed for one in lead.contact.phones]) == (None, [claimed.typed])
    assert only_a_lead(lead.contact)


def test_a_form_takes_no_number_for_its_own_and_pushes_none_out() -> None:
    own = [number(SHOP, last) for last in range(MAX_POINTS)]
    known = of(said(SHOP, 0, identifiers=[CARD], points={"phones": own}))
    again: Iterable[Phone] = [number(FORM, last, 9) for last in (0, *range(50, 60))]
    after = fold(known, said(FORM, 9, points={"phones": list(again)}))
    assert after.contact.phones == known.contact.phones


def test_a_forms_attributes_push_no_others_out() -> None:
    own = {f"a{n}": n for n in range(50)}
    known = of(said(SHOP, 0, attributes=own), said(FORM, 9, attributes={"z1": 1, "z2": 2}))
    assert known.contact.attributes == own


def test_leads_of_one_address_are_known_by_names_of_their_own() -> None:
    longest = Identifier(scheme="email", value="x" * 250 + "@b.de")
    for given in (longest, Identifier(scheme="email", value="Ann@b.de")):
        names = [str(one) for one in names_of_leads(given)]
        assert len(set(names)) == MOST_LEADS
        assert names[0] == f"form:{given.value}"


@pytest.mark.parametrize(
    ("scheme", "typed", "meant"),
    [
        ("email", "mailto:Ann@b.de", "ann@b.de"),
        ("email", "\uff21nn@b.de", "ann@b.de"),
        ("email", "mar\u212a@b.de", "mark@b.de"),
        ("email", "Ann@localhost", "ann@localhost"),
        ("email", "\u0130" * 64 + "@" + "b" * 190, None),
        ("phone", "+49 (0) 30 12345678", "+493012345678"),
        ("phone", "+4903012345678", "+493012345678"),
    ],
)
def test_an_address_is_the_same_however_it_is_typed(scheme: str, typed: str, meant: str | None) -> None:
    found = place_of(scheme, typed)
    assert found.value == (meant or typed)
    assert names_of_leads(found)[0].value == found.value


def test_only_others_than_forms_say_that_somebody_is_reached_at_an_address() -> None:
    place, ours = Identifier(scheme="email", value="ann@b.de"), {"identifiers": [CARD]}
    told = said(SHOP, 0, points={"emails": [email(SHOP, "Ann@b.de")]}, **ours)
    assert reached_at(of(told).contact, place)
    assert reached_at(of(said(SHOP, 0, fields={"email": "ANN@b.de"}, **ours)).contact, place)
    assert not reached_at(of(said(FORM, 0, points={"emails": [email(FORM, "ann@b.de")]}, **ours)).contact, place)
    lead = of(said(FORM, 0, identifiers=[LEAD], points={"emails": [email(FORM, "ann@b.de")]}))
    assert (lead.contact.email, reached_at(lead.contact, place)) == ("ann@b.de", False)


def test_a_yes_by_a_form_does_not_come_in_with_a_lead_whose_address_is_not_used_and_a_no_does() -> None:
    yes = Consent(purpose="ads", channel="any", status="granted", given_at=NOW, source=FORM)
    no = yes.model_copy(update={"purpose": "news", "status": "withdrawn", "source": "/preferences"})
    ann = of(said(SHOP, 0, fields={"name": "Ann"}, identifiers=[CARD]))
    lead = of(said(FORM, 1, identifiers=[LEAD], points={"emails": [email(FORM, LEAD.value)]}, consents=[yes, no]))
    for pair in ((ann, lead), (lead, ann)):
        assert [one.purpose for one in one_of(*pair).contact.consents] == ["news"]
    proven = fold(lead, said(FORM, 2, identifiers=[], fields={"email": LEAD.value}))
    assert [one.purpose for one in one_of(ann, proven).contact.consents] == ["ads", "news"]
    other = of(said(FORM, 0, identifiers=[Identifier(scheme="form", value="ann@b.de")]))
    assert [one.purpose for one in one_of(other, lead).contact.consents] == ["ads", "news"]
