"""Codes of countries, languages and time zones, and numbers of organisations."""

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.values import codes, numbers


@pytest.mark.parametrize(
    ("typed", "understood", "reason"),
    [
        ("DE", "DE", "ok"),
        ("deu", "DE", "alias"),
        ("276", "DE", "alias"),
        ("Germany", "DE", "alias"),
        ("UK", "GB", "alias"),
        (" d ", "DE", "alias"),
    ],
)
def test_a_country_has_two_letters_however_it_is_named(typed: str, understood: str, reason: str) -> None:
    value = codes.country(typed)
    assert (value.understood, value.verdict, value.reason) == (understood, "valid", reason)


@pytest.mark.parametrize(
    ("typed", "understood"), [("de", "de"), ("iw", "he"), ("eng_us", "en-US"), ("zh-hant-tw", "zh-Hant-TW")]
)
def test_a_language_has_its_usual_tag(typed: str, understood: str) -> None:
    assert codes.language(typed).understood == understood


@pytest.mark.parametrize(
    ("typed", "understood"), [("Europe/Berlin", "Europe/Berlin"), ("america/new york", "America/New_York")]
)
def test_a_time_zone_is_of_the_iana_database(typed: str, understood: str) -> None:
    assert codes.time_zone(typed).understood == understood


def test_what_nobody_knows_is_invalid() -> None:
    assert codes.country("Atlantis").reason == "unknown-country"
    assert codes.language("zz-zz").reason == "unknown-language"
    assert codes.time_zone("Mars/Olympus").reason == "unknown-time-zone"
    assert {kind(" ").reason for kind in (codes.country, codes.language, codes.time_zone)} == {"empty"}


@pytest.mark.parametrize(
    ("kind", "typed", "country", "understood", "verdict", "reason"),
    [
        ("vat", "DE 136 695 976", None, "DE136695976", "valid", "ok"),
        ("vat", "136695976", "DE", "DE136695976", "valid", "ok"),
        ("vat", "el094259216", None, "EL094259216", "valid", "ok"),
        ("vat", "GB980780684", None, "GB980780684", "valid", "ok"),
        ("vat", "DE136695977", None, None, "invalid", "checksum"),
        ("vat", "DE13", None, None, "invalid", "format"),
        ("vat", "XX-12", None, "XX12", "plausible", "unchecked"),
        ("lei", "5493001KJTIIGC8Y1R12", None, "5493001KJTIIGC8Y1R12", "valid", "ok"),
        ("lei", "5493001KJTIIGC8Y1R13", None, None, "invalid", "checksum"),
        ("company", "923 609 016", "NO", "923609016", "valid", "ok"),
        ("company", "923 609 017", "NO", None, "invalid", "checksum"),
        ("company", "1 2", None, "12", "plausible", "unchecked"),
        ("company", "", "NO", None, "invalid", "empty"),
        ("company", "1" * 65, "NO", None, "invalid", "too-long"),
    ],
)
def test_a_number_is_checked_by_its_checksum_where_it_has_one(
    kind: str, typed: str, country: str | None, understood: str | None, verdict: str, reason: str
) -> None:
    value = numbers.understand(kind, typed, country)
    assert (value.understood, value.verdict, value.reason) == (understood, verdict, reason)


@pytest.mark.parametrize("country", sorted(numbers.REGISTERS))
def test_every_register_that_is_named_has_its_rule(country: str) -> None:
    assert numbers.understand("company", "?", country).verdict == "invalid"


TEXTS = st.text(max_size=30) | st.text("DEGBFR0123456789 .-", max_size=16)


@given(TEXTS, st.sampled_from(["vat", "company", "lei"]), st.none() | st.sampled_from(sorted(numbers.REGISTERS)))
def test_whatever_is_typed_gets_a_verdict(typed: str, kind: str, country: str | None) -> None:
    for value in (
        numbers.understand(kind, typed, country),
        codes.country(typed),
        codes.language(typed),
        codes.time_zone(typed),
    ):
        assert value.typed == typed
        assert (value.understood is None) == (value.verdict == "invalid")
        assert value.words
