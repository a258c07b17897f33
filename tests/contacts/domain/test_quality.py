"""The score of a record: from nothing to complete, what each dimension sees, and the sum over all."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.quality import STILL_TRUE_AFTER_A_YEAR, WEIGHTS, WORDS, Quality, quality
from services.contacts.domain.quality.report import Tally
from services.contacts.domain.survivorship import Known, Statement, fold, newcomer, statement
from shared.contracts.channels import ContactReported
from shared.contracts.fact import Identifier
from shared.ids import uuid7
from tests.contacts.domain.test_survivorship import STATEMENTS

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ANN = uuid7(NOW)
COMPLETE: dict[str, Any] = {
    "name": "Ann Lee",
    "email": "ann@example.org",
    "phone": "+49228123456",
    "language": "de",
    "address": {"lines": ["Markt 1"], "postal_code": "53111", "city": "Bonn", "country": "DE"},
    "consents": [{"purpose": "ads", "status": "granted", "given_at": NOW}],
}


def known(said_at: datetime = NOW, own: tuple[str, ...] = ("email", "phone"), **fields: Any) -> Known:
    identifiers = [Identifier(scheme=scheme, value=str(fields[scheme])) for scheme in own if fields.get(scheme)]
    identifiers += fields.pop("identifiers", [])
    report = ContactReported(
        customer=identifiers or [Identifier(scheme="card", value="1")], reported_at=said_at, **fields
    )
    return fold(newcomer(ANN, NOW), statement(report, "/channels/shop"))


def complete(**changes: Any) -> Quality:
    return quality(known(**COMPLETE | changes), NOW)


def reasons(found: Quality) -> set[tuple[str, str, str]]:
    return {(one.dimension, one.field, one.reason) for one in found.findings}


def test_a_prospect_of_whom_nothing_is_known_scores_zero_for_want_of_data_alone() -> None:
    found = quality(newcomer(ANN, NOW), NOW)
    assert (found.score, found.shares, found.values) == (0, {"completeness": 0.0}, [])
    assert {one.reason for one in found.findings} == {"missing"}


def test_a_complete_record_scores_a_hundred_and_nothing_is_found() -> None:
    found = complete()
    assert (found.score, found.findings) == (100, [])
    assert set(found.shares) == set(WEIGHTS)
    assert {value.verdict for value in found.values} == {"valid"}


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"phone": None}, ("completeness", "phone", "missing")),
        ({"email": "ann@gmial.com"}, ("validity", "email", "looks-mistyped")),
        ({"phone": "+491023456789"}, ("validity", "phone", "unassigned")),
        ({"language": "xx"}, ("validity", "language", "unknown-language")),
        ({"time_zone": "Mars"}, ("validity", "time_zone", "unknown-time-zone")),
        ({"name": "n/a"}, ("validity", "name", "placeholder")),
        ({"name": "Lee GmbH"}, ("consistency", "name", "legal-form")),
        ({"phone": "+33142345678"}, ("consistency", "phone", "phone-elsewhere")),
        ({"address": COMPLETE["address"] | {"postal_code": "1"}}, ("consistency", "address", "postal-code-pattern")),
        ({"own": ("email",)}, ("uniqueness", "phone", "shared")),
        ({"said_at": NOW - timedelta(days=1200)}, ("freshness", "email", "old")),
        ({"phones": [{"typed": "ask"}]}, ("validity", "phones", "no-number")),
        ({"attributes": {"vat": "DE136695977"}}, ("validity", "number", "checksum")),
    ],
)
def test_each_fault_is_found_once_and_costs_something(change: dict[str, Any], finding: tuple[str, str, str]) -> None:
    found = complete(**change)
    assert finding in reasons(found)
    assert len([one for one in found.findings if one.field == finding[1]]) == 1
    assert found.score < 100
    assert found.findings[0].words


def test_an_organisation_wants_a_number_and_somebody_who_looks_after_it() -> None:
    firm = complete(party="organisation", name="Lee GmbH")
    assert reasons(firm) == {("completeness", "number", "missing"), ("completeness", "owner", "missing")}
    number = [Identifier(scheme="vat", value="DE136695976")]
    whole = complete(party="organisation", name="Lee GmbH", owner="eve", identifiers=number)
    assert (whole.score, whole.findings) == (100, [])
    abroad = [Identifier(scheme="vat", value="FR40303265045")]
    assert ("consistency", "number", "number-elsewhere") in reasons(complete(party="organisation", identifiers=abroad))


def test_a_year_takes_a_tenth_of_the_freshness() -> None:
    year = known(said_at=NOW - timedelta(days=365.25), **COMPLETE)
    assert quality(year, NOW).shares["freshness"] == pytest.approx(STILL_TRUE_AFTER_A_YEAR)
    ahead = known(said_at=NOW + timedelta(hours=5), **COMPLETE)
    assert quality(ahead, NOW).shares["freshness"] == 1.0


def test_what_is_over_is_judged_no_more() -> None:
    over = {"typed": "ask", "valid_until": NOW}
    assert complete(phones=[over]).score == 100
    assert complete(phones=[over | {"valid_until": NOW + timedelta(seconds=1)}]).score < 100


def test_what_was_chosen_from_a_list_is_judged_there_and_only_there() -> None:
    fields = COMPLETE | {"email": None, "emails": [{"typed": "Ann@Example.org", "purpose": "home"}]}
    found = quality(known(**fields), NOW)
    assert [(value.field, value.typed) for value in found.values if "email" in value.field] == [
        ("emails", "Ann@Example.org")
    ]
    assert found.score == 100, "and that it identifies nobody is no sharing"


@given(st.lists(STATEMENTS, max_size=4), st.sampled_from([None, "DE"]))
def test_every_record_has_a_score_and_every_finding_its_words(statements: list[Statement], country: str | None) -> None:
    record = newcomer(ANN, NOW)
    for one in statements:
        record = fold(record, one, country)
    found = quality(record, NOW, country)
    assert 0 <= found.score <= 100
    assert all(0 <= share <= 1 for share in found.shares.values())
    assert all(one.words for one in found.findings)
    assert all(value.words for value in found.values)
    assert found.score == 100 or found.findings


def test_the_sum_over_all_counts_records_values_and_findings() -> None:
    tally = Tally()
    assert tally.mean is None
    firm = known(party="organisation", **COMPLETE | {"name": "Lee GmbH", "email": "x@gmial.com"})
    tally.add_all([known(**COMPLETE), firm, newcomer(ANN, NOW)], NOW, None)
    assert (tally.contacts, tally.parties) == (3, {"person": 2, "organisation": 1})
    assert tally.mean == pytest.approx((100 + tally.party_scores["organisation"]) / 3)
    assert sum(tally.bands.values()) == 3
    assert (tally.bands[90], tally.bands[0]) == (1, 1)
    assert tally.values["email", "doubtful", "looks-mistyped"] == tally.values["email", "valid", "ok"] == 1
    assert tally.findings["completeness", "email", "missing"] == 1
    assert tally.judged == {
        "completeness": 3,
        **dict.fromkeys(("validity", "consistency", "freshness", "uniqueness"), 2),
    }


def test_no_word_is_missing() -> None:
    assert all(text and text[0].islower() and not text.endswith(".") for text in WORDS.values())
