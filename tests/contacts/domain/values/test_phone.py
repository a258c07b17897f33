"""Telephone numbers as people type them."""

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.values.phone import MAX_TYPED, understand


@pytest.mark.parametrize(
    ("typed", "country", "understood", "verdict", "reason"),
    [
        ("+49 (30) 12-34 56", None, "+4930123456", "valid", "ok"),
        ("0049 30 123456", None, "+4930123456", "valid", "ok"),
        ("030/123456", "DE", "+4930123456", "valid", "ok"),
        ("011 49 30 123456", "US", "+4930123456", "valid", "ok"),
        ("＋４９３０１２３４５６", None, "+4930123456", "valid", "ok"),
        ("030 123456", None, None, "doubtful", "no-country"),
        ("030 123456", "XX", None, "doubtful", "no-country"),
        ("555-0123", "US", None, "doubtful", "no-area-code"),
        ("+1 111 111 1111", None, "+11111111111", "doubtful", "repeated-digits"),
        ("+49 10 23456789", None, "+491023456789", "doubtful", "unassigned"),
        ("0906 123 4567", "GB", "+449061234567", "doubtful", "premium-rate"),
        ("123456", "US", None, "invalid", "too-short"),
        ("+49 30 1234567890123456", None, None, "invalid", "too-long"),
        ("+999 123456", None, None, "invalid", "no-number"),
        ("call me", "DE", None, "invalid", "no-number"),
        ("", "DE", None, "invalid", "empty"),
        ("9" * (MAX_TYPED + 1), "DE", None, "invalid", "too-long"),
    ],
)
def test_a_number_is_understood_and_judged(
    typed: str, country: str | None, understood: str | None, verdict: str, reason: str
) -> None:
    value = understand(typed, country)
    assert (value.typed, value.understood, value.verdict, value.reason) == (typed, understood, verdict, reason)


def test_what_merely_was_assumed_of_the_country_makes_it_plausible_only() -> None:
    assert understand("030 123456", "DE", assumed=True).reason == "country-assumed"
    assert understand("030 123456", "DE", assumed=True).verdict == "plausible"
    assert understand("+49 30 123456", "FR", assumed=True).verdict == "valid", "it says its country itself"


def test_a_number_says_its_country() -> None:
    assert understand("+1 604 555 0123").country == "CA", "Canada and the United States share +1"
    assert understand("+800 1234 5678").country is None, "international freephone is of no country"


@given(st.text(max_size=120), st.sampled_from([None, "DE", "US", "XX", ""]))
def test_whatever_is_typed_gets_a_verdict(typed: str, country: str | None) -> None:
    value = understand(typed, country)
    assert (value.understood is not None) == (value.verdict != "invalid" and value.reason not in _WITHOUT)
    if value.understood:
        again = understand(value.understood)
        assert (again.understood, again.country) == (value.understood, value.country), "a normal form is its own"


_WITHOUT = {"no-country", "no-area-code"}
