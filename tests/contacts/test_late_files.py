"""A file that was sent before somebody was erased brings nobody back, whenever it is run. Real MongoDB, and the whole service."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from services.contacts.domain.erasure import Erasure, Patience
from services.contacts.domain.importing.mapping import Mapping
from services.contacts.handlers.erasing import Erasures, Wish
from services.contacts.store.erasing import STEPS, ErasureStore
from shared.contracts.fact import Identifier
from shared.erasing import Erasing, Terms
from shared.messaging import Unit
from shared.settings import PlatformSettings
from tests.contacts.running import contacts, contacts_database
from tests.contacts.test_api import ask, register
from tests.contacts.test_erasure_api import erase, place_done
from tests.contacts.test_importing import Desk, desk, dying
from tests.contacts.test_imports_api import MAPPING, ended, named, rejected, send
from tests.waiting import eventually

__all__ = ["desk"]
pytestmark = pytest.mark.integration

COLUMNS = [
    {"from": "nr", "to": "identifiers.shop"},
    {"from": "name", "to": "name"},
    {"from": "mail", "to": "email"},
    {"from": "size", "to": "attributes.size", "type": "number"},
]
BY_NUMBER = Mapping.model_validate({"columns": COLUMNS})
FILE = "nr,name,mail,size\n" + "".join(f"{n},Ann {n},ann{n}@b.de,{n}\n" for n in range(12))
WISH = Wish("objection", "customer", None, "/keys/k")


class Office:
    """Whoever erases, beside the desk at which files are read."""

    def __init__(self, desk: Desk) -> None:
        database, messaging = desk.plumbing.database, desk.plumbing.messaging
        self.desk, self.database = desk, database
        self.ledger = ErasureStore(database)
        self.works = Erasing("contacts", database, messaging, STEPS, Terms(timedelta(0)))
        self.erasures = Erasures(
            desk.contacts, desk.contacts.lists, self.ledger, self.works, self.works.tombstones, 30, Patience()
        )

    async def prepare(self) -> None:
        await self.ledger.prepare()
        await self.works.prepare()

    async def erase(self, shop: int) -> Erasure:
        owners = await self.desk.contacts.owners([f"shop:{shop}"], None)
        found: list[Erasure] = []

        async def change(unit: Unit) -> None:
            found.append(await self.erasures.request(unit, owners[f"shop:{shop}"], WISH))

        await self.desk.plumbing.messaging.transact(change)
        return found[-1]

    async def known(self) -> set[str]:
        """The numbers of all customers."""
        pages = await self.desk.contacts.page("", 100)
        return {one.value for contact in pages for one in contact.identifiers if one.scheme == "shop"}


@pytest.fixture
async def office(desk: Desk) -> Office:
    office = Office(desk)
    await office.prepare()
    await desk.sent(FILE, BY_NUMBER)
    await desk.instance("first").work()
    assert await office.known() == {str(n) for n in range(12)}
    return office


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        ("3,,,", COLUMNS),
        ("new,Ann,ANN3@B.de,", COLUMNS),
        ("new,Ann,ann3@b.de,", [*COLUMNS[:2], {"from": "mail", "to": "emails"}]),
        (",Ann,ann3@b.de,", COLUMNS[1:3]),
        ("4,Ann,ann3@b.de,", COLUMNS),
        ("3,Ann,,no number", COLUMNS),
        ("3,Ann", COLUMNS),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_row_that_speaks_of_the_erased_is_given_back_empty_whatever_it_says_of_them(
    desk: Desk, office: Office, row: str, columns: list[Any], dry_run: bool
) -> None:
    text = f"nr,name,mail,size\n20,Bob,bob@b.de,1\n{row}\n"
    import_id = await desk.sent(text, Mapping.model_validate({"columns": columns}), dry_run=dry_run)
    await office.erase(3)
    await office.works.look()
    await desk.instance("late").work()
    one = await desk.files.find(import_id)
    assert one is not None
    assert (one.state, one.counts, one.rejected) == ("done", {"new": 1, "rejected": 1}, {"erased": 1})
    [back] = await desk.files.rejected(import_id, -1, 10)
    assert (back["reason"], back["line"], back["cells"], back["names"]) == ("erased", 3, [], [])
    assert (await office.known()) & {"3", "new"} == set()
    assert await desk.contacts.owners(["shop:3", "shop:new", "email:ann3@b.de"], None) == {}
    [fourth] = (await desk.contacts.load([(await desk.contacts.owners(["shop:4"], None))["shop:4"]], None)).values()
    assert fourth.contact.email == "ann4@b.de", "nor does anything of them go to somebody else"
    for name in ("import_rows", "import_samples", "rehearsed_contacts", "rehearsed_identities"):
        assert "ann3" not in repr(await office.database[name].find().to_list(None)), name


@pytest.mark.parametrize("committed", [False, True])
async def test_a_file_of_which_one_part_was_taken_before_the_erasure_goes_on_without_the_erased(
    desk: Desk, office: Office, committed: bool
) -> None:
    rows = [f"{n % 6},Anna {n},,\n" for n in range(24)]
    import_id = await desk.sent("nr,name,mail,size\n" + "".join(rows), BY_NUMBER)
    with pytest.raises(asyncio.CancelledError):
        await desk.instance("a", dying(desk, 2, committed=committed)).work()
    await office.erase(3)
    await desk.instance("b").work()
    one = await desk.files.find(import_id)
    assert one is not None
    assert (one.state, one.rows, one.rejected) == ("done", 24, {"erased": 2})
    assert "3" not in await office.known()


async def test_who_comes_with_a_file_that_was_sent_later_is_a_customer_anew(desk: Desk, office: Office) -> None:
    before = await office.desk.contacts.owners(["shop:3"], None)
    await office.erase(3)
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    await office.database["erased_names"].update_many({}, {"$set": {"at": an_hour_ago}})
    import_id = await desk.sent("nr,name,mail,size\n3,Ann,ann3@b.de,\n", BY_NUMBER)
    await desk.instance("later").work()
    one = await desk.files.find(import_id)
    assert one is not None
    assert one.counts == {"new": 1}
    now = await office.desk.contacts.owners(["shop:3"], None)
    assert now.keys() == before.keys()
    assert now != before


async def test_rows_that_were_not_taken_and_samples_go_with_the_customer_and_nobody_elses(
    desk: Desk, office: Office
) -> None:
    text = "nr,name,mail,size\n3,Ann,,x\n4,Ann,,x\nnew,Ann,ann3@b.de,x\n3,Anna,,1\n4,Anna,,1\n3,short\n"
    await desk.sent(text, BY_NUMBER)
    await desk.instance("a").work()
    for name, count in (("import_rows", 4), ("import_samples", 2)):
        rows = office.database[name]
        assert await rows.count_documents({"_id": {"$gt": (await desk.files.page(None, 1))[0].import_id}}) == count
    await office.erase(3)
    await office.works.look()
    kept = await office.database["import_rows"].find().to_list(None)
    assert [row["names"] for row in kept] == [["shop:4"]]
    samples = await office.database["import_samples"].find().to_list(None)
    assert not any("shop:3" in row["names"] or "ann3" in repr(row) for row in samples)
    assert any("shop:4" in row["names"] for row in samples)


async def test_the_digests_and_names_go_with_the_places_that_need_them(desk: Desk, office: Office) -> None:
    erasure = await office.erase(3)
    names = office.database["erased_names"]
    assert await names.count_documents({}) == 3
    assert "ann3" not in repr(await names.find().to_list(None))

    async def update(*, traces: bool, names: bool) -> dict[str, Any]:
        await office.ledger.update(erasure, drop_traces=traces, drop_names=names, session=None)
        row = await office.database["erasures"].find_one({"_id": erasure.erasure_id})
        assert row is not None
        return row

    assert "shop:3" in (await update(traces=False, names=False))["traces"]["names"]
    assert "traces" not in await update(traces=True, names=False)
    assert await names.count_documents({}) == 3
    await update(traces=True, names=True)
    assert await names.count_documents({}) == 0


async def test_what_is_left_of_a_file_is_as_old_as_the_file_whenever_it_was_written(desk: Desk, office: Office) -> None:
    sent_at = datetime.now(UTC)
    await desk.sent("nr,name,mail,size\n1,Ann,,x\n2,Anna,,1\n", BY_NUMBER, dry_run=True)
    assert "imports" in await desk.files.older(datetime.now(UTC) + timedelta(seconds=1)), "it has still to be read"
    await desk.instance("a").work()
    left = ["import_files", "import_rows", "import_samples"]
    assert await desk.files.older(datetime.now(UTC) + timedelta(seconds=1)) == left
    everything = {"_id": {"$lt": (await desk.files.page(None, 1))[0].import_id}}
    for name in left:
        await office.database[name].delete_many(everything)
    assert await desk.files.older(sent_at - timedelta(seconds=1)) == []


@pytest.fixture
async def client(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[aiohttp.ClientSession]:
    async with contacts(settings, erasure_settle_seconds=0) as session:
        assert (await ask(session, "PUT", "/v1/contacts/mappings/shop", MAPPING))[0] == 204
        yield session


async def test_a_dry_run_before_the_erasure_and_the_run_after_it_register_nobody_again(
    client: aiohttp.ClientSession, settings: PlatformSettings
) -> None:
    card = Identifier(scheme="customer-number", value="1").model_dump()
    ann = (await register(client, {"customer": [card], "name": "Xaverine"}))["customer_id"]
    header = "KdNr;Name;E-Mail;Umsatz;Newsletter;Stand\n"
    rows = "1;Xaverine Groß;x@gross.de;1;ja;01.02.2024\n2;Bob;bob@b.de;7;nein;31.12.2023\n1;Xaverine;;viel;;\n"
    import_id = await send(client, (header + rows).encode(), dry_run="true")
    assert (await ended(client, import_id))["counts"] == {"new": 1, "changed": 1, "unchanged": 0, "rejected": 1}
    _, erasure = await erase(client, ann)
    done = await place_done(client, erasure, "contacts")
    removed = next(one["removed"] for one in done["places"] if one["place"] == "contacts")
    assert removed["import_rows"] == 2, "what was not taken, and the sample"
    assert await rejected(client, import_id) == []
    assert "log" in done["open"], "the file is there for some days"

    assert (await ask(client, "POST", f"/v1/contacts/imports/{import_id}/run"))[0] == 202
    told = await ended(client, import_id)
    assert (told["counts"]["new"], told["rejected"]) == (1, {"erased": 2})
    assert await named(client, 1) is None
    assert await named(client, 2) is not None
    back = await rejected(client, import_id)
    assert [(one["KdNr"], one["Name"], one["line"], one["reason"]) for one in back] == [
        ("", "", "2", "erased"),
        ("", "", "4", "erased"),
    ]
    async with contacts_database(settings) as database:

        async def forgotten() -> bool:
            for name in ("contacts", "identities", "changes", "import_rows", "import_samples", "outbox"):
                assert "Xaverine" not in repr(await database[name].find().to_list(None)), name
            return True

        await eventually(forgotten)
