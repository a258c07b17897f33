"""The whole service on real servers: orders come in over Kafka, scores go out over Kafka, people use HTTP."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.scoring.domain.purchases import Purchases
from services.scoring.main import create
from services.scoring.settings import ScoringSettings
from shared.contracts.interactions import SALES, OrderPlaced
from shared.contracts.scoring import SCORES, Score, ScoreChanged
from shared.contracts.topics import DEAD_LETTERS
from shared.messaging import Outgoing
from shared.messaging.outbox import packed, sequenced
from shared.security import key_sha256
from shared.settings import PlatformSettings
from tests.scoring.events import customer, placed
from tests.scoring.memory import new_unit
from tests.scoring.orders import synthetic_base
from tests.waiting import eventually
from tests.web import serving

pytestmark = pytest.mark.integration
ADMIN = "rk_admin_" + "x" * 43
BASE, END = synthetic_base(250, 600, seed=17)


class Scoring:
    """Two instances of the service, and Kafka for the services around them."""

    def __init__(self, https: list[aiohttp.ClientSession], settings: PlatformSettings, topics: dict[str, int]) -> None:
        self.https = https
        self._settings = settings
        self._topics = topics

    async def get(self, path: str, status: int = 200, instance: int = 0) -> Any:
        async with self.https[instance].get(path) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def refit(self) -> Any:
        async with self.https[0].post("/v1/models/refit") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def publish(self, records: Sequence[Outgoing]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self._settings.kafka_bootstrap) as producer:
            for topic, key, value, headers in records:
                await producer.send(self._settings.namespace + topic, value, key, headers=list(headers))
            await producer.flush()

    async def log(self, topic: str) -> list[Any]:
        """All records of a topic until now."""
        bootstrap = self._settings.kafka_bootstrap
        async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
            name = self._settings.namespace + topic
            partitions = [TopicPartition(name, number) for number in range(self._topics[name])]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            records: list[Any] = []
            while sum(ends.values()) > len(records):
                for batch in (await consumer.getmany(timeout_ms=1_000)).values():
                    records += batch
            return records


@pytest.fixture
async def scoring(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Scoring]:
    async with AsyncExitStack() as stack:
        https = []
        for instance in ("one", "two"):
            given = settings.model_dump() | {
                "admin_key_sha256": key_sha256(ADMIN),
                "clock": "stream",
                "instance": instance,
                "batch_records": 200,
                "scoring_refit_seconds": 3_600,
            }
            https.append(await stack.enter_async_context(serving(create(ScoringSettings(**given)), ADMIN)))
        for http in https:
            await eventually(lambda http=http: ready(http), within=60)  # type: ignore[misc]
        yield Scoring(https, settings, topics)


async def ready(http: aiohttp.ClientSession) -> bool:
    async with http.get("/readyz") as answer:
        return answer.status == 200


def orders(base: Sequence[Purchases]) -> list[OrderPlaced]:
    facts = [
        placed(customer(number), purchases.until(day.day).last_at, Decimal(day.micros).scaleb(-6))
        for number, purchases in enumerate(base)
        for day in purchases.days
    ]
    return sorted(facts, key=lambda fact: fact.ordered_at)


def records(facts: Sequence[OrderPlaced], first: int = 1) -> list[Outgoing]:
    """As the relay of interactions publishes them."""
    unit = new_unit()
    for fact in facts:
        unit.publish(SALES, fact, key=fact.customer_id, time=fact.ordered_at)
    return [
        event
        for number, record in enumerate(unit.outgoing, first)
        for document in packed([record], unit.now)
        for event in sequenced(document, 1, number)
    ]


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
