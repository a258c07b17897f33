"""What a customer's yes and no at the preference centre come to, beside answers for every channel. Rules only."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.preferences import (
    Place,
    Preferences,
    Wish,
    Wishes,
    claims,
    news,
    preferences,
    spoken_last,
    unsubscribed,
)
from services.contacts.domain.survivorship import Statement, consent as taken, fold, newcomer
from shared.consent import ANY, standing
from shared.contracts.contacts import Consent, Contact
from shared.ids import uuid7

NOW = datetime(2026, 1, 2, tzinfo=UTC)
EMAIL, PHONE, EVERY = ("news", "email"), ("news", "phone"), ("news", ANY)


def said(place: Place, status: Any, hours: float) -> Consent:
    purpose, channel = place
    at = NOW + timedelta(hours=hours)
    return Consent(purpose=purpose, channel=channel, status=status, given_at=at, source="/channels/shop")


def contact(*consents: Consent) -> Contact:
    return newcomer(uuid7(NOW), NOW).contact.model_copy(update={"consents": list(consents)})


def offered(held: Contact, about: Place | None = None) -> Preferences:
    return preferences(held, (), about, NOW)


def after(held: Contact, wishes: Wishes, about: Place | None = None) -> Contact:
    """The contact, once the customer has said so."""
    new = news(offered(held, about), wishes)
    told = claims(held, new, "test", spoken_last(held, new.consents, NOW))
    known = newcomer(held.customer_id, NOW)
    known = fold(known, Statement("s", NOW, consents=held.consents))
    return fold(known, Statement("s", NOW, consents=[taken(one, "s") for one in told])).contact


def stands(held: Contact, place: Place) -> str | None:
    found = standing(held.consents, *place, NOW + timedelta(days=30))
    return found.answer if found else None


def clicked(held: Contact, about: Place | None) -> Contact:
    return after(held, unsubscribed(offered(held, about)), about)


def test_one_click_ends_what_a_later_yes_on_every_channel_has_opened_again() -> None:
    held = contact(said(EMAIL, "withdrawn", -9), said(EVERY, "granted", -1))
    assert stands(held, EMAIL) == "granted"
    assert {one.place: one.status for one in offered(held).choices} == {EMAIL: "granted", EVERY: "granted"}
    assert stands(clicked(held, EMAIL), EMAIL) == "withdrawn"


@pytest.mark.parametrize("ahead", [-1, 20])
def test_one_click_on_a_link_about_every_channel_ends_each(ahead: float) -> None:
    held = contact(said(EMAIL, "granted", ahead), said(EVERY, "withdrawn", -9))
    assert stands(clicked(held, EVERY), EMAIL) == "withdrawn"
    assert stands(clicked(contact(said(EMAIL, "granted", ahead)), EVERY), EMAIL) == "withdrawn"


def test_yes_on_every_channel_opens_none_that_the_customer_says_no_to() -> None:
    held = contact(said(EMAIL, "withdrawn", -9), said(PHONE, "granted", -9), said(EVERY, "denied", -9))
    together = after(held, Wishes({EVERY: "granted", EMAIL: "withdrawn"}))
    assert (stands(together, EMAIL), stands(together, PHONE), stands(together, EVERY)) == (
        "withdrawn",
        *["granted"] * 2,
    )
    # What is not named stays as it is.
    assert stands(after(held, Wishes({EVERY: "granted"})), EMAIL) == "withdrawn"


@given(
    st.lists(
        st.tuples(
            st.sampled_from([EMAIL, PHONE, EVERY]),
            st.sampled_from(["granted", "denied", "withdrawn"]),
            st.floats(-50, 20),
        ),
        max_size=3,
        unique_by=lambda one: one[0],
    ),
    st.dictionaries(st.sampled_from([EMAIL, PHONE, EVERY]), st.sampled_from(["granted", "withdrawn"])),
)
def test_whatever_was_said_before_a_no_holds(
    held: list[tuple[Place, str, float]], wanted: Mapping[Place, Wish]
) -> None:
    known = contact(*(said(*one) for one in held))
    wishes = {place: wish for place, wish in wanted.items() if place in {one for one, _, _ in held}}
    later = after(known, Wishes(wishes))
    for place, wish in wishes.items():
        if wish == "withdrawn":
            assert stands(later, place) in {"withdrawn", "denied"}
        elif wishes.get(EVERY) != "withdrawn":
            assert stands(later, place) == "granted"
    for about in (EMAIL, PHONE, EVERY):
        assert stands(clicked(known, about), about) != "granted"
        if about == EVERY:
            assert not {"granted"} & {stands(clicked(known, about), one) for one in (EMAIL, PHONE)}
