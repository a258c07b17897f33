"""The whole service on real servers: orders come in over Kafka, scores go out over Kafka, people use HTTP."""

import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.contracts.interactions import OrderPlaced
from shared.contracts.scoring import SCORES, Score, ScoreChanged
from shared.contracts.topics import DEAD_LETTERS
from tests.scoring.events import customer, placed
from tests.scoring.service import BASE, Scoring, orders, records
from tests.waiting import eventually

pytestmark = pytest.mark.integration


async def test_orders_published_twice_are_scored_once_and_everything_adds_up(scoring: Scoring) -> None:
    facts = orders(BASE)
    once = records(facts)
    third = len(once) // 3
    await scoring.publish([*once[: 2 * third], *once[third : 2 * third], *once[third:]])
    money = sum((purchases.money for purchases in BASE), Decimal(0))

    async def complete() -> bool:
        summary = await scoring.get("/v1/scores/summary")
        assert summary["purchases"] <= len(facts)
        return bool(summary["purchases"] == len(facts)) and Decimal(summary["money"]) == money

    await eventually(complete, within=60)
    report = await scoring.refit()
    assert (report["outcome"], report["customers"], report["told"]) == ("fitted", 250, 250)

    summary = await scoring.get("/v1/scores/summary")
    assert (summary["customers"], summary["purchases"], Decimal(summary["money"])) == (250, len(facts), money)
    number = random.Random(3).randrange(250)
    for instance in (0, 1):

        async def scored(instance: int = instance) -> Score | None:
            score = Score.model_validate(await scoring.get(f"/v1/scores/{customer(number)}", instance=instance))
            return score if score.model else None

        score = await eventually(scored)
        assert score is not None
        assert (score.money, score.last_purchase) == (BASE[number].money, BASE[number].last_at)
        assert score.as_of == max(fact.ordered_at for fact in facts)
    assert len((await scoring.get("/v1/scores?limit=1000", instance=1))["items"]) == 250


async def test_what_is_told_last_is_what_is_stored(scoring: Scoring) -> None:
    facts = orders(BASE[:100])
    await scoring.publish(records(facts))

    async def complete() -> bool:
        return bool((await scoring.get("/v1/scores/summary"))["purchases"] == len(facts))

    await eventually(complete, within=60)
    assert (await scoring.refit())["told"] == 100
    stored = {item["customer_id"]: item for item in (await scoring.get("/v1/scores?limit=1000"))["items"]}

    async def told() -> bool:
        last = {}
        for record in await scoring.log(SCORES.name):
            assert dict(record.headers)["ce_type"] == ScoreChanged.TYPE.encode()
            score = ScoreChanged.model_validate_json(record.value).score
            assert record.key.decode() == score.customer_id
            last[score.customer_id] = score.model_dump(mode="json")
        return last == stored

    await eventually(told)


async def test_history_is_scored_as_of_its_own_time_from_the_first_order_on(scoring: Scoring) -> None:
    at = datetime(2021, 3, 1, 12, tzinfo=UTC)
    await scoring.publish(records([placed(customer(1), at, Decimal(5))]))

    async def told() -> list[Any]:
        return await scoring.log(SCORES.name)

    (record,) = await eventually(told)
    score = ScoreChanged.model_validate_json(record.value).score
    assert (score.as_of, score.recency_days) == (at, 0)


async def test_an_order_that_cannot_be_booked_is_set_aside_and_the_next_one_scored(scoring: Scoring) -> None:
    at = datetime(2021, 3, 1, 12, tzinfo=UTC)
    euros = placed(customer(1), at, Decimal(5), currency="EUR")
    await scoring.publish(records([euros, placed(customer(1), at, Decimal(7))]))

    async def set_aside() -> list[Any]:
        return await scoring.log(DEAD_LETTERS.name)

    (letter,) = await eventually(set_aside)
    assert dict(letter.headers)["rapport-reason"] == b"wrong-currency"
    assert OrderPlaced.model_validate_json(letter.value) == euros

    async def scored() -> bool:
        return Decimal((await scoring.get(f"/v1/scores/{customer(1)}"))["money"]) == 7

    await eventually(scored)


async def test_the_openapi_document_names_each_operation_once(scoring: Scoring) -> None:
    paths = (await scoring.get("/openapi.json"))["paths"]
    names = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(names) == len(set(names))
