"""Work that no request waits for: measuring how good the data of all contacts are."""

import asyncio

from services.contacts.handlers.measuring import Measuring

LOOK_SECONDS = 60.0
"""How soon after a report is due it is made. It is about all contacts, and none of them changes it much."""


async def measure_quality(measuring: Measuring) -> None:
    while True:
        await measuring.measure_if_due()
        await asyncio.sleep(LOOK_SECONDS)
