"""Processes killed in the middle of their work, ten times and more: every event has its one effect, in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.contracts.interactions import SALES
from shared.messaging import Received, Subscription, Unit
from shared.mongo import Database
from shared.settings import PlatformSettings
from tests.messaging.conftest import Heard, Rig
from tests.messaging.records import placed, reported
from tests.messaging.workers.folding import SERVICE
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
ROOT = Path(__file__).resolve().parents[2]
EVENTS = 20_000
CUSTOMERS = 500
KILLS = 10


class Worker:
    """One process at a time, each after the other's death."""

    def __init__(self, settings: PlatformSettings) -> None:
        self._environment = os.environ | {
            "KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
            "MONGO_URL": settings.mongo_url,
            "RAPPORT_NAMESPACE": settings.namespace,
            "RAPPORT_SESSION_TIMEOUT_MS": "6000",
            "RAPPORT_BATCH_RECORDS": "200",
            "RAPPORT_INSTANCE": "worker-0",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.messaging.workers.folding"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment)

    def end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(60)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.end(signal.SIGKILL)


@pytest.fixture
def worker(settings: PlatformSettings) -> Iterator[Worker]:
    one = Worker(settings)
    yield one
    one.close()


async def counted(database: Database) -> int:
    return sum([d["events"] async for d in database["counts"].find()])


async def reached(database: Database, events: int) -> bool:
    return await counted(database) >= events


async def test_a_consumer_and_relay_killed_in_mid_batch_lose_and_double_nothing(rig: Rig, worker: Worker) -> None:
    """The worker consumes, folds and relays; killing it kills a batch, a transaction and a round of the relay."""
    database = rig.database(SERVICE)
    sender = await rig.service("sender")
    for begin in range(0, EVENTS, 2000):
        await sender.send([reported(n, f"c{n % CUSTOMERS}") for n in range(begin, begin + 2000)])
    for kill in range(KILLS):
        worker.start()
        goal = (kill + 1) * EVENTS // (KILLS + 4)
        await eventually(lambda goal=goal: reached(database, goal), within=40)  # type: ignore[misc]
        worker.end(signal.SIGKILL)
    survivors = await counted(database)
    assert survivors < EVENTS, "the kills must have come in the middle"
    worker.start()
    await eventually(lambda: reached(database, EVENTS), within=60)
    heard = Heard()
    await rig.service("audit", Subscription("audit", (SALES,), heard))
    await eventually(lambda: len(heard.events) >= EVENTS, within=60)
    assert worker.end(signal.SIGTERM) == 0
    assert {d["_id"]: d["events"] async for d in database["counts"].find()} == {
        f"c{c}": EVENTS // CUSTOMERS for c in range(CUSTOMERS)
    }
    await _exact(rig, heard.events)


async def _exact(rig: Rig, told: list[Received]) -> None:
    """Each event once, each customer's in the order of their causes, though the log may hold some twice."""
    numbers: dict[str, list[int]] = {}
    for event in told:
        numbers.setdefault(event.subject, []).append(int(event.id[1:]))
    assert sum(map(len, numbers.values())) == EVENTS
    assert all(found == sorted(set(found)) for found in numbers.values())
    first: dict[bytes, list[bytes]] = {}
    for record in await rig.log(SALES.name):
        seen = first.setdefault(record.key, [])
        if record.value not in seen:
            seen.append(record.value)
    for key, values in first.items():
        assert values == [placed(n, int(key[-12:], 16)).value for n in numbers[key.decode()]]
    assert await rig.database(SERVICE)["outbox"].count_documents({}) == 0


async def test_a_relay_killed_while_it_publishes_loses_nothing_and_keeps_the_order(rig: Rig, worker: Worker) -> None:
    """The outbox is filled from outside as fast as it goes, and whoever relays it dies again and again."""
    database = rig.database(SERVICE)
    writer = rig.unstarted(SERVICE)
    heard = Heard()
    await rig.service("audit", Subscription("audit", (SALES,), heard))
    worker.start()
    await eventually(lambda: _pinned(database), within=40)
    told = 0

    async def change(unit: Unit) -> None:
        for number in range(told, told + 50):
            unit.forward(placed(number, number % CUSTOMERS))

    for _ in range(KILLS):
        while told < len(heard.events) + 2000:
            await writer.transact(change)
            told += 50
        await heard_more(heard, 200)
        worker.end(signal.SIGKILL)
        worker.start()
    await eventually(lambda: len(heard.events) >= told, within=60)
    await eventually(lambda: _empty(database))
    numbers: dict[str, list[int]] = {}
    for event in heard.events:
        numbers.setdefault(event.subject, []).append(int(event.id[1:]))
    assert sum(map(len, numbers.values())) == told
    assert all(found == sorted(set(found)) for found in numbers.values())


async def heard_more(heard: Heard, events: int) -> None:
    goal = len(heard.events) + events
    await eventually(lambda: len(heard.events) >= goal, within=40)


async def _pinned(database: Database) -> bool:
    return bool((await database["relay"].find_one({}) or {}).get("holder"))


async def _empty(database: Database) -> bool:
    return await database["outbox"].count_documents({}) == 0
