"""Files of those who have all that is asked for: whom the search finds, and no others, in pieces that follow an id."""

import random
from itertools import product
from typing import Any

import aiohttp
import orjson
import pytest

from services.contacts.domain.access import EVERYBODY, Rows
from services.contacts.domain.traits import has
from services.contacts.domain.values.search import place, ranges
from services.contacts.handlers import Changes
from services.contacts.handlers.exporting import Asked
from services.contacts.store import ExportStore, MongoStore
from services.contacts.store.rows import search_keys
from shared.mongo import Database
from tests.contacts.memory import MemoryStore
from tests.contacts.staff import Staff, staff
from tests.contacts.test_api import ask, client, register
from tests.contacts.test_finding import NOW
from tests.contacts.test_wanted import BOUNDS, CITY, MANY, NORTH, ROWS, TYPED, WANTED, database, people
from tests.scans import scans, watched

__all__ = ["client", "database", "staff"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession


async def asked_for(store: ExportStore, asked: Asked, rows: Rows) -> list[str]:
    """Everybody, in pieces of seven."""
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        piece, after = await store.piece(after, 7, asked, rows)
        found += [known.contact.customer_id for known in piece]
    return found


@pytest.mark.parametrize("bounds", BOUNDS)
async def test_a_file_is_of_all_who_have_what_is_asked_for_and_follows_their_ids(
    database: Database, bounds: dict[str, int]
) -> None:
    store, rule, everybody = ExportStore(database, **bounds), MemoryStore(), people(random.Random(11))
    for kept in (MongoStore(database), rule):
        await kept.save(Changes(contacts=everybody), None, NOW)
    several = 0
    for typed, wanted, rows in product((None, *TYPED), WANTED, ROWS):
        ways = ranges(typed or "")
        expected = [
            one.customer_id
            for one in await rule.page("", MANY, rows)
            if all(has(one, thing) for thing in wanted)
            and (typed is None or place(ways, set(search_keys(rule.contacts[one.customer_id]))))
        ]
        asked = Asked(typed, wanted)
        assert await asked_for(store, asked, rows) == expected, (asked, rows)
        for one in (*expected[:1], "", "nobody"):
            mine = [one] if one in expected else []
            assert await asked_for(store, Asked(typed, wanted, one), rows) == mine, (asked, rows)
        several += len(expected) > 7 and bool(wanted)
    assert several > 30, "a test of which most finds nobody"


async def test_no_piece_reads_more_than_is_asked_for(database: Database) -> None:
    await MongoStore(database).save(Changes(contacts=people(random.Random(12))), None, NOW)
    async with watched(database):
        for bounds, wanted in product(BOUNDS, WANTED[1:]):
            await asked_for(ExportStore(database, **bounds), Asked("anna", wanted), ROWS[1])
    assert await scans(database) == []


async def test_much_that_nobody_has_all_of_is_passed_in_pieces_without_anybody(database: Database) -> None:
    await MongoStore(database).save(Changes(contacts=people(random.Random(13))), None, NOW)
    store = ExportStore(database, few=0, examined=5)
    piece, after = await store.piece("", 100, Asked("nobody", (CITY, NORTH)), EVERYBODY)
    assert piece == []
    assert after, "there are more than five of either"
    assert await asked_for(store, Asked("nobody", (CITY, NORTH)), EVERYBODY) == []


async def names(client: Client, **asked: str) -> list[str]:
    query = {"format": "jsonl", "fields": "name", **asked}
    async with client.get("/v1/contacts/export", params=query) as answer:
        text = await answer.read()
        assert answer.status == 200, text
    return sorted(orjson.loads(line)["name"] for line in text.splitlines())


async def found(client: Client, **asked: str) -> list[str]:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return sorted(one["name"] for one in (await ask(client, "GET", f"/v1/contacts?{query}"))[1]["items"])


NORTHERN = {"territory": "north", "owner": "olga", "address": {"city": "Köln", "country": "DE"}}


async def some_people(client: Client) -> None:
    definitions: dict[str, Any] = {
        "tier": {"type": "choice", "choices": ["silver", "gold"]},
        "sports": {"type": "list", "choices": ["golf", "chess"]},
        "wage": {"type": "number", "sensitivity": "sensitive"},
    }
    for name, definition in definitions.items():
        status, body, _ = await ask(client, "PUT", f"/v1/contacts/fields/{name}", definition | {"searchable": True})
        assert status == 200, body
    for name, more in (
        ("Ann North", {**NORTHERN, "attributes": {"tier": "gold", "sports": "golf,chess", "wage": 1}}),
        ("Ben North", {**NORTHERN, "attributes": {"tier": "silver", "wage": 2}}),
        ("Ann South", {"territory": "south", "attributes": {"tier": "gold", "wage": 1}}),
    ):
        await register(client, {"name": name, **more})


async def test_over_http_a_file_takes_the_questions_of_a_search(staff: Staff) -> None:
    await some_people(staff.admin)
    questions: tuple[dict[str, str], ...] = (
        {},
        {"search": "ann"},
        {"territory": "north"},
        {"search": "ann", "city": "KOELN", "country": "DE", "owner": "olga", "party": "person"},
        {"field.tier": "gold"},
        {"field.sports": "golf", "stage": "prospect"},
        {"field.tier": "gold", "territory": "south", "search": "south"},
        {"role": "agent"},
        {"field.wage": "1"},
    )
    for question in questions:
        assert await names(staff.admin, **question) == await found(staff.admin, **question), question
    assert await names(staff.admin, territory="north", identifier="email:nobody@b.de") == []
    assert await found(staff.admin, search="nosth") == ["Ann North", "Ben North"]
    assert await names(staff.admin, search="nosth") == [], "who is meant by a slip is offered, and not handed on"
    clerk = staff.holder("contacts:export", "contacts:read")
    for wrong in ("party=robot", "field.nothing=1", "field.wage=1", "city=", "role=boss"):
        for path in ("/v1/contacts/export", "/v1/contacts"):
            assert (await ask(clerk, "GET", f"{path}?{wrong}"))[0] == 422, (path, wrong)


async def test_a_limited_key_has_a_file_of_its_own_contacts_and_is_seen_to_ask(staff: Staff) -> None:
    await some_people(staff.admin)
    nick, blind = staff.of_the_north(), staff.holder("contacts:export", territories=["west"])
    assert await names(nick) == ["Ann North", "Ben North"]
    assert await names(nick, **{"field.tier": "gold"}) == ["Ann North"]
    for nobody in ({"territory": "south"}, {"search": "south"}, {"owner": "otto"}):
        assert await names(nick, **nobody) == await names(blind, **nobody) == []
    trail = (await ask(staff.admin, "GET", "/v1/audit?limit=100"))[1]["items"]
    exports = [one for one in trail if one["action"] == "export"]
    assert sorted(len(one["customers"]) for one in exports) == [0] * 8 + [1, 2]
    reader = staff.holder("contacts:read", territories=["north"])
    assert (await ask(reader, "GET", "/v1/contacts/export"))[0] == 403
