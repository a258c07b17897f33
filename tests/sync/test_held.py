"""What sync holds on a customer: which channels were told what, under which terms, also by channels that are gone."""

from datetime import UTC, datetime

import pytest

from services.sync.store.held import held
from shared import mongo
from shared.held import HeldPage
from shared.settings import PlatformSettings

pytestmark = pytest.mark.integration
ANN, BOB = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b", "019b7a2c-5c01-7000-8000-5a4b3c2d1e0f"
AT = datetime(2026, 1, 2, tzinfo=UTC)


async def test_each_channel_that_was_told_is_named_with_the_terms_of_then(settings: PlatformSettings) -> None:
    client = mongo.connect(settings)
    database = client[f"{settings.namespace}rapport_sync"]
    terms = [
        {"version": 1, "purpose": "service", "basis": "contract", "fields": ["contact.name"]},
        {"version": 2, "purpose": "ads", "basis": "consent", "fields": ["*"]},
    ]
    await database["channels"].insert_one({"_id": "shop", "terms": terms, "secrets": ["never told"]})
    await database["progress"].insert_many([{"_id": "shop"}, {"_id": "gone"}])
    rows = [(channel, customer) for channel in ("gone", "shop") for customer in (ANN, BOB)]
    await database["deliveries"].insert_many(
        {"_id": f"{channel}:{one}", "channel": channel, "customer": one, "policy_version": 1, "at": AT, "times": 2}
        for channel, one in rows
    )
    pages: list[HeldPage] = []
    cursor: str | None = None
    while not pages or cursor:
        pages.append(await held(database).page([ANN], cursor, 1))
        cursor = pages[-1].next
    told = [item.data for one in pages for item in one.items]
    assert [(one["channel"], one["customer_id"], one["times"]) for one in told] == [("gone", ANN, 2), ("shop", ANN, 2)]
    assert (told[1]["purpose"], told[1]["fields"], told[1]["at"]) == (
        "service",
        ["contact.name"],
        "2026-01-02T00:00:00Z",
    )
    assert "never told" not in repr(pages)
    await mongo.close(client)


async def test_a_channel_that_may_have_been_told_is_named_as_one_that_perhaps_was(settings: PlatformSettings) -> None:
    client = mongo.connect(settings)
    database = client[f"{settings.namespace}rapport_sync"]
    await database["progress"].insert_many(
        [{"_id": "told", "reach": {"3": 9}}, {"_id": "perhaps", "reach": {"3": 7}}, {"_id": "not", "reach": {"3": 6}}, {"_id": "stream"}]
    )  # fmt: skip
    views = [{"_id": one, "partition": 3, "first": [3, 7], "view": b"{}"} for one in (ANN, BOB)]
    await database["views"].insert_many(views)
    await database["deliveries"].insert_one({"_id": f"told:{ANN}", "channel": "told", "customer": ANN})
    page = await held(database).page([ANN], None, 500)
    while page.items[0].section != "perhaps_delivered":
        page = await held(database).page([ANN], page.next, 500)
    assert [item.data for item in page.items] == [{"customer_id": ANN, "channel": "perhaps"}]
    assert page.next is None
    await mongo.close(client)
