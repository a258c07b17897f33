"""The whole service on real servers: orders come in over Kafka, scores go out over Kafka, people use HTTP."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.scoring.domain.purchases import Purchases
from services.scoring.main import create
from services.scoring.report import Facts, html
from services.scoring.settings import ScoringSettings
from shared.contracts.fact import Fact
from shared.contracts.interactions import INTERACTIONS, SALES, ContractChanged, InteractionRecorded, OrderPlaced
from shared.contracts.scoring import SCORES, Score, ScoreChanged
from shared.contracts.topics import DEAD_LETTERS
from shared.messaging import Outgoing
from shared.messaging.outbox import packed, sequenced
from shared.security import key_sha256
from shared.settings import PlatformSettings
from tests.scoring.events import customer, placed
from tests.scoring.memory import new_unit
from tests.scoring.orders import synthetic_base
from tests.scoring.test_contracting import told
from tests.scoring.test_wishing import contact, order
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


def orders(base: Sequence[Purchases], first: int = 0, channel: str = "shop") -> list[OrderPlaced]:
    facts = [
        placed(customer(number), purchases.until(day.day).last_at, Decimal(day.micros).scaleb(-6), channel=channel)
        for number, purchases in enumerate(base, first)
        for day in purchases.days
    ]
    return sorted(facts, key=lambda fact: fact.ordered_at)


def records(facts: Sequence[Fact], first: int = 1) -> list[Outgoing]:
    """As the relay of interactions publishes them."""
    unit = new_unit()
    for fact in facts:
        match fact:
            case OrderPlaced():
                unit.publish(SALES, fact, key=fact.customer_id, time=fact.ordered_at)
            case ContractChanged():
                unit.publish(SALES, fact, key=fact.customer_id, time=fact.happened_at)
            case InteractionRecorded():
                unit.publish(INTERACTIONS, fact, key=fact.customer_id, time=fact.occurred_at)
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


async def test_wishes_are_heard_from_orders_and_contacts_and_read_by_every_instance(scoring: Scoring) -> None:
    at = datetime(2021, 3, 1, 12, tzinfo=UTC)
    baskets = [order(customer(n), at, "pasta", "pesto", pasta="food", pesto="food") for n in range(2, 12)]
    calls = [contact(customer(1), at + timedelta(weeks=n), "call-centre", "inbound") for n in range(7)]
    await scoring.publish(records([*baskets, order(customer(1), at, "pasta", pasta="food"), *calls]))

    async def heard() -> Any:
        async with scoring.https[0].get(f"/v1/wishes/{customer(1)}") as answer:
            found = await answer.json() if answer.status == 200 else {}
        return found if found.get("channel") == "call-centre" and found["interests"] else None

    found = await eventually(heard)
    assert found["interests"] == [{"category": "food", "share": 1.0}]
    assert (found["hour"]["weekday"], found["hour"]["hour"], found["hour"]["time_zone"]) == ("monday", 12, "UTC")
    await scoring.get("/v1/wishes/study", status=404)
    for https in scoring.https:
        async with https.put("/v1/products/pesto", json={"name": "Pesto alla genovese"}) as answer:
            assert (answer.status, (await answer.json())["category"]) == (200, "food")
        async with https.post("/v1/wishes/study") as answer:
            assert (answer.status, (await answer.json())["products"]) == (200, 2)
    for instance in (0, 1):
        offers = (await scoring.get(f"/v1/wishes/{customer(1)}?number=2", instance=instance))["offers"]
        assert {offer["product"]["product"] for offer in offers} == {"pasta", "pesto"}
        assert {offer["product"]["name"] for offer in offers} == {None, "Pesto alla genovese"}
    await scoring.get(f"/v1/wishes/{customer(99)}", status=404)
    products = await scoring.get("/v1/products?limit=1")
    assert [one["product"] for one in products["items"]] == ["pasta"]
    rest = await scoring.get(f"/v1/products?cursor={products['next']}")
    assert [one["product"] for one in rest["items"]] == ["pesto"]


async def test_costs_are_set_and_a_customers_profit_is_read_line_by_line(scoring: Scoring) -> None:
    at = datetime(2021, 3, 1, 12, tzinfo=UTC)
    await scoring.publish(records([order(customer(1), at, "pasta", "pesto"), contact(customer(1), at, "call-centre")]))

    async def told() -> Any:
        async with scoring.https[0].get(f"/v1/profits/{customer(1)}") as answer:
            found = await answer.json() if answer.status == 200 else {"unknown": []}
        return found if "calls" in found["unknown"] else None

    before = await eventually(told)
    assert [Decimal(before[name]) for name in ("revenue", "profit")] == [10, 10]
    assert before["value_class"] is None
    rates = [
        {"kind": "goods", "per_unit": "0.6"},
        {"kind": "calls", "per_unit": "2.5", "subject": "unmeasured", "since": "2021-01", "until": "2022-01"},
        *({"kind": kind, "per_unit": "0"} for kind in ("payment-share", "payment-fixed", "overhead")),
    ]
    costs = {"rates": rates, "overhead": {"driver": "sales", "by": "events"}}
    async with scoring.https[0].put("/v1/costs", json={"rates": [*rates, rates[0]]}) as answer:
        assert answer.status == 422
    async with scoring.https[0].put("/v1/costs", json=costs) as answer:
        assert answer.status == 200, await answer.text()
    assert (await scoring.get("/v1/costs", instance=1))["overhead"] == costs["overhead"]
    found = await scoring.get(f"/v1/profits/{customer(1)}?since=2021-03&until=2021-04", instance=1)
    assert (Decimal(found["profit"]), found["unknown"]) == (Decimal("1.5"), [])
    assert {line["kind"]: line["events"] for line in found["lines"]}["calls"] == 1
    await scoring.get("/v1/profits/base", status=404)
    async with scoring.https[0].post("/v1/profits/base") as answer:
        base = await answer.json()
    assert (base["customers"], Decimal(base["profit"]), base["classes"]) == (
        1,
        Decimal("1.5"),
        {"L": 0, "C": 0, "B": 0, "A": 1},
    )
    assert base["curve"][-1] == {"customers": 1.0, "profit": "1.50", "percent": 100.0}
    assert await scoring.get("/v1/profits/base", instance=1) == base
    assert (await scoring.get(f"/v1/profits/{customer(1)}"))["value_class"] == "A"
    for query in ("since=2021-04&until=2021-03", "since=2021-13", "until=x"):
        await scoring.get(f"/v1/profits/{customer(1)}?{query}", status=422)
    await scoring.get(f"/v1/profits/{customer(99)}", status=404)


async def test_the_service_looks_back_at_its_scores_and_a_report_is_drawn_from_what_it_says(scoring: Scoring) -> None:
    await scoring.get("/v1/reviews", status=200)
    async with scoring.https[0].post("/v1/reviews") as answer:
        assert answer.status == 409
    facts = orders(BASE)
    await scoring.publish(records(facts))

    async def complete() -> bool:
        return bool((await scoring.get("/v1/scores/summary"))["purchases"] == len(facts))

    await eventually(complete, within=60)
    assert (await scoring.refit())["outcome"] == "fitted"
    for path in ("/v1/reviews", "/v1/profits/base", "/v1/wishes/study"):
        async with scoring.https[0].post(path) as answer:
            assert answer.status == 200, await answer.text()
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


async def test_contracts_are_heard_and_what_happens_to_them_is_learnt(scoring: Scoring) -> None:
    lives = [
        told(event, day, customer(number))
        for number in range(40)
        for event, day in (("started", number), ("cancelled" if number % 3 else "moved", 40 + 5 * number))
    ]
    await scoring.publish(records([told("started", 100, customer(50), price="30"), *lives]))

    async def heard() -> bool:
        async with scoring.https[1].post("/v1/contracts/base") as answer:
            return bool((await answer.json())["contracts"] == 41)

    await eventually(heard)
    base = await scoring.get("/v1/contracts/base?months=6", instance=1)
    assert (base["customers"], base["doubt"], len(base["outlook"])) == (41, None, 7)
    assert sum(base["outlook"][6][way] for way in ("voluntary", "involuntary", "paid", "missing")) == pytest.approx(1.0)
    await scoring.get("/v1/contracts/base", status=404)
    (found,) = (await scoring.get(f"/v1/contracts/{customer(50)}", instance=1))["contracts"]
    assert (found["contract"], found["price"], found["ended_at"]) == ("billing/C1", "30.00", None)
    assert Decimal(found["value"]) > 0
    (over,) = (await scoring.get(f"/v1/contracts/{customer(1)}", instance=1))["contracts"]
    assert (over["cause"], over["outlook"]) == ("voluntary", None)
    await scoring.get(f"/v1/contracts/{customer(99)}", status=404)


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
    async with scoring.https[0].put("/v1/actions", json={"actions": [*body["actions"], body["actions"][0]]}) as answer:
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
    learnt = await scoring.get("/v1/retention/evidence")
    assert [(one["action"], one["elsewhere"]["weight"]) for one in learnt["actions"]] == [("call", 0.0), ("gift", 0.0)]
    await scoring.get(f"/v1/retention/{customer(9_999)}", status=404)
