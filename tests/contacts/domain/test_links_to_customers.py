"""Tokens of customers' links, and what customers may say with them. Rules only."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.preferences import (
    NotOffered,
    Preferences,
    Wishes,
    news,
    preferences,
    spoken_last,
    unsubscribed,
)
from services.contacts.domain.signing import BadToken, Token, TokenExpired, read, sign
from services.contacts.domain.survivorship import newcomer
from shared.contracts.contacts import Consent, Contact
from shared.ids import uuid7

NOW = datetime(2026, 1, 2, tzinfo=UTC)
KEY, NUMBER = b"k" * 32, bytes(range(16))
TOKEN = Token("preferences", NUMBER, NOW + timedelta(days=1), ("newsletter", "email"))
TEXT = sign(KEY, TOKEN)


def test_a_token_says_what_was_signed_until_it_is_over() -> None:
    assert read(KEY, TEXT, "preferences", NOW) == TOKEN
    bare = Token("confirmation", NUMBER, NOW + timedelta(seconds=1))
    assert read(KEY, sign(KEY, bare), "confirmation", NOW) == bare
    with pytest.raises(TokenExpired):
        read(KEY, TEXT, "preferences", NOW + timedelta(days=1))


@given(st.integers(0, len(TEXT) - 1), st.sampled_from("ABCDEFGHabcdefgh0123456789-_=+/ é\0"))
def test_no_token_can_be_altered(place: int, letter: str) -> None:
    altered = TEXT[:place] + letter + TEXT[place + 1 :]
    if altered != TEXT:
        with pytest.raises(BadToken):
            read(KEY, altered, "preferences", NOW)


@given(st.text(max_size=500) | st.binary(max_size=300).map(lambda told: told.hex()))
def test_no_token_can_be_made_up(text: str) -> None:
    with pytest.raises(BadToken):
        read(KEY, text, "preferences", NOW)


def test_a_token_is_of_one_key_and_for_one_thing() -> None:
    for key, kind in ((b"l" * 32, "preferences"), (KEY, "confirmation")):
        with pytest.raises(BadToken):
            read(key, TEXT, kind, NOW)  # type: ignore[arg-type]
    for text in (TEXT + "=", TEXT + "\n", TEXT[:-1], TEXT * 20, ""):
        with pytest.raises(BadToken):
            read(KEY, text, "preferences", NOW)


def consent(purpose: str, status: Any, channel: str = "email", hours: float = -1, **more: Any) -> Consent:
    at = NOW + timedelta(hours=hours)
    return Consent(purpose=purpose, channel=channel, status=status, given_at=at, source="s", **more)


def contact(*consents: Consent, **fields: Any) -> Contact:
    return newcomer(uuid7(NOW), NOW).contact.model_copy(update={"consents": list(consents), **fields})


def shown(*consents: Consent, about: tuple[str, str] | None = None, **fields: Any) -> Preferences:
    return preferences(contact(*consents, **fields), {"health"}, about, NOW)


def test_what_is_shown_is_how_it_stands_without_what_a_link_must_not_show() -> None:
    over = consent("ads", "granted", valid_until=NOW)
    told = shown(over, consent("news", "denied"), interests={"health": True, "garden": False}, language="de")
    assert [(one.place, one.status) for one in told.choices] == [
        (("ads", "email"), "expired"),
        (("news", "email"), "denied"),
    ]
    assert (told.interests, told.language) == ({"garden": False}, "de")
    of_any = shown(consent("news", "granted", "any"), about=("news", "email"))
    assert [(one.channel, one.status) for one in of_any.choices] == [("any", "granted"), ("email", "granted")]
    assert [one.status for one in shown(about=("news", "email")).choices] == ["not-asked"]


def test_only_what_is_new_is_said() -> None:
    told = shown(
        consent("a", "granted"), consent("b", "denied"), consent("c", "granted", valid_until=NOW), interests={"x": True}
    )
    same = Wishes({("a", "email"): "granted", ("b", "email"): "withdrawn", ("c", "email"): "withdrawn"}, {"x": True})
    assert news(told, same) == Wishes()
    turned = Wishes({("a", "email"): "withdrawn", ("b", "email"): "granted", ("c", "email"): "granted"}, {"x": False})
    assert news(told, turned) == turned
    never = shown(about=("a", "email"))
    assert news(never, Wishes({("a", "email"): "withdrawn"})).consents == {("a", "email"): "withdrawn"}


def test_nobody_says_what_they_were_not_asked() -> None:
    told = shown(consent("a", "granted"), interests={"x": True, "health": True})
    for wishes, field in (
        (Wishes({("b", "email"): "granted"}), "consents.b.email"),
        (Wishes({("a", "phone"): "granted"}), "consents.a.phone"),
        (Wishes(interests={"y": True}), "interests.y"),
        (Wishes(interests={"health": False}), "interests.health"),
    ):
        with pytest.raises(NotOffered) as refused:
            news(told, wishes)
        assert refused.value.field == field


def test_one_click_says_no_to_what_the_link_is_about_or_to_all() -> None:
    given_two = (consent("a", "granted"), consent("b", "granted", "phone"), consent("c", "denied"))
    assert unsubscribed(shown(*given_two, about=("d", "email"))).consents == {("d", "email"): "withdrawn"}
    assert unsubscribed(shown(*given_two)).consents == {("a", "email"): "withdrawn", ("b", "phone"): "withdrawn"}


def test_the_customer_speaks_last_also_after_a_channel_whose_clock_runs_ahead() -> None:
    ahead = contact(consent("a", "granted", "any", hours=5), consent("b", "granted", hours=9))
    assert spoken_last(ahead, {("a", "email")}, NOW) == NOW + timedelta(hours=5, milliseconds=1)
    assert spoken_last(ahead, {("c", "email")}, NOW) == NOW
