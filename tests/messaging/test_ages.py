"""What the log still has, as a real broker answers it."""

from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from shared.contracts.fact import Topic
from shared.contracts.interactions import SALES
from shared.contracts.scoring import SCORES
from shared.contracts.sync import CUSTOMERS
from shared.messaging.ages import Log, Named
from shared.settings import PlatformSettings
from tests.waiting import eventually

pytestmark = pytest.mark.integration
LONG_AGO = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp() * 1000)
FAR_AHEAD = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp() * 1000)


async def send(
    settings: PlatformSettings, topic: str, key: str, value: bytes | None, timestamp_ms: int | None = None
) -> TopicPartition:
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap) as producer:
        sent = await producer.send_and_wait(
            settings.namespace + topic, value, key=key.encode(), timestamp_ms=timestamp_ms
        )
    return TopicPartition(sent.topic, sent.partition)


async def forget(settings: PlatformSettings, place: TopicPartition, before: int) -> None:
    """As retention does, without waiting two weeks."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        await admin.delete_records({place: RecordsToDelete(before_offset=before)})
    finally:
        await admin.close()


async def test_a_topic_is_older_until_what_was_there_before_is_gone(
    settings: PlatformSettings, topics: dict[str, int]
) -> None:
    log, both = Log(settings), (SALES, SCORES)
    past = datetime.now(UTC) - timedelta(hours=1)
    assert await log.older(both, datetime.now(UTC)) == []
    place = await send(settings, SALES.name, "ann", b"{}")
    soon = datetime.now(UTC) + timedelta(seconds=5)
    assert await log.older(both, past) == []
    assert await log.older(both, soon) == [SALES.name]
    await forget(settings, place, 1)
    assert await log.older(both, soon) == []


async def test_a_writer_whose_clock_is_wrong_deceives_nobody(
    settings: PlatformSettings, topics: dict[str, int]
) -> None:
    """By its own time one record would seem to be of tomorrow, and another would be gone at once."""
    log = Log(settings)
    for timestamp in (FAR_AHEAD, LONG_AGO):
        await send(settings, SALES.name, "ann", b"{}", timestamp)
    now = datetime.now(UTC)
    assert await log.older((SALES,), now - timedelta(hours=1)) == []
    assert await log.older((SALES,), now + timedelta(seconds=5)) == [SALES.name]


async def test_values_under_a_key_are_found_until_they_are_compacted_away(
    settings: PlatformSettings, topics: dict[str, int]
) -> None:
    log = Log(settings)
    assert await log.named(CUSTOMERS, {"ann"}) == Named(set(), set())
    for key, value in (("ann", b"{}"), ("bob", b"{}"), ("ann", None), ("eve", None), ("ida", b"{}")):
        await send(settings, CUSTOMERS.name, key, value)
    assert await log.named(CUSTOMERS, {"ann", "eve", "ida", "nobody"}) == Named({"ann", "ida"}, {"ida"})
    await send(settings, CUSTOMERS.name, "ann", b"{}")
    assert await log.named(CUSTOMERS, {"ann"}) == Named({"ann"}, {"ann"})
    assert await log.named(CUSTOMERS, set()) == Named(set(), set())
    found = [(record.key, record.value) async for records in log.records(CUSTOMERS) for record in records]
    assert [value for key, value in found if key == b"ann"] == [b"{}", None, b"{}"]
    assert await log.written(CUSTOMERS) == len(found) == 6


async def test_a_topic_that_is_not_there_proves_nothing(settings: PlatformSettings, topics: dict[str, int]) -> None:
    with pytest.raises((KafkaError, LookupError)):
        await Log(settings).older((Topic("nowhere"),), datetime.now(UTC))


COMPACTING = Topic("crm.compacting", compacted=True)
AT_ONCE = {
    "cleanup.policy": "compact",
    "segment.ms": "100",
    "max.compaction.lag.ms": "100",
    "min.cleanable.dirty.ratio": "0.001",
    "delete.retention.ms": "100",
}


@pytest.mark.timeout(150)
async def test_after_a_tombstone_the_broker_takes_the_values_before_it_away(settings: PlatformSettings) -> None:
    """As in crm.customers, with a tenth of a second for seven days. The broker looks every fifteen seconds."""
    name = settings.namespace + COMPACTING.name
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1, topic_configs=AT_ONCE)])
        for value in (b"{}", None):
            await send(settings, COMPACTING.name, "ann", value)
        log = Log(settings)
        assert await log.named(COMPACTING, {"ann"}) == Named({"ann"}, set())

        async def gone() -> bool:
            await send(settings, COMPACTING.name, "bob", b"{}")  # what is written closes the segments before it
            return await log.named(COMPACTING, {"ann"}) == Named(set(), set())

        await eventually(gone, within=100)
        assert await log.named(COMPACTING, {"bob"}) == Named({"bob"}, {"bob"})
    finally:
        await admin.delete_topics([name])
        await admin.close()
