"""What the stores promise, asked of the real ones and of those that the other tests use in their place."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import DuplicateKeyError

from services.interactions.domain import Batch, Entry, Tally
from services.interactions.store.history import HistoryStore
from shared.settings import PlatformSettings
from tests.interactions.facts import ANNA, BEN, NOON, SHOP, interaction, sale
from tests.interactions.memory import HistoryInMemory

Store = HistoryStore | HistoryInMemory


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.integration)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield HistoryInMemory()
        return
    settings: PlatformSettings = request.getfixturevalue("settings")
    name = f"{settings.namespace}rapport_interactions"
    async with AsyncMongoClient[dict[str, Any]](settings.mongo_url, tz_aware=True) as client:
        history = HistoryStore(client[name])
        await history.prepare()
        yield history
        await client.drop_database(name)


def entries(*facts: Any, customer_id: str = ANNA, source: str = SHOP, start: int = 0) -> list[Entry]:
    batch = Batch((), ())
    for number, fact in enumerate(facts, start):
        batch.take(fact, source=source, event_id=f"e-{number}", customer_id=customer_id)
    return batch.entries


async def test_what_is_added_reads_back_as_it_was(store: Store) -> None:
    lines = [
        {"product": "P", "quantity": "2.5", "value": "0.000001", "discounts": {"coupon": "1.50"}},
        {"product": "Q", "quantity": "0", "value": "999999999.99"},
    ]
    told = entries(
        sale("O-1", lines=lines, store="S-7"),
        interaction("visit", summary="long", attributes={"a.b": 1.5, "c": None}, campaign="spring"),
        interaction(),
    )
    await store.add(told, None)
    assert [await store.entry(entry.name) for entry in told] == told
    assert await store.entry("nobody") is None


async def test_known_are_only_those_that_were_added(store: Store) -> None:
    told = entries(sale("O-1"), interaction())
    await store.add(told, None)
    names = {entry.name for entry in told}
    assert await store.known_names(names | {"other"}, None) == names
    asked = {(SHOP, "O-1"), (SHOP, "O-2"), ("/channels/other", "O-1")}
    assert await store.known_orders(asked, None) == {(SHOP, "O-1")}


async def test_an_order_is_found_by_its_channels_number(store: Store) -> None:
    [order] = entries(sale("O-1"))
    await store.add([order], None)
    assert await store.order_by_number(SHOP, "O-1") == order
    assert await store.order_by_number(SHOP, "O-2") is None


async def test_figures_are_the_exact_sum_of_all_that_was_counted(store: Store) -> None:
    assert await store.figures() == Tally()
    await store.count("inbound:0", Tally(interactions=1, orders=2, total=Decimal("0.1"), duplicates=3), None)
    await store.count("inbound:0", Tally(orders=1, total=Decimal("0.2"), duplicate_orders=4), None)
    await store.count("inbound:1", Tally(orders=1, total=Decimal("1000000000000000.000001")), None)
    total = Decimal("1000000000000000.300001")
    assert await store.figures() == Tally(1, 4, total, 3, 4)


async def test_a_customers_entries_come_newest_first_page_by_page(store: Store) -> None:
    at = [NOON + timedelta(minutes=minute) for minute in (3, 1, 2, 2, 2)]
    mine = entries(*(interaction(occurred_at=moment) for moment in at), sale(ordered_at=NOON + timedelta(hours=1)))
    await store.add(mine, None)
    await store.add(entries(interaction(), customer_id=BEN, start=50), None)
    pages: list[Entry] = []
    after = None
    while page := await store.of_customer(ANNA, kind=None, after=after, limit=2):
        assert len(page) <= 2
        pages += page
        after = (page[-1].at, page[-1].name)
    assert pages == sorted(mine, key=lambda entry: (entry.at, entry.name), reverse=True)
    assert [entry.kind for entry in await store.of_customer(ANNA, kind="order", after=None, limit=9)] == ["order"]


async def test_all_entries_are_paged_by_id(store: Store) -> None:
    mine = entries(interaction(), interaction(), sale(), interaction("visit"))
    await store.add(mine, None)
    by_id = sorted(mine, key=lambda entry: entry.name)
    first = await store.all(kind=None, after=None, limit=3)
    assert [*first, *await store.all(kind=None, after=first[-1].name, limit=3)] == by_id
    assert [entry.kind for entry in await store.all(kind="visit", after=None, limit=3)] == ["visit"]


async def test_all_orders_are_paged_by_channel_and_number(store: Store) -> None:
    a = entries(sale("2"), sale("1"), interaction(), source="/channels/a")
    b = entries(sale("1"), source="/channels/b")
    await store.add([*b, *a], None)
    first = await store.orders(after=None, limit=2)
    rest = await store.orders(after=("/channels/a", "2"), limit=2)
    told = [(entry.fact.channel, entry.order) for entry in [*first, *rest]]
    assert told == [("/channels/a", "1"), ("/channels/a", "2"), ("/channels/b", "1")]


@pytest.mark.integration
async def test_the_database_itself_refuses_a_second_order_of_the_same_number(settings: PlatformSettings) -> None:
    name = f"{settings.namespace}rapport_interactions"
    async with AsyncMongoClient[dict[str, Any]](settings.mongo_url, tz_aware=True) as client:
        store = HistoryStore(client[name])
        await store.prepare()
        await store.add(entries(sale("O-1")), None)
        with pytest.raises(DuplicateKeyError):
            await client[name].history.insert_one({"_id": "x", "channel": SHOP, "order": "O-1"})
        for wanted in ({"$or": [{"channel": SHOP, "order": {"$in": ["O-1", "O-2"]}}]}, {"order": {"$exists": True}}):
            plan = await client[name].history.find(wanted).sort([("channel", 1), ("order", 1)]).explain()
            assert "orders_by_number" in str(plan["queryPlanner"]["winningPlan"])
            assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])
        await client.drop_database(name)
