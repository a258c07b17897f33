"""The bench of isolation: its receivers, well and ill, and its table. How a platform fares is not looked at here."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from tests.bench.growth.receiver import Arrivals, healthy
from tests.bench.isolation import AGAIN, NOBODY, rows
from tests.bench.isolation.phases import Phase
from tests.bench.isolation.receivers import ILL, ill, one


def a_phase(beside: str, p99_ms: float) -> Phase:
    """The p99 of a hundred latencies is the second largest."""
    return Phase(beside, [0.001] * 98 + [p99_ms / 1000, 60.0], {"sync": 0.1, "mongo": 0.2}, "", [])


async def test_the_healthy_receiver_notes_when_each_mark_came_first() -> None:
    async with healthy() as (address, arrivals), aiohttp.ClientSession() as session:
        began = time.monotonic()
        for body in (b'{"summary":"mark-1"}', b'{"summary":"mark-1"} {"summary":"mark-22"}', b"{}"):
            async with session.post(address, data=body) as answer:
                assert answer.status == 204
        assert set(arrivals.at) == {1, 22}
        assert began < arrivals.at[1] < arrivals.at[22] < time.monotonic()
        assert arrivals.deliveries == 3
        assert await arrivals.all_of([1, 22], within=0) == []


async def test_marks_that_do_not_come_are_missing() -> None:
    arrivals = Arrivals()
    arrivals.note(b'"mark-3"', 0.0)
    assert await arrivals.all_of([3, 4], within=0) == [4]


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("503", 503)])
async def test_a_receiver_that_refuses_says_so_again_and_again(kind: str, status: int) -> None:
    async with one(kind) as address, aiohttp.ClientSession() as session:
        for _ in range(2):
            async with session.post(address, data=b"x" * 100_000) as answer:
                assert answer.status == status
                assert ("retry-after" in answer.headers) == (status == 429)


async def test_where_nobody_listens_a_connection_is_refused() -> None:
    async with one("refused") as address, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.post(address, data=b"x")


@pytest.mark.parametrize("kind", ["hanging", "1 byte/s"])
async def test_slow_receivers_outlast_whoever_waits_for_them(kind: str) -> None:
    async with one(kind) as address, aiohttp.ClientSession() as session:
        with pytest.raises(TimeoutError):
            await session.post(address, data=b"x", timeout=aiohttp.ClientTimeout(total=0.3))


async def test_all_ill_ones_end_together_though_they_are_busy() -> None:
    async with aiohttp.ClientSession() as session:
        async with ill(list(ILL)) as addresses:
            asking = asyncio.create_task(session.post(addresses[list(ILL).index("hanging")], data=b"x"))
            slow = asyncio.create_task(session.post(addresses[list(ILL).index("1 byte/s")], data=b"x"))
            done, _ = await asyncio.wait([asking, slow], timeout=0.1)
            assert not done
        for task in (asking, slow):
            with pytest.raises(aiohttp.ClientError):
                await task


def test_a_row_compares_with_both_quiet_phases_of_its_own_round() -> None:
    rounds = [
        [a_phase(NOBODY, 10.0), a_phase("1: hanging", 12.0), a_phase(AGAIN, 10.0)],
        [a_phase(NOBODY, 100.0), a_phase("1: hanging", 110.0), a_phase(AGAIN, 100.0)],
        [a_phase(NOBODY, 8.0), a_phase("1: hanging", 30.0), a_phase(AGAIN, 12.0)],
    ]
    nobody, again, hanging = rows(rounds)
    assert [row["ill beside it"] for row in (nobody, again, hanging)] == [NOBODY, AGAIN, "1: hanging"]
    assert hanging["p99 x nobody"] == 1.2
    assert hanging["p99 ms"] == 30.0
    assert (nobody["p99 x nobody"], again["p99 x nobody"]) == (1.0, 1.0)
    assert (hanging["sync, CPU us an event"], hanging["all, CPU us an event"]) == (1000, 3000)
