"""May we? The one rule for all services. Without servers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.consent import barred, standing
from shared.contracts.contacts import Consent, DoNotContact

NOW = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def said(status: str, days_ago: float, channel: str = "any", **more: Any) -> Consent:
    return Consent.model_validate(
        {
            "purpose": "news",
            "channel": channel,
            "status": status,
            "given_at": NOW - days_ago * DAY,
            "source": "shop",
            **more,
        }
    )


@pytest.mark.parametrize(
    ("consents", "answer"),
    [
        ([], None),
        ([said("granted", 1)], "granted"),
        ([said("granted", 1, "sms")], None),
        ([said("granted", 3, "email"), said("withdrawn", 1)], "withdrawn"),
        ([said("withdrawn", 3), said("granted", 1, "email")], "granted"),
        ([said("granted", 1), said("denied", 1, "email")], "denied"),
        ([said("granted", 1, "email"), said("withdrawn", 1)], "withdrawn"),
        ([said("granted", 9, valid_until=NOW)], "expired"),
        ([said("granted", 9, valid_until=NOW + DAY)], "granted"),
        ([said("denied", 9, valid_until=NOW - DAY)], "denied"),
        ([said("withdrawn", 9, expired=True, valid_until=NOW - DAY)], "expired"),
        ([said("granted", 9), said("granted", 8, "email", valid_until=NOW - DAY)], "expired"),
    ],
)
def test_the_later_answer_counts_and_the_refusal_of_two_at_once(consents: list[Consent], answer: str | None) -> None:
    found = standing(consents, "news", "email", NOW)
    assert (found and found.answer) == answer
    assert standing(reversed(consents), "news", "email", NOW) == found
    assert standing(consents, "other", "email", NOW) is None


def test_who_is_not_to_be_contacted() -> None:
    def entry(channel: str, since: int, until: int | None) -> DoNotContact:
        end = None if until is None else NOW + until * DAY
        return DoNotContact(channel=channel, reason="asked", since=NOW + since * DAY, until=end, source="desk")

    assert barred([entry("any", 0, None)], "email", NOW)
    assert barred([entry("email", -2, 1)], "email", NOW)
    for free in (entry("sms", -1, None), entry("any", 1, None), entry("any", -2, 0)):
        assert barred([free], "email", NOW) is None
