"""Contacts by their names and by what they have, in one search: the database finds whom the rule says, and reads indexes."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import aiohttp
import pytest

from services.contacts.domain.access import EVERYBODY, Rows
from services.contacts.domain.places import Place
from services.contacts.domain.survivorship import Known
from services.contacts.domain.traits import Wanted, has
from services.contacts.handlers import Changes
from services.contacts.store import (
    FieldStore,
    MongoStore,
    WantedStore,
    searching,
    sifting,
    slipping,
    wanted as in_store,
)
from services.contacts.store.wanted import query
from shared.contracts.channels import Address
from shared.contracts.contacts import Contact
from shared.contracts.parties import Role
from shared.http import encode_cursor
from shared.mongo import Database
from shared.settings import PlatformSettings
from tests.contacts.memory import MemoryStore
from tests.contacts.running import contacts_database
from tests.contacts.test_api import ask, client, register
from tests.contacts.test_finding import NOW, all_pages, named
from tests.scans import scans, watched

__all__ = ["client"]
pytestmark = pytest.mark.integration
MANY = 1000
"""More than there are: all are looked at one by one."""
CITY, NORTH = Wanted("traits", "city", "koln"), Wanted("traits", "territory", "north")
AGENT = Wanted("traits", "role", "agent", at=NOW)
GOLD, GOLF = Wanted("attributes", "tier", "gold"), Wanted("attributes", "sports", "golf", entry=True)
WANTED: tuple[tuple[Wanted, ...], ...] = (
    (), (CITY,), (NORTH,), (AGENT,), (GOLD,), (GOLF,), (CITY, GOLD), (NORTH, GOLF, AGENT), (Wanted("traits", "city", "bonn"), GOLF),
)  # fmt: skip
ROWS = (EVERYBODY, Rows(territories=frozenset({"north", "east"})), Rows(owners=frozenset({"olga"})))
TOLD = {"digest": 1, "initials": 1}
TYPED = ("anna", "an", "mu", "muell", "jurgn muler", "li jose", "smith an", "a", "ahnna")


def traits(one: Known, dice: random.Random) -> Known:
    until = dice.choice([None, NOW, NOW + timedelta(days=1)])
    role = Role(role=dice.choice(["agent", "supplier"]), until=until, source="s", said_at=NOW)
    lists: dict[str, Any] = {"sports": dice.choice(["golf", "chess", "chess,golf", "golf-cart,chess"])}
    told = {
        "address": Address(city=dice.choice(["Köln", "Koeln", "Bonn", None])),
        "territory": dice.choice(["north", "south", "east", None]),
        "owner": dice.choice(["olga", "otto", None]),
        "attributes": {"tier": dice.choice(["gold", "silver"])} | dice.choice([{}, lists]),
        "roles": dice.choice([[], [role]]),
    }
    return replace(one, contact=one.contact.model_copy(update=told))


def people(dice: random.Random) -> list[Known]:
    """Of whom every tenth was merged into the one before."""
    found: list[Known] = []
    for number in range(150):
        one = traits(named(number, dice), dice)
        if number % 10 == 9:
            survivor = found.pop()
            root, part = survivor.contact.customer_id, one.contact.customer_id
            golden = traits(survivor, dice).contact.model_copy(update={"absorbed": [part]})
            found.append(replace(survivor, place=Place(members=(part,), golden=golden)))
            one = replace(one, place=Place(turn=1, into=root, since=NOW, root=root))
        found.append(one)
    return found


@pytest.fixture
async def database(settings: PlatformSettings) -> AsyncIterator[Database]:
    async with contacts_database(settings) as database:
        await WantedStore(database).prepare()
        for name in ("tier", "sports"):
            await FieldStore(database).index(name, "internal")
        yield database


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what there is takes several of them."""
    monkeypatch.setattr(sifting, "PIECE", 3)
    monkeypatch.setattr(sifting, "READ", 2)
    monkeypatch.setattr(searching, "AT_FIRST", 4)
    monkeypatch.setattr(in_store, "PIECE", 3)


BOUNDS = ({"few": MANY}, {"few": 0}, {"few": 0, "examined": 5}, {"few": 8})
"""All looked at one by one; walked through; walked through in short pages; now one, now the other."""


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("bounds", BOUNDS)
async def test_whoever_is_found_has_the_name_and_all_else_that_is_asked(
    database: Database, bounds: dict[str, int]
) -> None:
    store, rule = MongoStore(database, None, **bounds), MemoryStore()
    everybody = people(random.Random(7))
    for kept in (store, rule):
        await kept.save(Changes(contacts=everybody), None, NOW)
    some = 0
    for typed, wanted, rows in product(TYPED, WANTED, ROWS):
        found = (await rule.found(typed, None, MANY, rows, wanted)).contacts
        paged, _ = await all_pages(store, typed, 7, rows, wanted)
        assert paged == found, (typed, [one.key for one in wanted], rows)
        some += bool(found and wanted)
    assert some > 50, "a test of which most finds nobody"


@pytest.mark.parametrize("bounds", BOUNDS)
async def test_who_is_meant_by_a_slip_is_offered_though_pages_before_ended_early(
    database: Database, bounds: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those who sound like what was typed nobody is of the city; of those whom a slip leads to some are."""
    monkeypatch.setattr(slipping, "MEANT", 3)
    store, rule, dice = MongoStore(database, None, **bounds), MemoryStore(), random.Random(12)
    told = [("Marta", "Bonn")] * 12 + [("Mario", "Köln"), ("Maria", "Köln"), ("Marko", "Bonn")] * 6
    everybody = [
        replace(one, contact=one.contact.model_copy(update={"name": name, "address": Address(city=city)}))
        for (name, city), one in zip(told, (named(number, dice) for number in range(len(told))), strict=True)
    ]
    for kept in (store, rule):
        await kept.save(Changes(contacts=everybody), None, NOW)
    for typed, limit in product(("mardo", "marxo"), (1, 2, 7, 100)):
        found = (await rule.found(typed, None, MANY, EVERYBODY, [CITY])).contacts
        paged, _ = await all_pages(store, typed, limit, EVERYBODY, [CITY])
        assert paged == found, (typed, limit)
        assert {one.name for one in found} == {"Mario"}


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("bounds", BOUNDS)
async def test_without_a_name_they_come_in_the_order_of_their_ids(database: Database, bounds: dict[str, int]) -> None:
    store, rule = WantedStore(database, **bounds), MemoryStore()
    everybody = people(random.Random(8))
    for kept in (MongoStore(database), rule):
        await kept.save(Changes(contacts=everybody), None, NOW)
    for wanted, rows in product(WANTED[1:], ROWS):
        expected = [one for one in await rule.page("", MANY, rows) if all(has(one, thing) for thing in wanted)]
        paged: list[Contact] = []
        after: str | None = ""
        while after is not None:
            page, after = await store.found(wanted, after, 7, rows)
            paged += page
        assert paged == expected, ([one.key for one in wanted], rows)


@pytest.mark.usefixtures("small_pieces")
async def test_all_of_one_name_and_one_number_are_found_page_by_page(database: Database) -> None:
    """Also where a page may look at fewer than there are of them."""
    dice = random.Random(11)
    everybody = [traits(named(number, dice), dice) for number in range(20)]
    named_ann = [replace(one, contact=one.contact.model_copy(update={"name": "Ann"})) for one in everybody]
    await MongoStore(database).save(Changes(contacts=named_ann), None, NOW)
    await database["contacts"].update_many({}, {"$set": {"number": 7}})
    expected = {one.contact.customer_id for one in named_ann if has(one.contact, CITY)}
    for limit, examined in product((1, 3, 100), (2, 7, 100)):
        store = MongoStore(database, None, few=0, examined=examined)
        paged, _ = await all_pages(store, "ann", limit, EVERYBODY, [CITY])
        assert sorted(one.customer_id for one in paged) == sorted(expected)


@pytest.mark.parametrize("bounds", [{"few": MANY}, {"few": 0}])
async def test_contacts_of_a_time_before_there_were_digests_are_found_and_given_theirs(
    database: Database, bounds: dict[str, int]
) -> None:
    store, having = MongoStore(database, None, **bounds), WantedStore(database, **bounds)
    await store.save(Changes(contacts=people(random.Random(9))), None, NOW)
    rows = {row["_id"]: row async for row in database["contacts"].find({}, TOLD)}
    await database["contacts"].update_many({}, {"$unset": TOLD})
    for index in ([("found_by", 1), ("number", 1)], [("traits", 1), ("_id", 1)]):
        await database["contacts"].create_index(index)

    async def found() -> list[list[Contact]]:
        with_name, _ = await all_pages(store, "an", 100, EVERYBODY, [CITY])
        return [with_name, (await having.found([CITY, NORTH], "", 100))[0]]

    before = await found()
    assert all(before)
    while await store.make_findable(7):
        """A piece at a time."""
    assert {row["_id"]: row async for row in database["contacts"].find({}, TOLD)} == rows
    indexes = await database["contacts"].index_information()
    assert {"found_by_1_number_1", "traits_1__id_1"}.isdisjoint(indexes)
    assert await found() == before
    assert not await store.make_findable(7)


async def test_a_page_ends_where_enough_was_looked_at(database: Database) -> None:
    """Many have each of what is asked, and nobody all of it: a page finds nobody, quickly, and says where to go on."""
    store, having = MongoStore(database, few=5, examined=10), WantedStore(database, few=5, examined=10)
    dice = random.Random(10)
    here, there = {"territory": "north", "owner": None}, {"territory": None, "owner": "otto"}
    everybody = [
        replace(one, contact=one.contact.model_copy(update={"name": "Ann", **dice.choice([here, there])}))
        for one in (named(number, dice) for number in range(60))
    ]
    await store.save(Changes(contacts=everybody), None, NOW)
    wanted = [NORTH, Wanted("traits", "owner", "otto")]
    page = await store.found("ann", None, 5, EVERYBODY, wanted)
    assert page.contacts == []
    assert page.next
    assert (await all_pages(store, "ann", 5, EVERYBODY, wanted))[0] == []
    assert (await having.found(wanted, "", 5))[1]


@pytest.mark.parametrize("bounds", BOUNDS)
async def test_no_search_reads_a_whole_collection(database: Database, bounds: dict[str, int]) -> None:
    store, having = MongoStore(database, None, **bounds), WantedStore(database, **bounds)
    await store.save(Changes(contacts=people(random.Random(9))), None, NOW)
    async with watched(database):
        for typed, wanted, rows in product(("anna", "mu", "ahnna"), WANTED, ROWS):
            await store.found(typed, None, 7, rows, wanted)
            if wanted:
                await having.found(wanted, "", 7, rows)
    assert await scans(database) == []


async def test_each_kind_of_question_reads_its_own_index(database: Database) -> None:
    await MongoStore(database).save(Changes(contacts=people(random.Random(9))), None, NOW)
    contacts = database["contacts"]
    for one, index in (
        (CITY, "traits_1__id_1_digest_1_initials_1"),
        (GOLD, "attributes.tier"),
        (GOLF, "traits_1__id_1_digest_1_initials_1"),
    ):
        plan = await contacts.find(query([one], "")).sort("_id", 1).explain()
        assert index in str(plan["queryPlanner"]["winningPlan"])
        assert "'stage': 'SORT'" not in str(plan["queryPlanner"]["winningPlan"]), "a page is read, not all of them"


async def test_a_name_and_all_else_are_asked_for_at_once(client: aiohttp.ClientSession) -> None:
    tier = {"type": "choice", "choices": ["silver", "gold"], "searchable": True}
    assert (await ask(client, "PUT", "/v1/contacts/fields/tier", tier))[0] == 200
    for number in range(3):
        north = {"territory": "north", "owner": "olga", "address": {"city": "Köln", "country": "DE"}}
        await register(client, {"name": f"Ann Miller {number}", "attributes": {"tier": "gold"}, **north})
    await register(client, {"name": "Ann Miller 3", "attributes": {"tier": "gold"}, "territory": "south"})
    await register(client, {"name": "Ann Miller 4", "attributes": {"tier": "silver"}, **north})
    await register(client, {"name": "Bob Miller", "party": "organisation", "attributes": {"tier": "gold"}, **north})
    asked = "field.tier=gold&territory=north&city=KOELN&country=DE&owner=olga&party=person&stage=prospect"
    for question in (f"search=mil%20ann&{asked}", asked):
        names: list[str] = []
        given: str | None = ""
        while given is not None:
            status, page, _ = await ask(client, "GET", f"/v1/contacts?{question}&limit=1{given}")
            assert status == 200, page
            names += [one["name"] for one in page["items"]]
            given = page["next"] and f"&cursor={page['next']}"
        assert names == [f"Ann Miller {number}" for number in range(3)]
    for key, number in (("zz", 1), ("", 0), ("\uffff", 2**62)):
        cursor = encode_cursor({"range": 0, "key": key, "number": number, "after": "x"})
        assert (await ask(client, "GET", f"/v1/contacts?search=ann&cursor={cursor}"))[0] == 200, "whoever makes one up"
    unfit: list[dict[str, Any]] = [{"range": 0, "key": "a"}, {"range": 0, "key": "a", "number": 2**63, "after": ""}]
    for told in unfit:
        assert (await ask(client, "GET", f"/v1/contacts?search=ann&cursor={encode_cursor(told)}"))[0] == 400
    for flag, names in ((True, [f"Ann Miller {number}" for number in (0, 1, 2, 4)]), (False, [])):
        cursor = encode_cursor({"range": 0, "key": "", "number": 0, "after": "", "nobody": flag})
        page = (await ask(client, "GET", f"/v1/contacts?search=mxller%20ann&territory=north&cursor={cursor}"))[1]
        assert [one["name"] for one in page["items"]] == names, "forgiven where nobody was found before either"
    for nobody in ("city=--", "role=agent", "search=bob&party=person", "territory=north&country=AT"):
        assert (await ask(client, "GET", f"/v1/contacts?{nobody}"))[1]["items"] == []
    for wrong in ("party=robot", "stage=best", "role=boss", "territory=No%20", "country=Germany", "city=", "owner="):
        assert (await ask(client, "GET", f"/v1/contacts?{wrong}"))[0] == 422, wrong
