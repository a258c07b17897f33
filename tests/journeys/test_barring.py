"""A do-not-contact said ahead: a channel that approaches customers loses them when it begins and has them again when it is over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.contacts import jobs
from tests.journeys.conftest import Company
from tests.sync.receiver import Receiver
from tests.waiting import eventually

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
MAIL = {
    "channel_id": "mail-house",
    "kind": "webhook",
    "purpose": "ads",
    "basis": "contract",
    "fields": ["contact.name"],
}


async def test_a_channel_hears_that_a_bar_begins_and_that_it_is_over(
    company: Company, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "EXPIRED_SECONDS", 0.2)
    approaching = MAIL | {"approach": True, "consent_channel": "mail", "url": receiver.url}
    receiver.secret = (await company.post("sync", "/v1/channels", approaching))["secret"]
    customer = (await company.post("contacts", "/v1/contacts", {"name": "Ann"}))["customer_id"]
    await eventually(lambda: [one["customer"] for one in receiver.bodies] == [{"contact": {"name": "Ann"}}], within=60)
    now = datetime.now(UTC)
    since, until = [(now + timedelta(seconds=some)).isoformat() for some in (1, 12)]
    body = {"reason": "holidays", "since": since, "until": until}
    path = f"/v1/contacts/{customer}/do-not-contact/mail"
    async with company.services["contacts"].put(path, json=body) as answer:
        assert answer.status == 200, await answer.text()
    await eventually(lambda: receiver.bodies[-1]["customer"] == {}, within=60)
    kept_back: dict[str, Any] = receiver.bodies[-1]
    assert kept_back["withheld"] == ["contact.name"]
    await eventually(lambda: receiver.bodies[-1]["customer"] == {"contact": {"name": "Ann"}}, within=60)
    versions = [one["version"] for one in receiver.bodies]
    assert versions == sorted(set(versions)), "each once, in order"
