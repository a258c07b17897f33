"""The stream of what changes, read ahead. Without servers."""

import asyncio

import pytest

from services.contacts.store.match_progress import MongoStream


class Silent:
    """A stream that is told something when the test says so."""

    alive = True

    def __init__(self) -> None:
        self.told: asyncio.Queue[object] = asyncio.Queue()

    async def try_next(self) -> object:
        return await self.told.get()


async def test_who_follows_contacts_stops_though_one_changes_at_that_moment() -> None:
    change = {"_id": "token", "documentKey": {"_id": "ann"}, "ns": {"coll": "contacts"}}
    stream = MongoStream(Silent(), "begin", "contacts")
    following = asyncio.create_task(stream.next(1, 60))
    for _ in range(3):
        await asyncio.sleep(0)
    stream._read.put_nowait(change)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    await stream.stop()
