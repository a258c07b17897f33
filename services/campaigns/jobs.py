"""Work that no request waits for: carrying launches on, those asked for here and those another instance left behind."""

import asyncio
from contextlib import suppress

from services.campaigns.handlers.launching import Launching

LOOK_SECONDS = 1.0
SLICE_SECONDS = 5.0


async def carry_launches_on(launching: Launching) -> None:
    while True:
        launching.asked.clear()
        if not await launching.carry_on_all(SLICE_SECONDS):
            with suppress(TimeoutError):
                await asyncio.wait_for(launching.asked.wait(), LOOK_SECONDS)
