"""What the simulation has found, each as small as it can be."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from services.sync.domain.positions import Cursor
from services.sync.domain.reach import Reach
from services.sync.handlers.dispatch import Dispatch, Running
from services.sync.handlers.webhooks import Lease
from shared.plumbing import _forever


class Unreachable:
    """Leases in a database that is away."""

    async def lease(self, channel_id: str, owner: str, seconds: float) -> bool:
        raise ConnectionError

    async def release(self, channel_id: str, owner: str, reach: Cursor) -> None:
        raise ConnectionError


async def nothing() -> None:
    return


async def test_a_dispatch_ends_although_it_cannot_give_its_leases_back() -> None:
    post: Any = SimpleNamespace(tail=SimpleNamespace(wake=lambda: None))
    dispatch = Dispatch(Unreachable(), post, owner="one", lease_seconds=10)
    worker: Any = SimpleNamespace(stopping=False, reach=Reach({}, ahead=0))
    dispatch.running["shop"] = Running(Lease("one", 0.0), worker, asyncio.create_task(nothing()))
    await dispatch.stop()
    assert dispatch.running == {}


async def test_a_job_that_fails_while_it_is_being_ended_is_not_begun_again() -> None:
    begun: list[int] = []

    async def job() -> None:
        begun.append(len(begun))
        try:
            await asyncio.Event().wait()
        finally:
            raise ConnectionError

    task = asyncio.create_task(_forever(job))
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(task, return_exceptions=True)
    assert begun == [0]
