"""Work that no request waits for: carrying launches on, those asked for here and those another instance left behind, and handing over
customers whose quiet hours are over.
"""

import asyncio

from services.campaigns.handlers.handing import Waiting
from services.campaigns.handlers.launching import Launching
from shared.waiting import happens

LOOK_SECONDS = 1.0
SLICE_SECONDS = 5.0


async def carry_launches_on(launching: Launching) -> None:
    while True:
        launching.asked.clear()
        if not await launching.carry_on_all(SLICE_SECONDS):
            await happens(launching.asked, within=LOOK_SECONDS)


async def hand_over_when_due(waiting: Waiting) -> None:
    while True:
        await waiting.hand_over_all()
        await asyncio.sleep(LOOK_SECONDS)
