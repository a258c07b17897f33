"""The latest said holds, for any order and repetition of the reports."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from services.contacts.domain import points, ruling, standing
from services.contacts.domain.ruling import Rules
from services.contacts.domain.survivorship import (
    MAX_CONSENTS,
    MAX_IDENTIFIERS,
    NO_RULES,
    Known,
    Statement,
    TooManyConsents,
    fold,
    newcomer,
    revise,
    statement,
)
from shared.contracts.channels import (
    Address,
    AddressClaim,
    ConsentClaim,
    ContactReported,
    EmailClaim,
    NameParts,
    PhoneClaim,
)
from shared.contracts.contacts import Consent, Contact
from shared.contracts.fact import Identifier
from shared.ids import uuid7
from tests.contacts.domain.test_ruling import RULES, SOURCES

START = datetime(2026, 1, 2, tzinfo=UTC)
ANN = uuid7(START)
CARD = [Identifier(scheme="card", value="1")]


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def report(hours: float, **fields: Any) -> Statement:
    return statement(ContactReported(customer=CARD, reported_at=at(hours), **fields), "/channels/shop")


def told(*statements: Statement, rules: Rules = NO_RULES) -> Known:
    known = newcomer(ANN, START)
    for one in statements:
        known = fold(known, one, rules=rules)
    return known


def test_a_later_report_overwrites_and_an_earlier_one_does_not() -> None:
    early, late = report(1, name="Ann"), report(2, name="Anna")
    assert told(early, late).contact.name == "Anna"
    assert told(late, early).contact.name == "Anna"


def test_each_field_has_its_own_time() -> None:
    known = told(report(2, name="Anna"), report(1, name="Ann", language="de", attributes={"size": 4}))
    assert (known.contact.name, known.contact.language, known.contact.attributes) == ("Anna", "de", {"size": 4})


def test_absent_fields_stay_as_they_are() -> None:
    assert told(report(1, name="Ann", email="a@b.de"), report(2)).contact.email == "a@b.de"


def test_null_removes_where_it_speaks_and_an_older_value_does_not_return() -> None:
    change = ContactReported(customer=CARD, reported_at=at(2), attributes={"size": None})
    removal = statement(change, "/keys/1", given={"name"})
    known = told(
        report(1, name="Ann", attributes={"size": 4}), removal, report(1.5, name="Old", attributes={"size": 3})
    )
    assert (known.contact.name, known.contact.attributes) == (None, {})


def test_a_newcomers_stage_gives_way_to_any_report() -> None:
    assert told(report(-1000, stage="lead", party="household")).contact.stage == "lead"


def test_the_stricter_of_two_answers_at_once_stands_and_the_later_of_two_times() -> None:
    def answer(status: Any, hours: float) -> Statement:
        return report(0, consents=[ConsentClaim(purpose="marketing", status=status, given_at=at(hours))])

    for order in permutations([answer("granted", 1), answer("withdrawn", 1), answer("denied", 0)]):
        assert [consent.status for consent in told(*order).contact.consents] == ["withdrawn"]
    assert told(answer("withdrawn", 1), answer("granted", 2)).contact.consents[0].status == "granted"


def test_consents_beyond_the_limit_are_refused_and_not_forgotten() -> None:
    consents = [
        Consent(purpose=f"p{n}", channel="any", status="denied", given_at=START, source="s")
        for n in range(MAX_CONSENTS + 1)
    ]
    with pytest.raises(TooManyConsents):
        told(Statement("s", START, consents=consents))


def test_a_full_contact_takes_no_more_identifiers() -> None:
    many = [Identifier(scheme="n", value=str(n)) for n in range(MAX_IDENTIFIERS + 7)]
    known = told(Statement("s", START, identifiers=many[:-3]), Statement("s", START, identifiers=many))
    assert len(known.contact.identifiers) == MAX_IDENTIFIERS


def test_what_says_nothing_new_is_no_new_version() -> None:
    before = told(report(1, name="Ann", attributes={"size": 1}))
    after, changed = revise(before, fold(before, report(2, name="Ann", attributes={"size": 1})), at(3))
    assert changed == []
    assert after.contact == before.contact
    assert after.said["name"] == at(2), "though it was said again, which an older report must not undo"


@pytest.mark.parametrize("value", [True, 1.0, "1"])
def test_a_value_of_another_type_is_another_value(value: Any) -> None:
    before = told(report(1, attributes={"size": 1}))
    after, changed = revise(before, fold(before, report(2, attributes={"size": value})), at(3))
    assert changed == ["attributes"]
    assert (after.contact.version, after.contact.changed_at) == (2, at(3))


def test_a_newcomers_first_version_names_what_is_known() -> None:
    after, changed = revise(None, told(report(1, name="Ann")), at(1))
    assert after.contact.version == 1
    assert changed == ["party", "stage", "name", "identifiers"]


NAMES = st.none() | st.sampled_from(["Ann", "Bob"])
SCALARS = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from([1.0, "x"])
ENDS = st.none() | st.integers(-1, 3).map(at)
CLAIMS = st.builds(
    ConsentClaim,
    purpose=st.sampled_from(["marketing", "service"]),
    channel=st.sampled_from(["any", "email"]),
    status=st.sampled_from(["granted", "denied", "withdrawn"]),
    given_at=st.integers(0, 3).map(at),
    basis=st.none() | st.just("legitimate-interest"),
    wording=st.none() | st.sampled_from(["v1", "v2"]),
    valid_until=ENDS,
)
PURPOSES = st.sampled_from(["home", "billing"])
CITIES = st.builds(Address, city=st.sampled_from(["Bonn", "BONN", "Ulm"]), country=st.sampled_from([None, "DE", "FR"]))
PHONES = st.builds(
    PhoneClaim,
    typed=st.sampled_from(["0228 123456", "0228/123456", "+49 228 123456", "+33 1 42 34 56 78", "12"]),
    country=st.none() | st.just("DE"),
    purpose=PURPOSES,
    valid_until=ENDS,
)
EMAILS = st.builds(
    EmailClaim, typed=st.sampled_from(["A@b.de", "a@b.de", "a@gmial.com", "no"]), purpose=PURPOSES, valid_from=ENDS
)
REPORTS = st.builds(
    ContactReported,
    customer=st.lists(
        st.builds(Identifier, scheme=st.just("card"), value=st.sampled_from("123")), min_size=1, max_size=2
    ),
    # Microseconds apart, because MongoDB keeps milliseconds only.
    reported_at=st.integers(0, 3).map(lambda n: START + timedelta(microseconds=700 * n)),
    party=st.none() | st.sampled_from(["person", "household"]),
    stage=st.none() | st.sampled_from(["lead", "customer"]),
    name=NAMES,
    email=st.none() | st.sampled_from(["x@y.de", "y@y.de"]),
    address=st.none() | CITIES,
    name_parts=st.none() | st.builds(NameParts, given=st.sampled_from(["Ann", "Eve"]), family=NAMES),
    phones=st.lists(PHONES, max_size=3),
    emails=st.lists(EMAILS, max_size=2),
    addresses=st.lists(st.builds(AddressClaim, typed=CITIES, purpose=PURPOSES, valid_until=ENDS), max_size=2),
    interests=st.dictionaries(st.sampled_from("abcde"), st.none() | st.booleans(), max_size=3),
    preferences=st.dictionaries(st.sampled_from("ab"), st.none() | st.booleans() | NAMES, max_size=2),
    attributes=st.dictionaries(st.sampled_from("abcde"), SCALARS, max_size=3),
    consents=st.lists(CLAIMS, max_size=2),
)
GIVEN = st.none() | st.sets(st.sampled_from(["name", "email", "address", "phone"]))
"""What speaks also where it is null, as from a person's hand."""
STATEMENTS = st.builds(statement, REPORTS, SOURCES, given=GIVEN)


@settings(max_examples=400)
@given(st.lists(STATEMENTS, max_size=6), RULES, st.randoms(use_true_random=False), st.data())
def test_any_order_and_repetition_gives_the_same_contact(
    statements: list[Statement], rules: Rules, random: object, data: st.DataObject
) -> None:
    limits = standing.MAX_ATTRIBUTES, points.MAX_POINTS, ruling.MAX_CANDIDATES
    standing.MAX_ATTRIBUTES, points.MAX_POINTS, ruling.MAX_CANDIDATES = 3, 2, 3  # so that a few reports reach them
    try:
        again = data.draw(st.lists(st.sampled_from(statements), max_size=3)) if statements else []
        shuffled = [*statements, *again]
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        straight, other = told(*statements, rules=rules), told(*shuffled, rules=rules)
    finally:
        standing.MAX_ATTRIBUTES, points.MAX_POINTS, ruling.MAX_CANDIDATES = limits
    assert straight.contact.model_dump_json() == other.contact.model_dump_json()
    assert straight.said == other.said
    assert straight.chosen == other.chosen
    assert (straight.tellers, straight.also) == (other.tellers, other.also)


@given(st.lists(STATEMENTS, max_size=4))
def test_a_contact_is_always_one_that_others_can_read(statements: list[Statement]) -> None:
    contact = told(*statements).contact
    assert Contact.model_validate_json(contact.model_dump_json()) == contact
