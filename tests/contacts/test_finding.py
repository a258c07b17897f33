"""The database finds whom the rule says, in its order: names and questions that have much in common, all of them asked."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.contacts.domain.survivorship import Known, Statement, fold, newcomer
from services.contacts.domain.values.search import Fit, place, ranges
from services.contacts.handlers import Changes
from services.contacts.store import MongoStore, finding
from services.contacts.store.rows import search_keys
from shared.contracts.contacts import Contact
from shared.ids import uuid7, uuid7s
from shared.settings import PlatformSettings
from tests.contacts.memory import MemoryStore
from tests.contacts.running import contacts_database

NOW = datetime(2026, 1, 2, tzinfo=UTC)
GIVEN = ("Ann", "Anna", "Hanna", "Jürgen", "Juergen", "Jörg", "Maria", "Mario", "José", "J.", "Иван")
FAMILY = (
    "Müller",
    "Mueller",
    "Miller",
    "Møller",
    "Garcia",
    "García Márquez",
    "Li",
    "Lie",
    "Smith",
    "Smyth",
    "O'Neill",
    "3M",
)
TYPED = (
    *GIVEN, *FAMILY, "an", "a", "mu", "mue", "muell", "garc mar", "mar garc", "smith an", "an smi", "li jose", "jurgn muler", "ivan neil",
    "hann", "ahnna", "gracia maria", "smtih", "j muller", "3m", "3", "anna anna", "anna an", "juergen jurgen", "smith smyth", "moeller",
    "maria garcia marquez", "marquez gar mar", "marquez garcai mario", "hsnna", "mxrio smtihh garc", "marquezz hsnna", "nobody", "--",
)  # fmt: skip


def named(number: int, dice: random.Random) -> Known:
    name = f"{dice.choice(GIVEN)} {dice.choice(FAMILY)}"
    mail = dice.choice([None, "a.b@c.de", "jose.garcia7@d.de"])
    said = Statement("s", NOW, fields={"name": name, "email": mail} if mail else {"name": name})
    return fold(newcomer(uuid7(NOW + timedelta(seconds=number)), NOW), said)


@pytest.fixture
async def store(settings: PlatformSettings) -> AsyncIterator[MongoStore]:
    async with contacts_database(settings) as database:
        yield MongoStore(database)


async def all_pages(store: MongoStore, typed: str, limit: int, *more: Any) -> tuple[list[Contact], int]:
    """Whom all pages have, one after the other, and how many pages those are."""
    contacts: list[Contact] = []
    after, number = None, 0
    while number == 0 or after:
        page = await store.found(typed, after, limit, *more)
        contacts += page.contacts
        after, number = page.next, number + 1
    return contacts, number


@pytest.mark.integration
async def test_the_database_finds_whom_the_rule_says(store: MongoStore) -> None:
    dice, rule = random.Random(7), MemoryStore()
    contacts = {one.contact.customer_id: one for one in (named(number, dice) for number in range(150))}
    for kept in (store, rule):
        await kept.save(Changes(contacts=list(contacts.values())), None, NOW)
    fits = set()
    for typed in TYPED:
        found = await rule.found(typed, None, 1000)
        assert await store.found(typed, None, 1000) == found, typed
        ways = ranges(typed)
        places = [place(ways, set(search_keys(contacts[one.customer_id]))) for one in found.contacts]
        paged, _ = await all_pages(store, typed, 7)
        assert paged == found.contacts, typed
        fits |= {ways[at.range].fit if at else Fit.SLIP for at in places}
    assert fits == set(Fit)


@pytest.mark.integration
async def test_all_of_one_name_who_came_in_one_instant_are_found_page_by_page(store: MongoStore) -> None:
    ids = uuid7s(NOW)
    contacts = [
        fold(newcomer(next(ids), NOW), Statement("s", NOW, fields={"name": "Ann Lee Anna"})) for _ in range(100)
    ]
    await store.save(Changes(contacts=contacts), None, NOW)
    for typed in ("ann", "ann le", "an", "lee anna"):
        paged, _ = await all_pages(store, typed, 9)
        assert sorted(one.customer_id for one in paged) == [one.contact.customer_id for one in contacts]


@pytest.mark.integration
async def test_of_those_who_only_sound_alike_a_page_looks_at_so_many_and_no_more(store: MongoStore) -> None:
    names = [*["Anna Miller"] * 9, "Anna 3M"]
    people = [
        fold(newcomer(uuid7(NOW + timedelta(seconds=number)), NOW), Statement("s", NOW, fields={"name": name}))
        for number, name in enumerate(names)
    ]
    await store.save(Changes(contacts=people), None, NOW)

    async def found(alike: int, few: int) -> list[str | None]:
        page, behind = await finding.found(store.contacts, "ana 3m", None, 5, {}, alike=alike, few=few)
        assert behind is None
        return [row["name"] for _, row in page]

    assert await found(alike=10, few=0) == ["Anna 3M"]
    assert await found(alike=9, few=0) == []
    assert await found(alike=9, few=1) == ["Anna 3M"], "few have the other word"
