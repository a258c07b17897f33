"""What the service says of itself and decides, on real servers: the look back, the report, retention."""

import pytest

from services.scoring.report import Facts, html
from tests.scoring.events import customer
from tests.scoring.service import BASE, Scoring, orders, records
from tests.waiting import eventually

pytestmark = pytest.mark.integration


async def test_the_service_looks_back_at_its_scores_and_a_report_is_drawn_from_what_it_says(scoring: Scoring) -> None:
    await scoring.get("/v1/reviews", status=200)
    assert (await scoring.refused("/v1/reviews", status=409))["detail"] == "No model has been fitted yet."
    facts = orders(BASE)
    await scoring.publish(records(facts))

    async def complete() -> bool:
        return bool((await scoring.get("/v1/scores/summary"))["purchases"] == len(facts))

    await eventually(complete, within=60)
    assert (await scoring.refit())["outcome"] == "fitted"
    for name in ("reviews", "profits", "wishes"):
        await scoring.look(name)
    (review,) = (await scoring.get("/v1/reviews?limit=1", instance=1))["items"]
    assert (review["foreknown"], review["horizon_days"], review["model_version"]) == (True, 90, 1)
    assert 0 < review["customers"] <= len(BASE)
    assert abs(review["total_error"]) < 0.5
    assert review["reliability"]["brier"] < 0.25
    drawn = html(
        Facts(
            summary=await scoring.get("/v1/scores/summary"),
            model=(await scoring.get("/v1/models?limit=1"))["items"][0],
            review=review,
            base=await scoring.get("/v1/profits/base"),
            study=await scoring.get("/v1/wishes/study"),
        )
    )
    assert drawn.count("<svg") == 4
    assert "true profit is less" in drawn


async def test_a_decision_is_put_down_once_whoever_asks(scoring: Scoring) -> None:
    facts = orders(BASE)
    await scoring.publish(records(facts))

    async def complete() -> bool:
        return bool((await scoring.get("/v1/scores/summary"))["purchases"] == len(facts))

    await eventually(complete, within=60)
    assert (await scoring.refit())["outcome"] == "fitted"
    body = {
        "actions": [{"name": "call", "contact_cost": 0.01}, {"name": "gift", "contact_cost": 1, "offer_cost": 9_999}]
    }
    for wrong in ([*body["actions"], body["actions"][0]], [{"name": "call", "contact_cost": True}]):
        async with scoring.https[0].put("/v1/actions", json={"actions": wrong}) as answer:
            assert answer.status == 422
    async with scoring.https[0].put("/v1/actions", json=body) as answer:
        assert answer.status == 200, await answer.text()
    assert [one["name"] for one in (await scoring.get("/v1/actions", instance=1))["actions"]] == ["call", "gift"]
    path = f"/v1/retention/{customer(7)}"
    preview = await scoring.get(path)
    assert (preview["recorded"], len(preview["options"]), len(preview["reasons"])) == (False, 2, 3)
    decided = []
    for https in scoring.https:
        async with https.post(path) as answer:
            assert answer.status == 200, await answer.text()
            decided.append(await answer.json())
    assert decided[0] == decided[1]
    assert decided[0]["recorded"]
    assert await scoring.get(path, instance=1) == decided[0]
    learnt = await scoring.get("/v1/persuasion")
    assert [(one["action"], one["elsewhere"]["weight"]) for one in learnt["actions"]] == [("call", 0.0), ("gift", 0.0)]
    await scoring.get(f"/v1/retention/{customer(9_999)}", status=404)
    assert (await scoring.get("/v1/retention/models"))["items"] == []
    (made,) = (await scoring.look("uplift"))["items"]
    assert [(one["action"], one["doubt"], one["in_use"]) for one in made["actions"]] == [
        ("call", "too few customers", False),
        ("gift", "too few customers", False),
    ]
    assert await scoring.get("/v1/retention/models/1", instance=1) == made | {"models": {}}
    assert (await scoring.get("/v1/retention/models"))["items"] == [made]
    await scoring.get("/v1/retention/models/2", status=404)
