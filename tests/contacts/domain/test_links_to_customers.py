"""Tokens of customers' links, and what customers may say with them. Rules only."""

import base64
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
from services.contacts.domain.signing import BadToken, KeyRing, Token, TokenExpired, read, sign
from services.contacts.domain.survivorship import newcomer
from shared.contracts.contacts import Consent, Contact
from shared.ids import uuid7

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NUMBER = bytes(range(16))
FIRST, SECOND = KeyRing(0, {0: b"k" * 32}), KeyRing(1, {0: b"k" * 32, 1: b"l" * 32})
TOKEN = Token("preferences", NUMBER, NOW + timedelta(days=1), ("newsletter", "email"))
OLD, NEW = sign(FIRST, TOKEN), sign(SECOND, TOKEN)
OF_BEFORE = "AQIAAAAAaVhcAAABAgMEBQYHCAkKCwwNDg9uZXdzbGV0dGVyfGVtYWlsaFW1wIY8rab_bEcHwVR5IQ"
"""The same token, as it was written when keys had no numbers."""


def test_a_token_says_what_was_signed_until_it_is_over() -> None:
    for ring in (FIRST, SECOND):
        assert read(ring, sign(ring, TOKEN), "preferences", NOW) == TOKEN
        bare = Token("confirmation", NUMBER, NOW + timedelta(seconds=1))
        assert read(ring, sign(ring, bare), "confirmation", NOW) == bare
        with pytest.raises(TokenExpired):
            read(ring, sign(ring, TOKEN), "preferences", NOW + timedelta(days=1))


def test_links_of_before_a_key_was_changed_are_believed_until_that_key_is_retired() -> None:
    assert OLD == OF_BEFORE
    assert read(SECOND, OLD, "preferences", NOW) == TOKEN
    retired = KeyRing(1, {1: SECOND.keys[1]})
    assert read(retired, NEW, "preferences", NOW) == TOKEN
    for ring, text in ((retired, OLD), (FIRST, NEW), (KeyRing(2, {2: SECOND.keys[1]}), NEW)):
        with pytest.raises(BadToken):
            read(ring, text, "preferences", NOW)


@given(
    st.sampled_from([OLD, NEW]),
    st.integers(0, len(NEW) - 1),
    st.sampled_from("ABCDEFGHabcdefgh0123456789-_=+/ é\0"),
)
def test_no_token_can_be_altered(text: str, place: int, letter: str) -> None:
    altered = text[:place] + letter + text[place + 1 :]
    if altered != text:
        with pytest.raises(BadToken):
            read(SECOND, altered, "preferences", NOW)


@given(st.text(max_size=500) | st.binary(max_size=300).map(lambda told: told.hex()))
def test_no_token_can_be_made_up(text: str) -> None:
    with pytest.raises(BadToken):
        read(SECOND, text, "preferences", NOW)


@given(st.binary(max_size=120), st.sampled_from([b"\1", b"\2", b"\2\2\0\1", b""]))
def test_no_bytes_are_a_token(told: bytes, head: bytes) -> None:
    text = base64.urlsafe_b64encode(head + told).decode().rstrip("=")
    with pytest.raises(BadToken):
        read(SECOND, text, "preferences", NOW)


def test_a_token_is_of_one_key_and_for_one_thing() -> None:
    other = KeyRing(1, {0: b"m" * 32, 1: b"m" * 32})
    for text in (OLD, NEW):
        for ring, kind in ((other, "preferences"), (SECOND, "confirmation")):
            with pytest.raises(BadToken):
                read(ring, text, kind, NOW)  # type: ignore[arg-type]
        for wrong in (text + "=", text + "\n", text[:-1], text * 20, ""):
            with pytest.raises(BadToken):
                read(SECOND, wrong, "preferences", NOW)


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
