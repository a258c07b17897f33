"""Waiting for something, and not for ever."""

import asyncio


async def happens(event: asyncio.Event, within: float) -> bool:
    """Whether the event is set within so many seconds.

    Not with `asyncio.wait_for`: before Python 3.12 it answers what came and forgets that it was cancelled, if both come at
    once. A job that loses its cancellation so keeps its service from ever stopping.
    """
    try:
        async with asyncio.timeout(within):
            return await event.wait()
    except TimeoutError:
        return False
