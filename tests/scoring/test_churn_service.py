"""Churn on real servers: what customers do comes in over Kafka, and speaks for them where it foretells who leaves."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from shared.contracts.fact import Fact
from shared.settings import PlatformSettings
from tests.scoring.churn.lives import HORIZON, lives
from tests.scoring.events import customer, placed
from tests.scoring.service import Scoring, records, two_instances
from tests.scoring.test_wishing import contact
from tests.waiting import eventually

pytestmark = pytest.mark.integration
LAST = range(20_000, 20_060)
"""Customers who complain last: many enough for each partition."""


@pytest.fixture
async def scoring(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Scoring]:
    async with two_instances(settings, topics, scoring_horizon_days=HORIZON) as service:
        yield service


async def told(scoring: Scoring, customers: int, seed: int, *, telling: bool) -> None:
    """A simulated base, until all of it is known, and the base model fitted."""
    base = lives(customers, seed, telling=telling)
    complaints = [(at, complaint(number, at)) for number, life in enumerate(base) for at in life.complained]
    sales = [
        (at, placed(customer(number), at, total))
        for number, life in enumerate(base)
        for at, total in zip(life.bought, life.spent, strict=True)
    ]
    in_time = [fact for _, fact in sorted([*complaints, *sales], key=lambda one: one[0])]
    last = [complaint(number, base[0].bought[0]) for number in LAST]
    await scoring.publish(records([*in_time, *last]))

    async def complete() -> bool:
        return bool((await scoring.get("/v1/scores/summary"))["purchases"] == len(sales))

    async def heard() -> bool:
        """On each partition, the last one."""
        for number in LAST:
            async with scoring.https[0].get(f"/v1/wishes/{customer(number)}") as answer:
                if answer.status != 200:
                    return False
        return True

    await eventually(complete, within=120)
    await eventually(heard, within=60)
    assert (await scoring.refit())["outcome"] == "fitted"


def complaint(number: int, at: datetime) -> Fact:
    return contact(customer(number), at, "call-centre", "inbound").model_copy(update={"kind": "complaint"})


async def learnt(scoring: Scoring) -> Any:
    """The newest version."""
    return (await scoring.look("churn"))["items"][0]


async def test_complaints_that_foretell_leaving_are_learnt_and_speak_for_customers(scoring: Scoring) -> None:
    await scoring.refused("/v1/churn/models", status=409)
    await told(scoring, 900, 1, telling=True)
    made = await learnt(scoring)
    assert (made["version"], made["in_use"], made["doubt"], len(made["windows"])) == (1, True, None, 2)
    for window in made["windows"]:
        assert window["low"] > 0
        assert window["behaviour"]["brier"] < window["purchases"]["brier"]
    read = await scoring.get("/v1/churn/models/1", instance=1)
    assert {name: read[name] for name in made} == made
    assert '"trees"' in read["model"]
    await scoring.get("/v1/churn/models/2", status=404)
    assert [one["version"] for one in (await scoring.get("/v1/churn/models", instance=1))["items"]] == [1]

    async def known_to_both() -> bool:
        return (await scoring.get(f"/v1/churn/{customer(0)}", instance=1))["base_probability"] is not None

    await eventually(known_to_both)
    found = [await scoring.get(f"/v1/churn/{customer(number)}", instance=number % 2) for number in range(900)]
    assert {one["by"] for one in found} == {"behaviour"}
    angry = [
        one
        for one in found
        if any(why["about"] == "complaint" and "last 30 days" in why["text"] for why in one["reasons"])
    ]
    assert len(angry) > 5
    assert all(one["probability"] > one["base_probability"] for one in angry if one["base_probability"] < 0.4)
    await scoring.get(f"/v1/churn/{customer(9_999)}", status=404)


async def test_noise_is_not_believed_and_the_base_model_goes_on_to_speak(scoring: Scoring) -> None:
    await told(scoring, 500, 1, telling=False)
    made = await learnt(scoring)
    assert (made["in_use"], made["version"]) == (False, 1)
    for number in range(20):
        found = await scoring.get(f"/v1/churn/{customer(number)}")
        assert (found["by"], found["version"], found["reasons"]) == ("purchases", 1, [])
        assert found["probability"] == found["base_probability"]
        score = await scoring.get(f"/v1/scores/{customer(number)}")
        assert found["probability"] == pytest.approx(score["p_churn"], abs=1e-6)
    assert found["why"].startswith("By purchases alone")
