"""The audit trail in a real database: nothing that was answered is lost, and tampering shows."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo.errors import PyMongoError

from shared import mongo
from shared.audit import Accessed, AuditLog
from shared.mongo import Database
from shared.security import ADMIN
from shared.settings import PlatformSettings

pytestmark = pytest.mark.integration
ANN, BOB = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b", "019b7a2c-5c01-7000-8000-5a4b3c2d1e0f"


@pytest.fixture
async def database(settings: PlatformSettings) -> AsyncIterator[Database]:
    client = mongo.connect(settings)
    yield client[f"{settings.namespace}rapport_audited"]
    await mongo.close(client)


async def opened(database: Database) -> AuditLog:
    log = AuditLog(database)
    await log.prepare()
    return log


async def written(database: Database, count: int) -> AuditLog:
    log = await opened(database)
    for number in range(count):
        await log.write(Accessed(f"read-{number}", ADMIN, [ANN], ["attributes.iban"]))
    return log


async def test_an_untouched_trail_is_intact_over_several_processes_and_has_every_entry(database: Database) -> None:
    first, second = await written(database, 3), await written(database, 2)
    await first.write(Accessed("export", ADMIN, [BOB]))
    assert await second.faults() == (6, [])
    assert [row["action"] for _, row in await second.page(ANN, None, 10)] == [
        "read-1",
        "read-0",
        "read-2",
        "read-1",
        "read-0",
    ]
    [(place, newest)] = await second.page(None, None, 1)
    assert (newest["action"], newest["key_id"], newest["customers"]) == ("export", "admin", [BOB])
    assert len(await second.page(None, (newest["at"], place), 10)) == 5


async def test_what_many_write_at_a_time_is_one_chain(database: Database) -> None:
    log = await opened(database)
    await asyncio.gather(*(log.write(Accessed("read", ADMIN, [f"{n}"])) for n in range(300)))
    rows = await database["audit"].find().to_list(None)
    assert ({row["chain"] for row in rows}, sorted(row["number"] for row in rows)) == (
        {rows[0]["chain"]},
        list(range(1, 301)),
    )
    assert {row["customers"][0] for row in rows} == {f"{n}" for n in range(300)}
    assert await log.faults() == (300, [])


@pytest.mark.parametrize(
    "change",
    [
        {"$set": {"customers": [BOB]}},
        {"$set": {"fields": []}},
        {"$set": {"purpose": "harmless"}},
        {"$set": {"key_id": "other"}},
        {"$set": {"before": "0" * 64}},
        {"$unset": {"correlation": "", "at": ""}},
    ],
)
async def test_a_changed_entry_shows(database: Database, change: dict[str, Any]) -> None:
    log = await written(database, 4)
    await database["audit"].update_one({"number": 2}, change)
    count, faults = await log.faults()
    assert count == 4
    assert any(":2: " in fault for fault in faults), faults


async def test_a_missing_entry_and_an_added_one_show(database: Database) -> None:
    log = await written(database, 4)
    row = await database["audit"].find_one_and_delete({"number": 3})
    assert row is not None
    assert len((await log.faults())[1]) == 1
    await database["audit"].insert_one({**row, "customers": []})
    assert (await log.faults())[1]


async def test_a_cut_end_and_a_chain_that_is_gone_show_once_another_process_has_begun(database: Database) -> None:
    await written(database, 3)
    last = await written(database, 2)
    assert await last.faults() == (5, [])
    first_chain = (await database["audit"].find().sort("_id", 1).to_list(1))[0]["chain"]
    await database["audit"].delete_one({"chain": first_chain, "number": 3})
    assert "gone" in (await last.faults())[1][0]
    await database["audit"].delete_many({"chain": first_chain})
    assert len((await last.faults())[1]) == 1


async def test_who_cannot_be_noted_gets_no_answer_and_the_next_begins_a_new_chain(database: Database) -> None:
    log = await written(database, 1)
    await database["audit"].insert_one({"_id": f"{log._chain.name}:{2:012d}", "chain": "x", "number": 1, "heads": []})  # type: ignore[union-attr]
    with pytest.raises(PyMongoError):
        await log.write(Accessed("read", ADMIN))
    await database["audit"].delete_one({"chain": "x"})
    await log.write(Accessed("read", ADMIN))
    assert await log.faults() == (2, [])
    assert len(await database["audit"].distinct("chain")) == 2


async def test_an_empty_trail_is_intact(database: Database) -> None:
    log = await opened(database)
    assert await log.faults() == (0, [])
    assert await log.page(None, None, 10) == []
