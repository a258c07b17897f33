"""The log is done with an erasure when somebody has seen that nothing from before it is left."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from services.contacts.domain.erasure import SERVICES, Erasure, begun, receipted
from services.contacts.handlers.forgetting import Forgetting
from shared import mongo
from shared.contracts.erasures import LOG, ErasureDone
from shared.contracts.fact import Topic
from shared.contracts.sync import CUSTOMERS
from shared.contracts.topics import PERSONAL
from shared.leases import OwnLease
from shared.messaging import Messaging, Unit
from shared.messaging.ages import Log, Named
from shared.messaging.outbox import Outgoing, Told
from shared.settings import PlatformSettings
from tests.waiting import eventually

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
ID = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b"
ANN = "019b7a2c-5c01-7000-8000-5a4b3c2d1e0f"
BOB = "019b7a2c-5c02-7000-8000-5a4b3c2d1e0f"
HOUR = timedelta(hours=1)


class LogInMemory:
    def __init__(self) -> None:
        self.oldest = NOW
        self.keys: set[str] = set()
        self.uncovered: set[str] = set()
        self.asked: list[str] = []

    async def older(self, topics: Sequence[Topic], moment: datetime) -> list[str]:
        self.asked += [topic.name for topic in topics]
        return ["crm.sales"] if self.oldest < moment else []

    async def named(self, topic: Topic, keys: Collection[str]) -> Named:
        self.asked.append(topic.name)
        return Named(self.keys & set(keys), self.uncovered & set(keys))


class FilesInMemory:
    oldest = NOW + 1000 * HOUR

    async def older(self, moment: datetime) -> list[str]:
        return ["import_rows"] if self.oldest < moment else []


class LedgerInMemory:
    def __init__(self, *erasures: Erasure) -> None:
        self.erasures = erasures

    async def unfinished(self) -> AsyncIterator[Erasure]:
        for erasure in self.erasures:
            yield erasure


def erasure(*done: str) -> Erasure:
    one = begun(Erasure(ID, (ANN,), "objection", "customer", None, "/keys/k", NOW, NOW + timedelta(days=30)))
    for place in done:
        one = receipted(one, ErasureDone(erasure_id=ID, place=place, at=NOW + HOUR))
    return one


async def told_of(log: LogInMemory, *erasures: Erasure, files: FilesInMemory | None = None) -> list[Outgoing | Told]:
    """All that one look tells."""
    database: Any = None
    session: Any = None
    told: list[Outgoing | Told] = []

    async def transact(change: Callable[[Unit], Awaitable[Any]]) -> None:
        unit = Unit("contacts", database, session)
        await change(unit)
        told.extend(unit.outgoing)

    ledger = LedgerInMemory(*erasures)
    await Forgetting(log, files or FilesInMemory(), ledger, OwnLease(), "one", transact, clocks=HOUR).look()
    return told


async def receipts(log: LogInMemory, *erasures: Erasure, files: FilesInMemory | None = None) -> list[str]:
    told = await told_of(log, *erasures, files=files)
    return [ErasureDone.model_validate_json(one.value or b"").place for one in told]


async def test_nothing_is_read_while_no_erasure_waits_for_it() -> None:
    log = LogInMemory()
    assert await receipts(log) == []
    assert await receipts(log, erasure("contacts"), erasure(*SERVICES, LOG)) == []
    assert log.asked == []


async def test_it_is_done_when_the_oldest_record_is_younger_than_the_last_word_of_any_service() -> None:
    log = LogInMemory()
    log.oldest = NOW + 1.9 * HOUR  # an hour for clocks that differ
    assert await receipts(log, erasure(*SERVICES)) == []
    log.oldest = NOW + 2 * HOUR
    assert await receipts(log, erasure(*SERVICES)) == [LOG]
    assert set(log.asked) == {topic.name for topic in PERSONAL}


async def test_a_value_that_compaction_has_left_keeps_it_open() -> None:
    log = LogInMemory()
    log.oldest, log.keys = NOW + 3 * HOUR, {ANN}
    assert await receipts(log, erasure(*SERVICES)) == []
    log.keys = {"somebody else"}
    assert await receipts(log, erasure(*SERVICES)) == [LOG]


async def test_a_view_that_came_late_behind_its_tombstone_is_given_another_and_keeps_it_open() -> None:
    log = LogInMemory()
    log.oldest, log.keys, log.uncovered = NOW + 3 * HOUR, {ANN, BOB}, {ANN}
    told = await told_of(log, erasure(*SERVICES))
    assert [(one.topic, one.key, one.value) for one in told] == [(CUSTOMERS.name, ANN.encode(), None)]
    log.uncovered = set()
    assert await told_of(log, erasure(*SERVICES)) == []
    log.keys = {BOB}
    assert await receipts(log, erasure(*SERVICES)) == [LOG]


@pytest.mark.integration
async def test_a_real_broker_is_told_the_tombstone_again(settings: PlatformSettings, topics: dict[str, int]) -> None:
    client, log = mongo.connect(settings), Log(settings)
    messaging = Messaging("contacts", settings, client, client[f"{settings.namespace}rapport_contacts"])
    await messaging.start()
    try:
        async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap) as producer:
            for key, value in ((ANN, b"{}"), (BOB, b"{}"), (ANN, None), (ANN, b"{}")):
                await producer.send_and_wait(settings.namespace + CUSTOMERS.name, value, key=key.encode())
        ledger = LedgerInMemory(erasure(*SERVICES))
        forgetting = Forgetting(log, FilesInMemory(), ledger, OwnLease(), "one", messaging.transact)

        async def covered() -> bool:
            await forgetting.look()
            return await log.named(CUSTOMERS, {ANN, BOB}) == Named({ANN, BOB}, {BOB})

        await eventually(covered, within=40)
    finally:
        await messaging.stop()
        await mongo.close(client)


async def test_rows_of_an_imported_file_from_before_keep_it_open() -> None:
    log, files = LogInMemory(), FilesInMemory()
    log.oldest, files.oldest = NOW + 3 * HOUR, NOW + HOUR
    assert await receipts(log, erasure(*SERVICES), files=files) == []
    files.oldest = NOW + 2 * HOUR
    assert await receipts(log, erasure(*SERVICES), files=files) == [LOG]
