"""Delivering in this process: instances with their workers, what they have delivered, and what an operator changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from services.sync.domain.channel import Change
from services.sync.domain.outgoing import Progress, Receipt
from services.sync.handlers.dispatch import Dispatch
from tests.sync.conftest import Sync
from tests.waiting import eventually


@asynccontextmanager
async def delivering(dispatch: Dispatch) -> AsyncIterator[None]:
    """This instance's workers, as long as it lives."""
    task = asyncio.create_task(dispatch.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def progress(sync: Sync) -> Progress:
    return await sync.deliveries.progress("e-shop")


async def receipt(sync: Sync, customer_id: str) -> Receipt | None:
    return (await sync.deliveries.receipts("e-shop", [customer_id])).get(customer_id)


async def delivered(sync: Sync, position: int) -> None:
    async def there() -> bool:
        return (await progress(sync)).cursor.get(0, 0) >= position

    await eventually(there)


async def change(sync: Sync, **fields: Any) -> None:
    said = Change.model_validate(fields)
    await sync.transact(lambda unit: sync.channels.change(unit, "e-shop", said))
    await sync.channels.refresh()
