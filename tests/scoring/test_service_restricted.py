"""Whoever is restricted, on real servers: the service is started again meanwhile, and sales go on."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.scoring.store.restrictions import ALL_HIDDEN, NOTES
from shared.contracts.contacts import ContactRestricted
from shared.contracts.scoring import SCORES, ScoreChanged, ScoreWithdrawn
from shared.mongo import Database
from shared.settings import PlatformSettings
from tests.scoring.events import customer, placed
from tests.scoring.service import Scoring, records, two_instances
from tests.waiting import eventually

pytestmark = pytest.mark.integration
ANN, BOB = customer(0), customer(1)
AT = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
TEN = Decimal(10)


def said(customer_id: str, *, restricted: bool) -> ContactRestricted:
    return ContactRestricted(customer_id=customer_id, restricted=restricted, since=AT)


async def shown(scoring: Scoring, customers: int, purchases: int) -> None:
    """So much is counted by scoring, as all instances tell it."""

    async def counted() -> bool:
        told = [await scoring.get("/v1/scores/summary", instance=instance) for instance in (0, 1)]
        return [(one["customers"], one["purchases"]) for one in told] == [(customers, purchases)] * 2

    await eventually(counted, within=60)


async def told_of(scoring: Scoring, customer_id: str) -> list[Any]:
    """By its log: with how many purchases, or whether it was withdrawn because of a restriction."""
    told: list[Any] = []
    for record in await scoring.log(SCORES.name):
        if record.key == customer_id.encode():
            if dict(record.headers)["ce_type"] == ScoreWithdrawn.TYPE.encode():
                told.append(ScoreWithdrawn.model_validate_json(record.value).restricted)
            else:
                told.append(ScoreChanged.model_validate_json(record.value).score.purchases)
    return told


async def test_a_restriction_lasts_over_a_restart_and_its_end_tells_everything(
    settings: PlatformSettings, topics: dict[str, int], database: Database
) -> None:
    restriction = records([said(ANN, restricted=True)], 10)
    async with two_instances(settings, topics) as scoring:
        await scoring.publish(records([placed(ANN, AT, TEN), placed(BOB, AT, TEN)]))
        await shown(scoring, 2, 2)
        await scoring.publish(restriction)
        await shown(scoring, 1, 1)
    async with two_instances(settings, topics) as scoring:
        later = AT + timedelta(days=1)
        await scoring.publish([*restriction, *records([placed(ANN, later, TEN), placed(BOB, later, TEN)], 20)])
        await shown(scoring, 1, 2)
        for instance in (0, 1):
            await scoring.get(f"/v1/scores/{ANN}", 409, instance)
        await scoring.publish(records([said(ANN, restricted=False)], 30))
        await shown(scoring, 2, 4)
        score = await scoring.get(f"/v1/scores/{ANN}")
        assert (score["purchases"], Decimal(score["money"])) == (2, 2 * TEN)

        async def all_told() -> bool:
            return (await told_of(scoring, ANN))[-1:] == [2]

        await eventually(all_told, within=60)
        assert await told_of(scoring, ANN) == [1, True, 2]
        assert await told_of(scoring, BOB) == [1, 2]


async def test_scores_from_before_restrictions_were_heeded_are_withdrawn_with_the_start(
    settings: PlatformSettings, topics: dict[str, int], database: Database
) -> None:
    async with two_instances(settings, topics) as scoring:
        await scoring.publish(records([placed(ANN, AT, TEN), placed(BOB, AT, TEN)]))
        await shown(scoring, 2, 2)
    # As a release left it that heard of restrictions and went on: no start had looked for them either.
    await database["restricted"].insert_one({"_id": ANN})
    await database[NOTES].delete_one({"_id": ALL_HIDDEN})
    async with two_instances(settings, topics) as scoring:
        await shown(scoring, 1, 1)
        await scoring.get(f"/v1/scores/{ANN}", 409)

        async def all_told() -> bool:
            return await told_of(scoring, ANN) == [1, True]

        await eventually(all_told, within=60)
