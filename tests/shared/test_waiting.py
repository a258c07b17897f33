"""Whoever waits hears that it was cancelled, whatever else comes at the same moment."""

import asyncio

import pytest

from shared.waiting import happens


async def test_what_is_waited_for_happens_or_does_not() -> None:
    event = asyncio.Event()
    assert not await happens(event, within=0.001)
    event.set()
    assert await happens(event, within=0.001)


async def test_what_happens_with_the_cancellation_does_not_swallow_it() -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(happens(event, within=60))
    await asyncio.sleep(0)
    event.set()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
