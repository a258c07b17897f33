"""E-mail addresses as people type them."""

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.values.email import PROVIDERS, mistyped, one_error_apart, understand


@pytest.mark.parametrize(
    ("typed", "understood", "verdict", "reason"),
    [
        (" Ann@Example.ORG ", "ann@example.org", "valid", "ok"),
        ("mailto:ann@b.de", "ann@b.de", "valid", "ok"),
        ("jo@XN--MNCHEN-3YA.de", "jo@münchen.de", "valid", "ok"),
        ("Jürgen@b.de", "jürgen@b.de", "valid", "ok"),
        ("ann@mail.com", "ann@mail.com", "valid", "ok"),
        ("INFO+news@firma.de", "info+news@firma.de", "plausible", "role-address"),
        ("x@mailinator.com", "x@mailinator.com", "doubtful", "disposable"),
        ("x@any.mailinator.com", "x@any.mailinator.com", "doubtful", "disposable"),
        ("ann@shop.test", None, "invalid", "reserved-domain"),
        ("ann@localhost", None, "invalid", "not-an-address"),
        ("ann b@c.de", None, "invalid", "not-an-address"),
        ("ann", None, "invalid", "not-an-address"),
        ("  ", None, "invalid", "empty"),
        ("a" * 310 + "@example.org", None, "invalid", "too-long"),
    ],
)
def test_an_address_is_understood_and_judged(typed: str, understood: str | None, verdict: str, reason: str) -> None:
    value = understand(typed)
    assert (value.typed, value.understood, value.verdict, value.reason) == (typed, understood, verdict, reason)


@pytest.mark.parametrize(
    "domain", ["gmial.com", "gmal.com", "gmaill.com", "gnail.com", "gmail.con", "gmail.co", "mgail.com"]
)
def test_a_mistyped_provider_is_a_doubt_with_a_suggestion_and_the_address_stays(domain: str) -> None:
    value = understand(f"Ann@{domain}")
    assert (value.understood, value.verdict, value.reason) == (f"ann@{domain}", "doubtful", "looks-mistyped")
    assert value.suggestion == "ann@gmail.com"


def test_providers_are_not_mistyped_for_each_other() -> None:
    assert [mistyped(provider) for provider in PROVIDERS] == [None] * len(PROVIDERS)
    assert understand("a@qo.com").reason == "ok", "short names are close to everything"


WORDS = st.text("ab", max_size=6)


@given(WORDS, WORDS)
def test_one_error_is_a_letter_more_or_less_or_other_or_a_swap(one: str, other: str) -> None:
    def errors(word: str) -> set[str]:
        cuts = [(word[:n], word[n:]) for n in range(len(word) + 1)]
        less = {a + b[1:] for a, b in cuts if b}
        other = {a + c + b[1:] for a, b in cuts if b for c in "ab"}
        more = {a + c + b for a, b in cuts for c in "ab"}
        swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
        return (less | other | more | swapped) - {word}

    assert one_error_apart(one, other) == (other in errors(one)) == one_error_apart(other, one)


@given(st.text(max_size=40) | st.builds("{}@{}".format, st.text(max_size=9), st.text(max_size=12)) | st.emails())
def test_whatever_is_typed_gets_a_verdict(typed: str) -> None:
    value = understand(typed)
    assert (value.understood is None) == (value.verdict == "invalid")
    if value.understood:
        assert understand(value.understood).understood == value.understood, "a normal form is its own"
