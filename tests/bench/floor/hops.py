"""One hop of an event, as bare as this design can have it: what each batch costs, however small.

A record is read from Kafka; a transaction moves a position, reads the state, writes it, and puts a message into an
outbox, all durably; the database tells of the message, and it is sent to Kafka. Nothing is decoded, and nothing decided.
"""

from __future__ import annotations

from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient, InsertOne, UpdateOne
from pymongo.asynchronous.change_stream import AsyncChangeStream

from deploy.local.layout import Layout
from tests.bench.floor.bare import Cost, measured

BYTES = 600
"""Of a record, and of a state."""
STATES = 10_000
WARM = 200
"""Batches before it counts: the broker is compiled while it runs, and its first batches cost several times as much."""


class Hop:
    """The hop, between two topics of its own."""

    def __init__(
        self, mongo: AsyncMongoClient[dict[str, Any]], consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, name: str
    ) -> None:
        self.database = mongo[name]
        self.mongo = mongo
        self.consumer = consumer
        self.producer = producer
        self.name = name
        self.turn = 0

    async def prepare(self) -> None:
        await self.database["states"].insert_many([{"_id": one, "state": b"0" * BYTES} for one in range(STATES)])
        await self.database["offsets"].insert_one({"_id": 0, "next": 0})
        await self.database.create_collection("outbox")

    async def batch(self, size: int, told: AsyncChangeStream[dict[str, Any]]) -> None:
        """`size` records from topic to topic."""
        for _ in range(size):
            await self.producer.send(f"{self.name}-in", b"1" * BYTES, partition=0)
        await self.producer.flush()
        have = 0
        while have < size:
            have += sum(map(len, (await self.consumer.getmany(timeout_ms=1000)).values()))
        await self.effect(size)
        messages = (await told.next())["fullDocument"]["messages"]
        for message in messages:
            await self.producer.send(f"{self.name}-out", message, partition=0)
        await self.producer.flush()

    async def effect(self, size: int) -> None:
        self.turn += 1
        touched = [(self.turn * size + index) % STATES for index in range(size)]
        states = [UpdateOne({"_id": one}, {"$set": {"state": b"%d" % self.turn * 200}}) for one in touched]
        message = {"_id": self.turn, "messages": [b"2" * BYTES] * size}
        async with self.mongo.start_session() as session, await session.start_transaction():
            moved = {"$set": {"next": self.turn * size}}
            await self.database["offsets"].bulk_write([UpdateOne({"_id": 0}, moved)], session=session)
            await self.database["states"].find({"_id": {"$in": touched}}, session=session).to_list(None)
            await self.database["states"].bulk_write(states, ordered=False, session=session)
            await self.database["outbox"].bulk_write([InsertOne(message)], session=session)


async def hop(mongo_url: str, kafka_url: str, layout: Layout, size: int, batches: int, turn: int) -> Cost:
    """CPU microseconds a batch of so many records."""
    name = f"hop{turn}x{size}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
    await admin.start()
    await admin.create_topics([NewTopic(f"{name}-in", 1, 1), NewTopic(f"{name}-out", 1, 1)])
    await admin.close()
    mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo_url, w="majority")
    producer = AIOKafkaProducer(bootstrap_servers=kafka_url, acks="all", enable_idempotence=True)
    consumer = AIOKafkaConsumer(
        f"{name}-in", bootstrap_servers=kafka_url, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    async with mongo, producer, consumer:
        one = Hop(mongo, consumer, producer, name)
        await one.prepare()
        async with await one.database["outbox"].watch() as told:
            for _ in range(min(WARM, batches)):
                await one.batch(size, told)

            async def work() -> None:
                for _ in range(batches):
                    await one.batch(size, told)

            return await measured(layout, ("mongo", "kafka"), batches, work)
