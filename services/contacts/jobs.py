"""Work that no request waits for: measuring how good the data of all contacts are, making old ones findable."""

import asyncio
from collections.abc import Awaitable, Callable

from services.contacts.handlers.measuring import Measuring

LOOK_SECONDS = 60.0
"""How soon after a report is due it is made. It is about all contacts, and none of them changes it much."""


async def measure_quality(measuring: Measuring) -> None:
    while True:
        await measuring.measure_if_due()
        await asyncio.sleep(LOOK_SECONDS)


PIECE = 200


async def make_findable(give_keys: Callable[[int], Awaitable[bool]]) -> None:
    """Once after the start: contacts of a time before the search have no keys. `give_keys` says whether to go on."""
    while await give_keys(PIECE):
        """Each piece waits for the database, and so lets everything else have its turn."""
