"""Channels: registering, changing, and changing over to a new secret."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.sync.domain.addresses import ForbiddenUrl
from services.sync.domain.channel import GRACE, Change, Channel, NotPossible, Registration
from tests.sync.facts import NOW


def registration(**fields: Any) -> Registration:
    said = {"channel_id": "e-shop", "kind": "webhook", "purpose": "service", "fields": ["*"], **fields}
    return Registration.model_validate({"url": "https://shop.example/hooks", **said})


def registered(**fields: Any) -> Channel:
    return registration(**fields).channel(NOW, "whsec_first", allow_private=False)


def test_only_a_webhook_has_a_url() -> None:
    with pytest.raises(ValidationError):
        registration(kind="sse")
    with pytest.raises(ValidationError):
        registration(url=None)


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(ValidationError) as refused:
        registration(fields=["sales", "salary"])
    assert refused.value.errors()[0]["loc"] == ("fields", 1)


def test_a_url_inside_our_network_is_refused_at_registration() -> None:
    with pytest.raises(ForbiddenUrl):
        registered(url="https://10.0.0.1/")


def test_consents_speak_of_the_channel_itself_unless_told_otherwise() -> None:
    assert registered().policy.consent_channel == "e-shop"
    assert registered(consent_channel="email").policy.consent_channel == "email"


def test_changed_terms_are_a_new_version_and_the_old_ones_are_kept() -> None:
    channel = Change(fields=["sales"]).applied(registered(), NOW, allow_private=False)
    assert [(terms.version, terms.fields) for terms in channel.terms] == [(1, ["*"]), (2, ["sales"])]


def test_a_change_that_changes_no_terms_makes_no_version() -> None:
    channel = Change(fields=["*"], rate=5).applied(registered(), NOW, allow_private=False)
    assert (channel.policy.version, channel.rate) == (1, 5)


def test_pausing_says_why_and_going_on_forgets_it() -> None:
    paused = Change(state="paused").applied(registered(), NOW, allow_private=False)
    active = Change(state="active").applied(paused, NOW, allow_private=False)
    assert [(c.state, c.reason) for c in (paused, active)] == [("paused", "on request"), ("active", None)]


def test_null_takes_away_what_may_be_absent_only() -> None:
    channel = registered(rate=5, source="/channels/e-shop")
    changed = Change.model_validate({"rate": None, "source": None, "fields": None, "url": None})
    after = changed.applied(channel, NOW, allow_private=False)
    assert (after.rate, after.source, after.url) == (None, None, channel.url)


def test_a_stream_has_no_url_to_change() -> None:
    stream = registration(kind="sse", url=None).channel(NOW, None, allow_private=False)
    with pytest.raises(NotPossible):
        Change(url="https://shop.example/").applied(stream, NOW, allow_private=False)
    with pytest.raises(NotPossible):
        stream.with_secret("whsec_x", NOW)


def test_an_old_secret_signs_beside_the_new_one_until_its_grace_ends() -> None:
    channel = registered().with_secret("whsec_second", NOW)
    assert channel.secrets_at(NOW) == ("whsec_second", "whsec_first")
    assert channel.secrets_at(NOW + GRACE) == ("whsec_second",)


def test_rotating_again_does_not_lengthen_the_life_of_the_first_secret() -> None:
    later = NOW + GRACE / 2
    channel = registered().with_secret("whsec_second", NOW).with_secret("whsec_third", later)
    assert channel.secrets_at(later) == ("whsec_third", "whsec_second", "whsec_first")
    assert channel.secrets_at(NOW + GRACE) == ("whsec_third", "whsec_second")
    assert "whsec" not in repr(channel)


def test_a_rotation_without_grace_ends_the_old_secret_at_once() -> None:
    assert registered().with_secret("whsec_second", NOW, timedelta(0)).secrets_at(NOW) == ("whsec_second",)
