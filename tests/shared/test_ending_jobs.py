"""A service stops, whatever its jobs do with their cancellation. Without servers."""

import asyncio
from contextlib import suppress

import pytest

from shared import plumbing


async def test_a_job_that_loses_a_cancellation_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plumbing, "LAST_WORDS_SECONDS", 0.01)

    async def deaf_once() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    async def fails_at_last() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError

    jobs = [asyncio.create_task(deaf_once()), asyncio.create_task(fails_at_last())]
    await asyncio.sleep(0)
    await plumbing._end(jobs)
    assert all(job.done() for job in jobs)
