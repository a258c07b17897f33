"""Imports that are broken off, taken over and stopped: exactly one effect, on real MongoDB."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from services.contacts.domain.importing.mapping import Mapping
from services.contacts.handlers.importing import Importing
from services.contacts.handlers.imports import Import
from services.contacts.handlers.rows import Rows
from services.contacts.settings import ContactSettings
from services.contacts.store import ImportStore, MongoStore
from services.contacts.store.erased_names import ErasedNames
from shared.clock import WallClock
from shared.ids import uuid7
from shared.messaging import Unit, outbox
from shared.mongo import ensure_collections
from shared.plumbing import Plumbing
from shared.settings import PlatformSettings

pytestmark = pytest.mark.integration

MAPPING = Mapping.model_validate(
    {
        "columns": [
            {"from": "nr", "to": "identifiers.shop"},
            {"from": "name", "to": "name"},
            {"from": "size", "to": "attributes.size", "type": "number"},
        ]
    }
)
ROWS = 23
FILE = "nr,name,size\n" + "".join(f"{n % 20},Ann {n},{'x' if n % 7 == 3 else n}\n" for n in range(ROWS))
REJECTED = len([n for n in range(ROWS) if n % 7 == 3])


class Desk:
    """What an instance works with, and what can go wrong with it."""

    def __init__(self, plumbing: Plumbing) -> None:
        self.plumbing = plumbing
        self.contacts = MongoStore(plumbing.database)
        self.files = ImportStore(plumbing.database)
        self.erased = ErasedNames(plumbing.database)

    def instance(self, name: str, transact: Any = None) -> Importing:
        rows = Rows(WallClock())
        transact = transact or self.plumbing.messaging.transact
        return Importing(self.files, self.contacts, rows, self.erased, transact, name, piece=5)

    async def sent(self, text: str = FILE, mapping: Mapping = MAPPING, *, dry_run: bool = False) -> str:
        data = text.encode()
        import_id = uuid7(datetime.now(UTC))
        for number, start in enumerate(range(0, len(data), 100)):
            await self.files.add_chunk(import_id, number, data[start : start + 100])
        now = datetime.now(UTC).replace(microsecond=0)
        await self.files.create(Import(import_id, "m", mapping, "f.csv", len(data), now, "me", dry_run))
        return import_id

    async def told(self) -> int:
        """Facts that wait for the relay, which nobody runs here."""
        return sum([len(row["events"]) async for row in self.plumbing.database[outbox.COLLECTION].find()])


@pytest.fixture
async def desk(settings: PlatformSettings) -> AsyncIterator[Desk]:
    plumbing = Plumbing("contacts", ContactSettings(**settings.model_dump()))
    desk = Desk(plumbing)
    await ensure_collections(plumbing.database, (outbox.COLLECTION, "notes"))
    await desk.contacts.prepare()
    await desk.files.prepare()
    await desk.erased.prepare()
    yield desk
    await plumbing.client.close()


def dying(desk: Desk, after: int, *, committed: bool) -> Callable[[Any], Awaitable[None]]:
    """A process that is killed in the transaction that follows `after` others: before its commit, or just after it."""
    done = 0

    async def transact(change: Callable[[Unit], Awaitable[None]]) -> None:
        nonlocal done
        done += 1
        if done <= after or committed:
            await desk.plumbing.messaging.transact(change)
        if done > after:
            raise asyncio.CancelledError

    return transact


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("after", [0, 2, 4])
@pytest.mark.parametrize("dry_run", [False, True])
async def test_whatever_dies_another_goes_on_and_every_row_has_one_effect(
    desk: Desk, after: int, committed: bool, dry_run: bool
) -> None:
    import_id = await desk.sent(dry_run=dry_run)
    with pytest.raises(asyncio.CancelledError):
        await desk.instance("a", dying(desk, after, committed=committed)).work()
    await desk.instance("b").work()
    one = await desk.files.find(import_id)
    assert one is not None
    taken = ROWS - REJECTED
    customers = len({n % 20 for n in range(ROWS) if n % 7 != 3})
    assert (one.state, one.rows) == ("done", ROWS)
    assert one.counts == {"new": customers, "changed": taken - customers, "rejected": REJECTED}
    assert len(await desk.files.rejected(import_id, -1, 100)) == REJECTED
    assert await desk.contacts.count() == (0 if dry_run else customers)
    assert await desk.told() == (0 if dry_run else taken)
    database = desk.plumbing.database
    assert await database["rehearsed_contacts"].count_documents({}) == 0
    assert (await desk.files.files.count_documents({}) > 0) is dry_run, (
        "the file is needed for the run, and then no more"
    )


async def test_two_instances_do_not_both_work_on_it(desk: Desk) -> None:
    import_id = await desk.sent()
    await asyncio.gather(*(desk.instance(name).work() for name in "abc"))
    one = await desk.files.find(import_id)
    assert one is not None
    assert sum(one.counts.values()) == ROWS
    assert await desk.told() == ROWS - REJECTED


async def test_what_is_cancelled_takes_nothing_more_and_says_how_much_it_took(desk: Desk) -> None:
    import_id = await desk.sent()
    done = 0

    async def transact(change: Callable[[Unit], Awaitable[None]]) -> None:
        nonlocal done
        done += 1
        if done == 3:
            assert await desk.files.cancel(import_id)
        await desk.plumbing.messaging.transact(change)

    await desk.instance("a", transact).work()
    one = await desk.files.find(import_id)
    assert one is not None
    assert (one.state, one.rows, sum(one.counts.values())) == ("cancelled", 10, 10)
    assert await desk.contacts.count() == one.counts["new"]
    assert not await desk.files.cancel(import_id)
    await desk.instance("b").work()
    assert await desk.files.find(import_id) == one


@pytest.mark.parametrize(
    ("text", "words", "rows"),
    [
        ("nr,nmae,size\n1,Ann,2\n", "no column 'name'; it has 'nr', 'nmae', 'size'", 0),
        ("\n\n", "empty", 0),
        ("<a><b><nr>1</nr><name>Ann</name></b><b>", "well-formed", 1),
    ],
)
async def test_a_file_that_cannot_be_read_says_why_and_what_was_taken_before(
    desk: Desk, text: str, words: str, rows: int
) -> None:
    import_id = await desk.sent(text)
    await desk.instance("a").work()
    one = await desk.files.find(import_id)
    assert one is not None
    assert (one.state, one.rows) == ("failed", rows)
    assert words in (one.error or "")
    assert await desk.contacts.count() == rows


async def test_a_row_names_a_customer_by_their_own_id(desk: Desk) -> None:
    first = await desk.sent("nr,name,size\n1,Ann,2\n")
    await desk.instance("a").work()
    [contact] = await desk.contacts.page("", 9)
    by_id = Mapping.model_validate(
        {
            "columns": [
                {"from": "id", "to": "customer_id"},
                {"from": "name", "to": "name"},
                {"from": "nr", "to": "identifiers.shop"},
            ]
        }
    )
    nobody = uuid7(datetime.now(UTC))
    second = await desk.sent(f"id,name,nr\n{contact.customer_id},Bob,2\n{nobody},Cleo,\n", by_id)
    await desk.instance("a").work()
    one = await desk.files.find(second)
    assert one is not None
    assert first != second
    assert (dict(one.counts), dict(one.rejected)) == ({"changed": 1, "rejected": 1}, {"unknown-customer": 1})
    [after] = await desk.contacts.page("", 9)
    assert (after.name, [str(each) for each in after.identifiers]) == ("Bob", ["shop:1", "shop:2"])
