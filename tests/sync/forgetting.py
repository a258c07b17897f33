"""An erasure as sync carries it out, driven by hand."""

from typing import Any

from services.sync.store.erasing import steps
from shared.contracts.erasures import ErasureDone
from shared.erasing import Work
from shared.erasing.work import COLLECTION as WORKS
from shared.messaging.outbox import Told
from tests.sync.conftest import Sync, now

ID = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b"


async def erase(sync: Sync, *customers: str) -> list[Any]:
    """What sync does about it at each of its two looks, and what it tells; it is under way until `finish`."""
    await sync.database[WORKS].update_one({"_id": ID}, {"$setOnInsert": {"done_at": None}}, upsert=True)
    work, told = Work(ID, customers), []
    await sync.database["erasing"].update_one({"_id": ID}, {"$setOnInsert": {"done_at": None}}, upsert=True)
    for step in steps(sync.views, sync.deliveries, now):
        removed = 1
        while removed:
            removed = await sync.transact(lambda unit, step=step: step.piece(unit, work))  # type: ignore[misc]
            told += sync.told
    await sync.tail.look()
    return told


async def finish(sync: Sync) -> None:
    """Sync itself is done, so nobody is shown anything more."""
    await sync.database[WORKS].update_one({"_id": ID}, {"$set": {"done_at": now()}}, upsert=True)


async def receipts(sync: Sync) -> list[str]:
    """The places that one look of sync at its channels finds to be done."""
    sync.told = []
    await sync.erasures.look()
    return [ErasureDone.model_validate_json(one.value).place for one in sync.told if isinstance(one, Told)]
