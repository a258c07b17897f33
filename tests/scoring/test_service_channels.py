"""Channels told apart, on real servers: the same purchases are worth another score to those who came another way."""

from typing import Any

import pytest

from services.scoring.domain.purchases import Purchases
from tests.scoring.events import customer
from tests.scoring.service import Scoring, orders, records
from tests.scoring.test_channel_looks import spending
from tests.scoring.test_shrinkage import TILL, WEB, bought
from tests.waiting import eventually

pytestmark = pytest.mark.integration
SIZE = 800


async def test_customers_with_the_same_purchases_are_scored_by_how_they_came(scoring: Scoring) -> None:
    till, web = (
        [Purchases.unpack(one) for one in spending(bought(model, SIZE, seed), seed)]
        for seed, model in ((1, TILL), (2, WEB))
    )
    # The last of each channel has bought what the first of the till has.
    bases = {"till": [*till, till[0]], "web": [*web, till[0]]}
    twins = customer(SIZE), customer(2 * SIZE + 1)
    facts = [*orders(bases["till"], 0, "till"), *orders(bases["web"], SIZE + 1, "web")]
    await scoring.get("/v1/models/channels", status=404)
    await scoring.refused("/v1/models/channels", status=409)
    await scoring.publish(records(facts))

    async def complete() -> bool:
        return bool((await scoring.get("/v1/scores/summary"))["purchases"] == len(facts))

    await eventually(complete, within=90)
    assert (await scoring.refit())["outcome"] == "fitted"

    async def scores(version: int, instance: int) -> list[Any] | None:
        found = [await scoring.get(f"/v1/scores/{one}", instance=instance) for one in twins]
        return found if all(one["model"] and one["model"]["version"] == version for one in found) else None

    before = await eventually(lambda: scores(1, 0))
    assert before is not None
    assert len({(one["p_churn"], one["value"]) for one in before}) == 1
    look: Any = await scoring.look("channels")
    assert (look["alike"], look["model_version"]) == (False, 2)
    assert {one["channel"]: one["customers"] for one in look["channels"]} == {"till": SIZE + 1, "web": SIZE + 1}
    assert any(one["better"] for one in look["tried"])
    assert await scoring.get("/v1/models/channels", instance=1) == look

    (second, first) = (await scoring.get("/v1/models"))["items"]
    assert first["channels"] == []
    rates = {one["channel"]: one["r"] / one["alpha"] for one in second["channels"]}
    assert rates["web"] > 2 * rates["till"]
    for instance in (0, 1):
        after = await eventually(lambda instance=instance: scores(2, instance))  # type: ignore[misc]
        assert after is not None
        assert len({one["p_churn"] for one in after}) == len({one["value"] for one in after}) == 2
        values = [await scoring.get(f"/v1/scores/{one}/lifetime-value", instance=instance) for one in twins]
        assert len({one["value"] for one in values}) == 2
    # Refits keep them apart.
    assert (await scoring.refit())["version"] == 2
