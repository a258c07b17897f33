"""What a rebuild of sync takes beside telling it everything again: views must not be older than what was told of them, and
whoever was erased meanwhile must be so for channels too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping

import orjson
from fastapi import FastAPI

from deploy.local.retelling import Databases, channels_that_erase
from services.sync.store.rebuilding import RebuildStore
from shared.contracts.sync import CUSTOMERS
from shared.messaging.ages import Log
from shared.settings import PlatformSettings


async def begin(databases: Databases, settings: PlatformSettings, partitions: Collection[int]) -> None:
    """Forget the views, but not how far they had got, and know of every channel that has still to erase somebody."""
    store = RebuildStore(databases("sync"))
    await store.begin(await Log(settings).written(CUSTOMERS), partitions)
    async for owed in channels_that_erase(databases):
        await store.owe(*owed)


async def end(service: FastAPI, settings: PlatformSettings) -> None:
    """Everything is folded: let the views be seen."""
    await service.state.show(told(settings))


async def told(settings: PlatformSettings) -> AsyncIterator[Mapping[str, int | None]]:
    """In pieces and in order, the versions of views on `crm.customers` by customer; None: there is none any more."""
    async for records in Log(settings).records(CUSTOMERS):
        yield {record.key.decode(): version_of(record.value) for record in records if record.key}


def version_of(value: bytes | None) -> int | None:
    return int(orjson.loads(value)["view"]["version"]) if value is not None else None
