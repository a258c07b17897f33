"""Postal addresses by the rules of each country's post."""

from typing import Any

import iso3166
import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.values import address
from services.contacts.domain.values.address import folded, formatted, rules_of, understand
from shared.contracts.channels import Address

BERLIN = Address(lines=["Hauptstr. 1"], postal_code="10115", city="Berlin", country="DE")


@pytest.mark.parametrize(
    ("change", "verdict", "reason", "code"),
    [
        ({}, "valid", "ok", "10115"),
        ({"postal_code": "D-10115"}, "valid", "tidied", "10115"),
        ({"postal_code": " 101 15"}, "valid", "tidied", "10115"),
        ({"country": "GB", "postal_code": "sw1a1aa"}, "valid", "tidied", "SW1A 1AA"),
        ({"country": "NL", "postal_code": "1234ab"}, "valid", "tidied", "1234 AB"),
        ({"country": "JP", "postal_code": "1540023", "region": "Tokyo"}, "valid", "tidied", "154-0023"),
        ({"country": "US", "postal_code": "902101234", "region": "CA"}, "valid", "tidied", "90210-1234"),
        ({"postal_code": "1011"}, "doubtful", "postal-code-pattern", "1011"),
        ({"postal_code": None}, "doubtful", "postal-code-missing", None),
        ({"city": " "}, "doubtful", "city-missing", "10115"),
        ({"lines": []}, "doubtful", "street-missing", "10115"),
        ({"country": "US", "postal_code": "90210"}, "doubtful", "region-missing", "90210"),
        ({"country": "US", "postal_code": "90210", "region": "Kent"}, "doubtful", "unknown-region", "90210"),
        ({"country": "US", "postal_code": "10001", "region": "CA"}, "doubtful", "postal-code-elsewhere", "10001"),
        ({"country": "XX"}, "invalid", "unknown-country", "10115"),
        ({"country": None}, "plausible", "no-country", "10115"),
    ],
)
def test_an_address_is_understood_and_judged(
    change: dict[str, Any], verdict: str, reason: str, code: str | None
) -> None:
    typed = BERLIN.model_copy(update=change)
    value = understand(typed)
    assert (value.typed, value.verdict, value.reason) == (typed, verdict, reason)
    assert value.understood is not None
    assert value.understood.postal_code == code


def test_a_region_gets_its_key_whatever_it_is_called() -> None:
    typed = Address(lines=["1 Rodeo Dr"], postal_code="90210", city="Beverly Hills", region="california", country="US")
    value = understand(typed)
    assert value.understood == typed.model_copy(update={"region": "CA"})
    assert value.reason == "tidied"


def test_a_country_that_is_assumed_makes_it_plausible() -> None:
    value = understand(BERLIN.model_copy(update={"country": None}), "DE")
    assert (value.understood, value.verdict, value.reason) == (BERLIN, "plausible", "country-assumed")


def test_an_address_with_nothing_in_it_is_none() -> None:
    value = understand(Address(lines=[" "], country="DE"))
    assert (value.understood, value.verdict, value.reason) == (None, "invalid", "empty")


def test_an_envelope_is_written_as_the_country_of_the_address_wants_it() -> None:
    assert formatted(BERLIN, "Ann Lee", "ACME") == ["Ann Lee", "ACME", "Hauptstr. 1", "10115 BERLIN", "GERMANY"]
    tokyo = Address(lines=["千代田1-1"], postal_code="100-0001", region="東京都", country="JP")
    assert formatted(tokyo)[0] == "〒100-0001"
    assert formatted(tokyo, latin=True) == ["千代田1-1, 東京都", "100-0001", "JAPAN"]
    assert formatted(Address(lines=["x"], city="y")) == ["x", "y"]
    assert formatted(Address()) == []


@pytest.mark.parametrize("country", [one.alpha2 for one in iso3166.countries])
def test_every_country_judges_and_formats_an_address_in_each_of_its_regions(country: str) -> None:
    rules = rules_of(country)
    for region in {None, *(key for key, _ in rules.country_area_choices)} if rules else {None}:
        typed = Address(lines=["x 1"], postal_code="0", city="y", region=region, country=country)
        assert understand(typed).reason not in {"unknown-region", "unknown-country"}
        assert formatted(typed)


TEXTS = st.none() | st.text(max_size=20)


@given(
    st.lists(st.text(max_size=20), max_size=3),
    TEXTS,
    TEXTS,
    TEXTS,
    st.sampled_from([None, "DE", "US", "JP", "ZZ", "XX"]),
)
def test_whatever_is_typed_gets_a_verdict(
    lines: list[str], code: str | None, city: str | None, region: str | None, country: str | None
) -> None:
    typed = Address.model_construct(lines=lines, postal_code=code, city=city, region=region, country=country)
    value = understand(typed, "FR")
    assert value.words
    assert formatted(typed) is not None
    if value.understood:
        again = understand(value.understood, "FR")
        assert again.understood == value.understood, "a normal form is its own"


def test_addresses_that_differ_in_case_and_spaces_are_one() -> None:
    assert folded(BERLIN) == folded(BERLIN.model_copy(update={"city": " BERLIN", "lines": ["hauptstr.  1"]}))
    assert folded(BERLIN) != folded(BERLIN.model_copy(update={"city": "Bonn"}))


def test_what_people_type_for_a_region_fills_no_memory() -> None:
    before = address._rules.cache_info().currsize
    for number in range(50):
        understand(BERLIN.model_copy(update={"region": f"Region {number}"}))
    assert address._rules.cache_info().currsize <= before + 1
