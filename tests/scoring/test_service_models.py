"""The family of models in use, on real servers: chosen for the base, scored by on every instance, and contested."""

from collections.abc import Sequence

import pytest

from services.scoring.domain.purchases import Purchases
from shared.contracts.scoring import Score
from tests.scoring.events import customer
from tests.scoring.orders import synthetic_base
from tests.scoring.regular import regular_base
from tests.scoring.seasonal import seasonal_base
from tests.scoring.service import Scoring, orders, records
from tests.waiting import eventually

pytestmark = pytest.mark.integration


async def filled(service: Scoring, base: Sequence[Purchases]) -> None:
    facts = orders(base)
    await service.publish(records(facts))

    async def complete() -> bool:
        return bool((await service.get("/v1/scores/summary"))["purchases"] == len(facts))

    await eventually(complete, within=90)


async def test_regular_buyers_get_their_rhythm_and_are_scored_by_it(scoring: Scoring) -> None:
    base, _ = regular_base(1_500, 900, seed=5)
    await scoring.get("/v1/models/choice", status=404)
    await scoring.get("/v1/models/challengers", status=404)
    await scoring.refused("/v1/models/challengers", status=409)
    await filled(scoring, base)
    assert (await scoring.refit())["outcome"] == "fitted"
    choice = await scoring.look("choice")
    assert (choice["outcome"], choice["nominated"]) == ("taken", "mbg-cnbd-3")
    assert await scoring.get("/v1/models/choice", instance=1) == choice
    (model, first) = (await scoring.get("/v1/models"))["items"]
    assert (first["name"], model["name"], model["why"]) == (
        "mbg-nbd+gamma-gamma",
        "mbg-cnbd-3+gamma-gamma",
        choice["why"],
    )
    assert (model["mbg_nbd"]["k"], first["mbg_nbd"]["k"]) == (3, 1)
    for instance in (0, 1):

        async def scored(instance: int = instance) -> Score | None:
            score = Score.model_validate(await scoring.get(f"/v1/scores/{customer(5)}", instance=instance))
            return score if score.model and score.model.version == model["version"] else None

        score = await eventually(scored)
        assert score is not None
        assert score.model is not None
        assert score.model.name == "mbg-cnbd-3+gamma-gamma"
    past = await scoring.get(f"/v1/scores/{customer(5)}?as_of={base[5].last_at.isoformat().replace('+00:00', 'Z')}")
    assert past["model"]["name"] == "mbg-cnbd-3+gamma-gamma"
    assert (await scoring.get(f"/v1/scores/{customer(5)}/lifetime-value"))["model_version"] == model["version"]
    assert (await scoring.get(f"/v1/scores/{customer(5)}/reasons"))["score"]["model"]["name"] == model["name"]
    (review,) = (await scoring.look("reviews"))["items"]
    assert review["model_version"] == model["version"]
    contest = await scoring.look("challengers")
    assert contest["champion"]["name"] == "mbg-cnbd-3"
    shown = {one["name"]: one["can_serve"] for one in contest["challengers"]}
    assert shown == {"mbg-nbd": True, "pareto-nbd": False}
    assert await scoring.get("/v1/models/challengers", instance=1) == contest


async def test_a_base_that_nobody_seems_to_leave_is_scored_and_the_doubt_is_named(scoring: Scoring) -> None:
    base, _ = regular_base(150, 300, seed=9, leaving=0.0, steps=1)
    await filled(scoring, base)
    report = await scoring.refit()
    assert (report["outcome"], report["doubts"]) == ("fitted", ["dropout not identified"])
    (model,) = (await scoring.get("/v1/models"))["items"]
    assert (model["name"], model["doubts"]) == ("nbd+gamma-gamma", ["dropout not identified"])
    score = Score.model_validate(await scoring.get(f"/v1/scores/{customer(5)}"))
    assert (score.p_alive, score.segment == "gone") == (1.0, False)
    assert score.value is not None
    assert score.value > 0
    await scoring.get(f"/v1/scores/{customer(5)}/lifetime-value")
    choice = await scoring.look("choice")
    assert choice["outcome"] in {"confirmed", "taken"}
    assert "explains the base no better" in str(choice["why"])


async def test_before_christmas_more_is_expected_of_a_base_that_buys_more_then(scoring: Scoring) -> None:
    """Three years and nine months until the end of September, on both instances, in scores, reasons and reviews."""
    base, _ = seasonal_base(1_000, 1_369, seed=41, gap=30.0)
    await filled(scoring, base)
    assert (await scoring.refit())["outcome"] == "fitted"
    newest = max(one.last_day for one in base)
    buyer = next(n for n, one in enumerate(base) if one.frequency > 5 and one.last_day > newest - 10)
    plain = Score.model_validate(await scoring.get(f"/v1/scores/{customer(buyer)}"))
    june = Score.model_validate(await scoring.get(f"/v1/scores/{customer(buyer)}?as_of=2024-06-10T00:00:00Z"))
    choice = await scoring.look("choice")
    season = (await scoring.get("/v1/models/choice", instance=1))["season"]
    assert season == choice["season"]
    assert "years are alike" in season["why"]
    model = (await scoring.get("/v1/models"))["items"][0]
    assert model["season"] == season["levels"]
    assert len(season["levels"]) == 13
    assert (await scoring.get("/v1/models/1"))["season"] == []
    for instance in (0, 1):

        async def scored(instance: int = instance) -> Score | None:
            score = Score.model_validate(await scoring.get(f"/v1/scores/{customer(buyer)}", instance=instance))
            return score if score.model and score.model.version == model["version"] else None

        score = await eventually(scored)
        assert score is not None
        assert score.expected_purchases is not None
        assert plain.expected_purchases is not None
        assert score.expected_purchases > 1.1 * plain.expected_purchases
        assert score.p_alive == pytest.approx(plain.p_alive, abs=0.01)
    summer = Score.model_validate(await scoring.get(f"/v1/scores/{customer(buyer)}?as_of=2024-06-10T00:00:00Z"))
    assert summer.expected_purchases is not None
    assert june.expected_purchases is not None
    assert summer.expected_purchases < 0.9 * june.expected_purchases
    explained = await scoring.get(f"/v1/scores/{customer(buyer)}/reasons")
    assert "high-season" in {reason["code"] for reason in explained["reasons"]}
    assert (await scoring.look("reviews"))["items"][0]["model_version"] == model["version"]


async def test_a_base_without_a_pace_is_told_why_it_has_none(scoring: Scoring) -> None:
    base, _ = synthetic_base(300, 600, seed=3)
    await scoring.get("/v1/models/pace", status=404)
    await scoring.refused("/v1/models/pace", status=409)
    await filled(scoring, base)
    assert (await scoring.refit())["outcome"] == "fitted"
    look = await scoring.look("pace")
    assert (look["pace"], look["model_version"], look["held"]) == (None, 1, [])
    assert "no better beyond doubt" in str(look["why"])
    assert look["customers"] == 300
    assert await scoring.get("/v1/models/pace", instance=1) == look
    assert (await scoring.get("/v1/models/1"))["pace"] is None
