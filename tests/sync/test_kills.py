"""Sync killed again and again while it folds and delivers: views exact, each version told once, no delivery missing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest
from aiohttp import web

from shared.contracts.sync import CustomerView
from tests.sync.conftest import Sync
from tests.sync.facts import customer
from tests.sync.receiver import Receiver, receiving
from tests.sync.workers import Worker
from tests.sync.workers.folding import CUSTOMERS, FACTS, PARTITIONS
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
KILLS = 6
ORDERS = sum(number // CUSTOMERS % 3 != 2 for number in range(FACTS)) // CUSTOMERS


async def test_kills_in_the_middle_of_folding_and_delivering_change_nothing(sync: Sync, worker: Worker) -> None:
    async with receiving() as receiver:
        _, receiver.secret = await sync.register(url=receiver.url)
        deadly = kill_at_requests(receiver, worker, every=CUSTOMERS * 2 // 3, times=KILLS // 2)
        for kill in range(KILLS):
            worker.start()
            goal = FACTS * (kill + 1) // (KILLS + 1)
            await eventually(lambda goal=goal: died_or_reached(sync, worker, goal), within=40)  # type: ignore[misc]
            worker.kill()
        assert await fed(sync) < FACTS, "the kills must have come in the middle"
        worker.start()
        await eventually(lambda: all_delivered(sync), within=40)
        worker.kill()
        assert deadly == []
        await views_are_exact(sync)
        await each_version_was_told_once(sync)
        await deliveries_are_exact(sync, receiver)


def kill_at_requests(receiver: Receiver, worker: Worker, every: int, times: int) -> list[int]:
    """Kill in the middle of a batch's deliveries, before the answer; fills with the requests still to come."""
    deadly = [every * (n + 1) for n in range(times)]

    def answer(_: dict[str, Any]) -> web.Response:
        if deadly and receiver.requests >= deadly[0]:
            del deadly[0]
            worker.kill()
        return web.Response(status=204)

    receiver.answer = answer
    return deadly


async def fed(sync: Sync) -> int:
    return int((await sync.database["fed"].find_one({}) or {"next": 0})["next"])


async def died_or_reached(sync: Sync, worker: Worker, goal: int) -> bool:
    return not worker.child or await fed(sync) >= goal


async def all_delivered(sync: Sync) -> bool:
    there = await fed(sync) == FACTS
    return there and (await sync.deliveries.progress("e-shop")).cursor == await sync.views.tails()


async def views_are_exact(sync: Sync) -> None:
    for number in range(CUSTOMERS):
        view = CustomerView.model_validate_json(await sync.views.one(customer(number)) or b"")
        assert (view.sales.orders, view.sales.total) == (ORDERS, ORDERS * Decimal("1.25"))
        assert view.score is not None
    assert await sync.views.sums() == (CUSTOMERS, ORDERS * CUSTOMERS, ORDERS * CUSTOMERS * Decimal("1.25"))
    places = {(c["partition"], c["position"]) async for c in sync.views.views.find({}, {"partition": 1, "position": 1})}
    assert len(places) == CUSTOMERS
    assert {partition for partition, _ in places} == set(range(PARTITIONS))


async def each_version_was_told_once(sync: Sync) -> None:
    """In the outbox, which nobody has relayed."""
    versions: dict[str, list[int]] = {}
    async for document in sync.database["outbox"].find({}).sort("at", 1):
        for _, key, value, *_ in document["events"]:
            versions.setdefault(key.decode(), []).append(orjson.loads(value)["view"]["version"])
    turns = FACTS // CUSTOMERS
    assert versions == {customer(number): list(range(1, turns + 1)) for number in range(CUSTOMERS)}


async def deliveries_are_exact(sync: Sync, receiver: Receiver) -> None:
    """Each customer's last delivery is its view, none came after a newer one, and a repeated one has its old id."""
    assert await sync.deliveries.owed("e-shop") == (0, 0)
    receipts = await sync.deliveries.receipts("e-shop", [customer(number) for number in range(CUSTOMERS)])
    newest: dict[str, dict[str, Any]] = {}
    for body in receiver.bodies:
        assert newest.get(body["customer_id"], body)["version"] <= body["version"]
        newest[body["customer_id"]] = body
    assert len(newest) == CUSTOMERS
    for customer_id, body in newest.items():
        assert body["customer"] == orjson.loads(await sync.views.one(customer_id) or b"")
        assert receipts[customer_id].version == body["version"]
    versions = {(body["customer_id"], body["version"]) for body in receiver.bodies}
    assert len(set(receiver.ids)) == len(versions)
