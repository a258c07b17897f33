"""The running service as the tests of it see it: two instances over HTTP, and Kafka for the services around them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.scoring.api.looks import LOOKS
from services.scoring.domain.purchases import Purchases
from services.scoring.main import create
from services.scoring.settings import ScoringSettings
from shared.contracts.contacts import CONTACTS, ContactMerged, ContactRestricted, ContactUnmerged
from shared.contracts.fact import Fact
from shared.contracts.interactions import INTERACTIONS, SALES, ContractChanged, InteractionRecorded, OrderPlaced
from shared.messaging import Outgoing
from shared.messaging.outbox import packed, sequenced
from shared.security import key_sha256
from shared.settings import PlatformSettings
from tests.scoring.events import customer, placed
from tests.scoring.memory import new_unit
from tests.scoring.orders import synthetic_base
from tests.waiting import eventually
from tests.web import serving

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

    async def look(self, name: str, instance: int = 0) -> Any:
        """Ask for a look through the base, and wait until it has ended well. What it has found."""
        path = LOOKS[name].path
        async with self.https[instance].post(path) as answer:
            assert answer.status == 202, await answer.text()
            assert answer.headers["location"] == f"/v1/looks/{name}"

        async def ended() -> str | None:
            state = (await self.get(f"/v1/looks/{name}", instance=instance))["state"]
            return None if state == "running" else str(state)

        assert await eventually(ended, within=120) == "done"
        return await self.get(path, instance=instance)

    async def refused(self, path: str, status: int) -> Any:
        async with self.https[0].post(path) as answer:
            assert answer.status == status, await answer.text()
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


@asynccontextmanager
async def two_instances(settings: PlatformSettings, topics: dict[str, int], **changes: Any) -> AsyncIterator[Scoring]:
    """Of the service, whose clock is the stream's; refits are asked for. `changes` are settings."""
    async with AsyncExitStack() as stack:
        https = []
        for instance in ("one", "two"):
            ours = {
                "admin_key_sha256": key_sha256(ADMIN),
                "clock": "stream",
                "instance": instance,
                "scoring_refit_seconds": 3_600,
            }
            app = create(ScoringSettings(**(settings.model_dump() | ours | changes)))
            https.append(await stack.enter_async_context(serving(app, ADMIN)))
        for http in https:
            await eventually(lambda http=http: ready(http), within=60)  # type: ignore[misc]
        yield Scoring(https, settings, topics)


async def ready(http: aiohttp.ClientSession) -> bool:
    async with http.get("/readyz") as answer:
        return answer.status == 200


def orders(base: Sequence[Purchases], first: int = 0, channel: str = "shop") -> list[OrderPlaced]:
    """Of customers numbered from `first` on."""
    facts = [
        placed(customer(number), purchases.until(day.day).last_at, Decimal(day.micros).scaleb(-6), channel=channel)
        for number, purchases in enumerate(base, first)
        for day in purchases.days
    ]
    return sorted(facts, key=lambda fact: fact.ordered_at)


def records(facts: Sequence[Fact], first: int = 1) -> list[Outgoing]:
    """As the relays of interactions and contacts publish them."""
    unit = new_unit()
    for fact in facts:
        match fact:
            case OrderPlaced():
                unit.publish(SALES, fact, key=fact.customer_id, time=fact.ordered_at)
            case ContractChanged():
                unit.publish(SALES, fact, key=fact.customer_id, time=fact.happened_at)
            case InteractionRecorded():
                unit.publish(INTERACTIONS, fact, key=fact.customer_id, time=fact.occurred_at)
            case ContactMerged() | ContactUnmerged():
                for end in (fact.survivor, fact.absorbed):
                    unit.publish(CONTACTS, fact, key=end)
            case ContactRestricted():
                unit.publish(CONTACTS, fact, key=fact.customer_id)
    return [
        event
        for number, record in enumerate(unit.outgoing, first)
        for document in packed([record], unit.now)
        for event in sequenced(document, 1, number)
    ]
