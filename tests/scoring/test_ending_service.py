"""How contracts end, on real servers: contracts and complaints come in over Kafka, and complaints speak where they foretell it."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from shared.contracts.fact import Fact
from shared.contracts.interactions import ContractChanged
from shared.settings import PlatformSettings
from tests.scoring.contracts.holders import END, HORIZON, Held, held
from tests.scoring.events import customer, placed
from tests.scoring.service import Scoring, records, two_instances
from tests.scoring.test_churn_service import LAST, complaint
from tests.waiting import eventually

pytestmark = pytest.mark.integration
SIZE = 1_500


@pytest.fixture
async def scoring(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Scoring]:
    async with two_instances(settings, topics, scoring_horizon_days=HORIZON) as service:
        yield service


def facts_of(number: int, one: Held) -> list[Fact]:
    changed: list[Fact] = [
        ContractChanged(
            change_id=f"{number}-{place}",
            customer_id=customer(number),
            channel="billing",
            contract=f"C{number}",
            event=kind.name.lower().replace("_", "-"),
            happened_at=at,
            currency="USD",
        )
        for place, (at, kind) in enumerate(one.happened)
    ]
    return [*changed, *(complaint(number, at) for at in one.complained)]


async def told(scoring: Scoring, base: list[Held]) -> None:
    """Until all of it is known. The clock of a history that is played goes by sales."""
    facts = [fact for number, one in enumerate(base) for fact in facts_of(number, one)]
    clock = placed(customer(LAST[-1] + 1), END, Decimal(10))
    await scoring.publish(records([*facts, clock, *(complaint(number, END) for number in LAST)]))

    async def heard() -> bool:
        for number in LAST:
            async with scoring.https[0].get(f"/v1/wishes/{customer(number)}") as answer:
                if answer.status != 200:
                    return False
        return True

    async def complete() -> bool:
        return bool((await scoring.look("contracts"))["contracts"] == len(base))

    await eventually(heard, within=90)
    await eventually(complete, within=60)


async def contract(scoring: Scoring, number: int) -> Any:
    (found,) = (await scoring.get(f"/v1/contracts/{customer(number)}", instance=number % 2))["contracts"]
    return found


async def ends(scoring: Scoring, number: int) -> Any:
    """Of the customer's contract; None of one that is over."""
    found = await contract(scoring, number)
    assert (found["ends"] is None) == (found["ended_at"] is not None)
    return found["ends"]


async def test_complaints_that_foretell_leaving_speak_for_contracts(scoring: Scoring) -> None:
    base = held(SIZE, 3, telling=True)
    await told(scoring, base)
    (made,) = (await scoring.look("endings"))["items"]
    assert (made["version"], made["in_use"], made["doubt"], made["share"], len(made["windows"])) == (
        1,
        True,
        None,
        1.0,
        2,
    )
    assert made["voluntary"] > made["involuntary"] > 0
    for window in made["windows"]:
        assert window["low"] > 0
        assert window["behaviour"]["brier"] < window["age"]["brier"]
    read = await scoring.get("/v1/contracts/models/1", instance=1)
    assert {name: read[name] for name in made} == made
    assert '"hazards"' in read["model"]
    await scoring.get("/v1/contracts/models/2", status=404)
    found = {number: one for number in range(0, SIZE, 3) if (one := await ends(scoring, number))}
    assert {(one["by"], one["version"], one["horizon_days"]) for one in found.values()} == {("behaviour", 1, HORIZON)}
    for one in found.values():
        assert 0 <= one["voluntary"] + one["involuntary"] <= 1
    angry = [one for number, one in found.items() if any((END - at).days < 20 for at in base[number].complained)]
    assert len(angry) > 3
    assert all(one["voluntary"] > one["base_voluntary"] for one in angry)


async def test_where_complaints_are_noise_age_goes_on_to_speak(scoring: Scoring) -> None:
    await told(scoring, held(SIZE, 3, telling=False))
    (made,) = (await scoring.look("endings"))["items"]
    assert not made["in_use"]
    found = [await contract(scoring, number) for number in range(40)]
    running = [one["ends"] for one in found if one["ended_at"] is None]
    assert running
    if made["doubt"]:
        # Not even a model that could be held against age: the outlook is all there is.
        assert set(running) == {None}
    else:
        assert {one["by"] for one in running} == {"age"}
        assert all(one["voluntary"] == one["base_voluntary"] for one in running)


async def test_a_company_without_contracts_has_nothing_to_learn(scoring: Scoring) -> None:
    async with scoring.https[0].post("/v1/contracts/models") as answer:
        assert answer.status == 202

    async def looked() -> bool:
        return bool((await scoring.get("/v1/looks/endings", instance=1))["state"] == "nothing")

    await eventually(looked)
    assert (await scoring.get("/v1/contracts/models"))["items"] == []
