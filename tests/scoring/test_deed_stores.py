"""One suite for deeds and names in memory and in MongoDB."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

import pytest

from services.scoring.domain.behaviour import Behaviour, Doing, Done
from services.scoring.domain.contracts.facts import Contracts, Kind as Kind_
from services.scoring.domain.profit import Book, Kind, Movement
from services.scoring.domain.wishes.customer import Memories, Wishes
from services.scoring.handlers import Change, LastBasket, Liked, Name, PackedLesson, Product, Remembered
from services.scoring.store import MongoDeeds, MongoNames
from shared import mongo
from shared.settings import PlatformSettings
from tests.scoring.contracts.lives import fact
from tests.scoring.events import customer
from tests.scoring.memory import MemoryDeeds, MemoryNames

pytestmark = pytest.mark.integration
ANNA, BEN = customer(1), customer(2)
TEA = Wishes.of_purchase(100, [1, 2], [7])
CALL = Wishes.of_contact(101, 9, 33)
NOTHING: Any = None
NO_WISHES = Liked(None, None, None, None, None)


@dataclass
class Stores:
    deeds: MemoryDeeds | MongoDeeds
    names: MemoryNames | MongoNames
    other: MemoryNames | MongoNames
    """The names as another instance sees them."""

    async def save(self, *changed: Change) -> None:
        await self.deeds.save(changed, NOTHING)


@pytest.fixture(params=["memory", "mongo"])
async def stores(request: pytest.FixtureRequest, settings: PlatformSettings) -> AsyncIterator[Stores]:
    if request.param == "memory":
        names = MemoryNames()
        yield Stores(MemoryDeeds(), names, names)
        return
    client = mongo.connect(settings)
    database = client[f"{settings.namespace}rapport_scoring"]
    deeds, one, other = MongoDeeds(database), MongoNames(database), MongoNames(database)
    for prepare in (deeds.prepare, one.prepare, other.prepare):
        await prepare()
    yield Stores(deeds, one, other)
    await client.drop_database(database)
    await mongo.close(client)


def liked(who: str, wishes: Wishes, lesson: LastBasket | None = None) -> Change:
    return Change(who, Liked(*wishes.parts, lesson), {})


async def test_wishes_come_back_and_what_has_not_changed_stays(stores: Stores) -> None:
    await stores.save(liked(ANNA, TEA))
    await stores.save(Change(ANNA, Liked(None, None, CALL.channels, CALL.hours, None), {}), liked(BEN, CALL))
    both = TEA.plus(CALL, Memories())
    assert await stores.deeds.load([ANNA, BEN, customer(3)]) == {ANNA: Remembered(both), BEN: Remembered(CALL)}
    assert await stores.deeds.load([]) == {}


async def test_contracts_and_behaviour_are_read_of_those_asked_for_only(stores: Stores) -> None:
    contracts = Contracts((fact(Kind_.STARTED, "2026-01-01"),))
    behaviour = Behaviour((Done(100, Doing.COMPLAINT, 1),)).pack()
    for who in (ANNA, BEN):
        await stores.save(Change(who, liked(who, TEA).liked, {}, contracts, behaviour))
    whole, part = Remembered(TEA, Book(), contracts, behaviour), Remembered(TEA)
    assert await stores.deeds.load([ANNA, BEN], [], whole=[BEN, customer(3)]) == {ANNA: part, BEN: whole}
    assert await stores.deeds.load([ANNA, BEN], [], whole=[]) == {ANNA: part, BEN: part}
    assert await stores.deeds.load([ANNA, BEN], []) == {ANNA: whole, BEN: whole}


async def test_of_a_book_only_the_months_asked_for_are_read_and_only_those_changed_are_written(stores: Stores) -> None:
    book = Book.of(
        Movement("e", month, kind, "spring", False, 5) for month in (610, 611, 612) for kind in (Kind.CALLS, Kind.MAILS)
    )
    await stores.save(Change(ANNA, NO_WISHES, book.by_month()))
    more = Book.of([Movement("f", 611, Kind.VISITS, "", True, -7)])
    await stores.save(Change(ANNA, NO_WISHES, {611: book.within(611, 612).plus(more), 612: Book()}))
    assert (await stores.deeds.load([ANNA]))[ANNA].book == book.within(610, 612).plus(more)
    assert (await stores.deeds.load([ANNA], [610, 615]))[ANNA].book == book.within(610, 611)
    await stores.save(Change(BEN, NO_WISHES, {}))
    assert BEN not in await stores.deeds.load([BEN])
    assert await stores.deeds.wishes(BEN) is None
    ledger = await stores.deeds.ledger(None, 10)
    assert (ledger.customers, ledger.books) == ([ANNA], [book.within(610, 612).plus(more)])


async def test_contracts_come_back_and_those_who_have_none_are_passed_by(stores: Stores) -> None:
    contracts = Contracts((fact(Kind_.STARTED, "2026-01-01"), fact(Kind_.MOVED, "2026-03-01", reason="x")))
    await stores.save(liked(BEN, TEA), Change(ANNA, NO_WISHES, {}, contracts))
    await stores.save(liked(ANNA, TEA))
    assert (await stores.deeds.load([ANNA], []))[ANNA] == Remembered(TEA, Book(), contracts)
    assert await stores.deeds.contracts(ANNA) == contracts
    assert await stores.deeds.contracts(BEN) == Contracts()
    assert await stores.deeds.signed(None, 5) == ([ANNA], [contracts])
    assert await stores.deeds.signed(ANNA, 5) == ([], [])


async def test_behaviour_comes_back_and_is_read_alone(stores: Stores) -> None:
    once, twice = (Behaviour((Done(100, Doing.COMPLAINT, times),)).pack() for times in (1, 2))
    await stores.save(Change(ANNA, NO_WISHES, {}, None, once), liked(BEN, TEA))
    await stores.save(Change(ANNA, NO_WISHES, {}, None, twice))
    await stores.save(liked(ANNA, TEA))
    assert (await stores.deeds.load([ANNA], []))[ANNA] == Remembered(TEA, behaviour=twice)
    assert await stores.deeds.behaviours([ANNA, BEN, customer(3)]) == {ANNA: twice}


async def test_the_base_is_looked_through_leaf_by_leaf(stores: Stores) -> None:
    await stores.save(*(liked(customer(number), TEA if number % 2 else CALL) for number in range(5)))
    await stores.save(liked(customer(1), TEA, LastBasket(TEA.products, 120, frozenset([5, 3]))))
    first = await stores.deeds.leaf(None, 3)
    rest = await stores.deeds.leaf(first.customers[-1], 3)
    assert [*first.customers, *rest.customers] == [customer(number) for number in range(5)]
    assert first.products[1] == TEA.products.pack()
    assert first.products[0] == Wishes().products.pack()
    assert first.lessons == [None, PackedLesson(TEA.products.pack(), 120, [3, 5]), None]
    assert (await stores.deeds.leaf(customer(4), 3)).customers == []


async def test_a_name_has_one_number_for_everybody_and_for_ever(stores: Stores) -> None:
    names = [Name("product", f"p{number}") for number in range(50)] + [Name("category", "p1"), Name("channel", "a/b")]
    both = await asyncio.gather(stores.names.numbers(names), stores.other.numbers(names[::-1]))
    assert both[0] == both[1]
    assert len(set(both[0].values())) == len(names)
    assert await stores.other.numbers(names[:3]) == {name: both[0][name] for name in names[:3]}
    numbers = [both[0][name] for name in names[-2:]]
    assert set((await stores.names.texts(numbers)).values()) == {"p1", "a/b"}
    assert await stores.names.numbers([]) == {}


async def test_the_catalogue_knows_what_orders_tell_and_what_was_set_counts_more(stores: Stores) -> None:
    await stores.names.numbers([Name("product", name) for name in ("tea", "milk", "a/b")] + [Name("category", "tea")])
    await stores.names.categorise({"tea": "drinks", "milk": "dairy"})
    await stores.names.categorise({"tea": "hot drinks"})
    number = (await stores.names.numbers([Name("product", "tea")]))[Name("product", "tea")]
    assert await stores.names.product("tea") == Product("tea", number, None, "hot drinks", True)
    told = await stores.names.describe("tea", name="Green tea", category="leaves", available=False)
    assert told == Product("tea", number, "Green tea", "leaves", False)
    assert await stores.names.described([number]) == {number: told}
    await stores.names.describe("tea", name=None, category=None, available=True)
    assert await stores.names.product("tea") == Product("tea", number, None, "hot drinks", True)
    assert [one.product for one in await stores.names.products()] == ["a/b", "milk", "tea"]
    assert [one.product for one in await stores.names.products("a/b", 1)] == ["milk"]
    assert await stores.names.product("coffee") is None
    new = await stores.names.describe("coffee", name=None, category="drinks", available=True)
    assert new == cast("Product", await stores.names.product("coffee"))
