"""Processes that fold a stream of facts into views and deliver them, until they are killed.

It is sync without Kafka: the next fact's number stands in a document that moves in the batch's own transaction, as the
core's offsets do. Killing a member of a consumer group would mostly test how long the broker waits for it.
"""

from __future__ import annotations

import asyncio
import os
import sys

from services.sync.handlers.webhooks import Pace
from shared import logging, mongo
from shared.contracts.fact import Fact
from shared.messaging import Unit
from shared.mongo import Document
from shared.settings import PlatformSettings
from tests.sync.conftest import Sync, received
from tests.sync.facts import customer, order, score

FACTS = 6_000
CUSTOMERS = 300
PARTITIONS = 4
BATCH = 50
PACE = Pace(batch=100, concurrency=8, timeout=2.0, first_pause=0.1, longest_pause=0.2, idle=0.05)


def fact(number: int) -> Fact:
    """Of each customer in turn an order, an order, a score."""
    who, turn = customer(number % CUSTOMERS), number // CUSTOMERS
    return score(who, as_of=turn % 300) if turn % 3 == 2 else order(who, number=turn % 300, total="1.25")


async def take_next(sync: Sync, unit: Unit) -> int:
    place: Document = await sync.database["fed"].find_one({}, session=unit.session) or {"next": 0}
    numbers = range(place["next"], min(FACTS, place["next"] + BATCH))
    await sync.fold(unit, [received(fact(n), partition=n % CUSTOMERS % PARTITIONS) for n in numbers])
    await unit.flush()
    moved = {"$set": {"next": numbers.stop}}
    await sync.database["fed"].update_one({"_id": "place"}, moved, upsert=True, session=unit.session)
    return numbers.stop


async def feed(sync: Sync) -> None:
    while await sync.transact(lambda unit: take_next(sync, unit)) < FACTS:
        pass


async def main() -> None:
    settings = PlatformSettings()
    logging.configure("sync", settings.instance, "error")
    client = mongo.connect(settings)
    sync = Sync(client, client[f"{settings.namespace}rapport_sync"], PACE)
    await sync.prepare()
    await asyncio.gather(feed(sync), sync.tail.listen(), sync.tail.follow(), sync.dispatch(settings.instance).run())


def nursery() -> None:
    """A child for each line that is read, one after the other's death: to import everything again takes seconds."""
    while sys.stdin.readline():
        if (child := os.fork()) == 0:
            asyncio.run(main())
            os._exit(0)
        print(child, flush=True)
        os.waitpid(child, 0)
        print("dead", flush=True)


if __name__ == "__main__":
    nursery()
