"""Many updates in one command: all of them, within what the server takes at once, and no error unheard."""

from typing import Any

import pytest
from pymongo.errors import BulkWriteError

from services.sync.store.writes import COMMAND_BYTES, portions, update_all, update_of
from tests.sync.conftest import Sync


def test_large_updates_are_spread_over_several_commands_in_order() -> None:
    updates: list[dict[str, Any]] = [{"n": n} for n in range(7)]
    texts = [COMMAND_BYTES // 2, COMMAND_BYTES // 3, COMMAND_BYTES // 3, 10, COMMAND_BYTES * 2, 10, 10]
    parts = list(portions(updates, texts))
    assert [len(part) for part in parts] == [2, 2, 1, 2]
    assert [update for part in parts for update in part] == updates
    assert list(portions([], [])) == []


@pytest.mark.integration
async def test_what_is_found_and_what_is_made_is_counted_and_an_error_is_raised(sync: Sync) -> None:
    things = sync.database["things"]
    await things.insert_one({"_id": 1, "version": 1})
    over, new, missed = (
        update_of({"_id": n, "version": 1}, {"$set": {"version": 2}}, upsert=n == 2) for n in (1, 2, 3)
    )
    assert await update_all(things, [over, new, missed], None) == 2
    assert [d async for d in things.find({}).sort("_id", 1)] == [{"_id": 1, "version": 2}, {"_id": 2, "version": 2}]
    taken = update_of({"_id": 1, "version": 0}, {"$set": {"version": 1}}, upsert=True)
    with pytest.raises(BulkWriteError):
        await update_all(things, [taken], None)
