"""What the stores that write into Kafka really leave there: keyed records in order, headers as meant, 2 MB taken."""

import json

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from demo.emitters.faults import TOO_MANY_BYTES
from demo.emitters.history import events
from demo.emitters.plan import Step, plan
from demo.emitters.senders import KafkaSender
from demo.emitters.wire import TOPIC
from deploy.local.servers import Servers

pytestmark = pytest.mark.integration


async def sent_and_read(servers: Servers, namespace: str, steps: list[Step]) -> list[ConsumerRecord]:
    producer = KafkaSender.producer(servers.kafka.url)
    await producer.start()
    try:
        await KafkaSender(producer, namespace).send(list(enumerate(steps, start=1)))
    finally:
        await producer.stop()
    return await every_record(servers.kafka.url, f"{namespace}{TOPIC}")


async def every_record(bootstrap: str, topic: str) -> list[ConsumerRecord]:
    partitions = [TopicPartition(topic, number) for number in range(4)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    consumer.assign(partitions)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(partitions)
        found: list[ConsumerRecord] = []
        while len(found) < sum(ends.values()):
            batches = await consumer.getmany(timeout_ms=1000)
            found.extend(record for batch in batches.values() for record in batch)
        return found
    finally:
        await consumer.stop()


async def test_everything_arrives_and_one_customer_stays_in_order(
    servers: Servers, namespace: str, topics: dict[str, int]
) -> None:
    assert f"{namespace}{TOPIC}" in topics
    steps = [step for step in plan(events(share=0.02)) if step.transport == "kafka"]
    records = await sent_and_read(servers, namespace, steps)
    assert len(records) == len(steps)
    assert {record.partition for record in records} == {0, 1, 2, 3}
    by_key: dict[bytes, set[int]] = {}
    for record in records:
        if record.key:
            by_key.setdefault(record.key, set()).add(record.partition)
    assert all(len(partitions) == 1 for partitions in by_key.values())
    assert any(("x-till-operator", None) in record.headers for record in records)
    assert any(dict(record.headers).get("ce_id", b"") is None for record in records)
    assert max(len(record.value) for record in records) > TOO_MANY_BYTES
    busiest = max((key for key in by_key if key.startswith(b"south-pos")), key=lambda key: times(records, key))
    mine = [step for step in steps if step.event.system.name == "south-stores" and step.fault is None]
    mine = [step for step in mine if busiest.endswith(step.event.data["customer"][0]["value"].encode())]
    assert [number(record) for record in records if record.key == busiest and readable(record)] == [
        step.event.data["order"] for step in mine
    ]


def times(records: list[ConsumerRecord], key: bytes) -> int:
    return sum(record.key == key for record in records)


def readable(record: ConsumerRecord) -> bool:
    """Not one of the broken ones, whose numbers have a word behind them."""
    try:
        return number(record).isdigit()
    except ValueError:
        return False


def number(record: ConsumerRecord) -> str:
    body = json.loads(record.value)
    return str(body.get("data", body)["order"])
