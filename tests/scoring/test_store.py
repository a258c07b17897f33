"""One suite for the stores in memory and in MongoDB."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar, cast

import numpy as np
import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.channels import UNKNOWN, FirstOrder, code_of
from services.scoring.domain.model import Model
from services.scoring.domain.population import NOWHERE, Population, changes
from services.scoring.domain.prediction import Histories
from services.scoring.domain.purchases import Order, Purchases, money_of
from services.scoring.domain.score import Terms
from services.scoring.handlers import Known, Report, Scored, scored_of
from services.scoring.store import MongoCustomers, MongoModels, MongoPopulation
from services.scoring.store.rows import as_decimal128
from shared import mongo
from shared.mongo import Session
from shared.settings import PlatformSettings
from tests.scoring.events import customer
from tests.scoring.memory import MemoryCustomers, MemoryModels, MemoryPopulation
from tests.scoring.orders import START, on, synthetic_base
from tests.scoring.test_score import MODEL

pytestmark = pytest.mark.integration
T = TypeVar("T")
NOW = START + timedelta(days=400)


@dataclass
class Stores:
    customers: MemoryCustomers | MongoCustomers
    population: MemoryPopulation | MongoPopulation
    models: MemoryModels | MongoModels
    within: Callable[[Callable[[Session], Awaitable[Any]]], Awaitable[Any]]


async def _at_once(change: Callable[[Session], Awaitable[T]]) -> T:
    return await change(cast("Session", None))


@pytest.fixture(params=["memory", "mongo"])
async def stores(request: pytest.FixtureRequest, settings: PlatformSettings) -> AsyncIterator[Stores]:
    if request.param == "memory":
        yield Stores(MemoryCustomers(), MemoryPopulation(), MemoryModels(), _at_once)
        return
    client = mongo.connect(settings)
    database = client[f"{settings.namespace}rapport_scoring"]
    customers, population = MongoCustomers(database), MongoPopulation(database)
    for prepare in (customers.prepare, population.prepare, population.prepare):
        await prepare()
    yield Stores(customers, population, MongoModels(database), lambda change: mongo.transaction(client, change))
    await client.drop_database(database)
    await mongo.close(client)


def scored(base: list[Purchases], model: Model | None = MODEL, first: int = 0) -> list[Scored]:
    customers = [(customer(first + number), purchases) for number, purchases in enumerate(base)]
    return scored_of(dict(customers), {}, Terms(model, NOW, 90, "USD"))


async def save(stores: Stores, customers: list[Scored]) -> None:
    await stores.within(lambda session: stores.customers.save(customers, session))


async def test_customers_come_back_as_they_were_saved_last(stores: Stores) -> None:
    first, second = Purchases.of([on("2021-02-01", "3.000001")]), Purchases.of([on("2021-02-01"), on("2021-03-01")])
    await save(stores, scored([first, first]))
    await save(stores, scored([second]))
    everyone = [customer(0), customer(1), customer(2)]
    found = {customer(0): Known(second, NOW, NOWHERE), customer(1): Known(first, NOW, NOWHERE)}
    assert await stores.customers.load(everyone) == found
    assert await stores.customers.load([]) == {}


async def test_a_customer_saved_before_moments_were_kept_can_be_loaded(stores: Stores) -> None:
    if isinstance(stores.customers, MemoryCustomers):
        return  # memory has no past
    purchases = Purchases.of([on("2021-02-01")])
    await save(stores, scored([purchases]))
    await stores.customers._collection.update_one({"_id": customer(0)}, {"$unset": {"as_of": ""}})
    known = await stores.customers.load([customer(0)])
    assert known[customer(0)].purchases == purchases
    assert known[customer(0)].as_of < NOW


async def test_a_purchase_during_a_sweep_is_not_overwritten(stores: Stores) -> None:
    if isinstance(stores.customers, MemoryCustomers):
        return  # memory has no transactions
    first = Purchases.of([on("2021-02-01")])
    both = first.plus(Purchases.of([on("2021-03-01")]))
    await save(stores, scored([first]))
    attempts = 0

    async def sweep(session: Session) -> None:
        nonlocal attempts
        attempts += 1
        known = await stores.customers.load([customer(0)], session)
        if attempts == 1:
            await save(stores, scored([both]))
        await stores.customers.save(scored([one.purchases for one in known.values()]), session)

    await stores.within(sweep)
    assert attempts == 2
    assert await stores.customers.load([customer(0)]) == {customer(0): Known(both, NOW, NOWHERE)}


async def test_those_who_are_due_are_found_and_postponed_unless_a_purchase_came_between(stores: Stores) -> None:
    first = Purchases.of([on("2021-02-01")])
    await save(stores, [one._replace(due=100 + number) for number, one in enumerate(scored([first] * 4))])
    sheet = await stores.customers.due(102, 10)
    assert (list(sheet.customers), sheet.due.tolist()) == ([customer(n) for n in range(3)], [100, 101, 102])
    assert list((await stores.customers.due(102, 2)).customers) == [customer(0), customer(1)]
    await stores.customers.postpone([(customer(0), 100, 300), (customer(1), 99, 300)])
    assert list((await stores.customers.due(102, 10)).customers) == [customer(1), customer(2)]


async def test_a_customer_saved_before_days_were_kept_is_given_one(stores: Stores) -> None:
    if isinstance(stores.customers, MemoryCustomers):
        return  # memory has no past
    await save(stores, scored([Purchases.of([on("2021-02-01")])]))
    await stores.customers._collection.update_one({"_id": customer(0)}, {"$unset": {"due": "", "ranks": ""}})
    sheet = await stores.customers.sheet(None, 10)
    assert sheet.due.tolist() == [0]
    await stores.customers.postpone([(customer(0), 0, 50)])
    assert (await stores.customers.due(50, 10)).due.tolist() == [50]


async def test_how_a_customer_came_is_kept_and_comes_with_every_sheet(stores: Stores) -> None:
    purchases, first = Purchases.of([on("2021-02-01")]), FirstOrder.of(START, "order-1", "web")
    unknown, web = scored([purchases] * 2)
    await save(stores, [unknown, web._replace(first=first)])
    known = await stores.customers.load([customer(0), customer(1)])
    assert (known[customer(0)].first, known[customer(1)].first) == (None, first)
    sheet, packed = await stores.customers.sheet(None, 10), await stores.customers.packed(None, 10)
    assert sheet.histories.came is not None
    assert sheet.histories.came.tolist() == packed.came.tolist() == [UNKNOWN, code_of("web")]
    assert packed.days == [purchases.pack()] * 2
    assert await stores.customers.channel(code_of("web")) == "web"
    assert await stores.customers.channel(code_of("till")) is None


async def test_customers_saved_before_channels_were_kept_count_as_the_base(stores: Stores) -> None:
    if isinstance(stores.customers, MemoryCustomers):
        return  # memory has no past
    await save(stores, scored([Purchases.of([on("2021-02-01")])]))
    await stores.customers._collection.update_one({"_id": customer(0)}, {"$unset": {"first": "", "came": ""}})
    sheet, packed = await stores.customers.sheet(None, 10), await stores.customers.packed(None, 10)
    assert sheet.histories.came is not None
    assert (sheet.histories.came.tolist(), packed.came.tolist()) == ([UNKNOWN], [UNKNOWN])
    assert (await stores.customers.load([customer(0)]))[customer(0)].first is None


async def test_rows_of_before_last_gaps_were_kept_say_that_it_is_not_known(stores: Stores) -> None:
    if isinstance(stores.customers, MemoryCustomers):
        return  # memory has no past
    base, _ = synthetic_base(2, 300, seed=1)
    await save(stores, scored(base))
    kept = await stores.customers._collection.find_one({"_id": customer(0)})
    assert kept is not None
    await stores.customers._collection.update_one({"_id": customer(0)}, {"$set": {"row": kept["row"][:72]}})
    sheet = await stores.customers.sheet(None, 10)
    assert np.isnan(sheet.histories.last_gap[0])
    assert sheet.histories.x.tolist() == Histories.of(base).x.tolist()
    assert sheet.told.p_alive.tolist() == [one.score.p_alive for one in scored(base)]


async def test_saving_nobody_is_no_error(stores: Stores) -> None:
    await save(stores, [])


async def test_a_sheet_says_what_a_sweep_needs(stores: Stores) -> None:
    base, _ = synthetic_base(12, 300, seed=1)
    everyone = [*scored(base[:8]), *scored(base[8:], model=None, first=8)]
    await save(stores, everyone)
    first, second = await stores.customers.sheet(None, 5), await stores.customers.sheet(customer(4), 50)
    assert [*first.customers, *second.customers] == [one.customer_id for one in everyone]
    wanted = Histories.of(base[5:])
    for name in ("x", "first_day", "last_day", "spend", "money", "last_gap"):
        assert np.array_equal(getattr(second.histories, name), getattr(wanted, name), equal_nan=True)
    assert first.told.p_alive.tolist() == [one.score.p_alive for one in everyone[:5]]
    assert np.isnan(second.told.p_alive).tolist() == [False] * 3 + [True] * 4
    assert second.told.segment[-1] == -1
    assert not (await stores.customers.sheet(customer(11), 50)).customers


async def test_who_has_no_order_left_is_known_listed_last_and_neither_swept_nor_summed(stores: Stores) -> None:
    order = on("2021-02-01", "3")
    gone, here = Purchases.of([order, Order.cancelled(order.at, order.total)]), Purchases.of([order])
    await save(stores, scored([gone, here, gone]))
    assert (await stores.customers.load([customer(0)]))[customer(0)].purchases == gone
    assert (await stores.customers.sheet(None, 2)).customers == [customer(1)]
    assert not (await stores.customers.sheet(customer(1), 2)).customers
    assert [(row.customers, row.money) for row in await stores.customers.summary()] == [(1, Decimal(3))]
    listed = await stores.customers.page(None, "value", None, 10)
    assert [score.customer_id for score in listed] == [customer(1), customer(0), customer(2)]


@pytest.mark.parametrize("sort", ["value", "customer"])
async def test_pages_show_every_score_once_in_order(stores: Stores, sort: str) -> None:
    base, _ = synthetic_base(23, 300, seed=1)
    await save(stores, [*scored(base[:20]), *scored(base[20:], model=None, first=20)])
    seen = []
    after = None
    while page := await stores.customers.page(None, sort, after, 5):
        seen += page
        after = (page[-1].value, page[-1].customer_id)
    assert len({score.customer_id for score in seen}) == len(seen) == 23
    if sort == "customer":
        assert [score.customer_id for score in seen] == sorted(score.customer_id for score in seen)
    else:
        values = [score.value for score in seen]
        assert values[20:] == [None] * 3
        assert values[:20] == sorted((v for v in values if v is not None), reverse=True)


async def test_equal_values_are_told_apart_by_customer(stores: Stores) -> None:
    same = Purchases.of([on("2021-02-01")])
    await save(stores, scored([same] * 7))
    first = await stores.customers.page(None, "value", None, 3)
    rest = await stores.customers.page(None, "value", (first[-1].value, first[-1].customer_id), 10)
    assert [score.customer_id for score in (*first, *rest)] == [customer(number) for number in range(7)]


async def test_a_page_of_a_segment_has_only_its_customers_as_they_were_told(stores: Stores) -> None:
    base, _ = synthetic_base(60, 400, seed=3)
    everyone = scored(base)
    await save(stores, everyone)
    gone = [one.score for one in everyone if one.score.segment == "gone"]
    page = await stores.customers.page("gone", "customer", None, 100)
    assert 0 < len(gone) < 60
    assert page == gone


async def test_the_summary_adds_up_exactly(stores: Stores) -> None:
    base = [Purchases.of([on("2021-02-01", f"{number}.10")]) for number in range(100)]
    await save(stores, [*scored(base), *scored(base[:1], model=None, first=100)])
    rows = await stores.customers.summary()
    assert sum(row.customers for row in rows) == 101
    assert sum((row.money for row in rows), Decimal(0)) == Decimal("4960.10")
    assert {row.segment for row in rows} >= {None}
    assert next(row for row in rows if row.segment is None).value == 0


async def test_an_empty_base_has_an_empty_summary(stores: Stores) -> None:
    assert await stores.customers.summary() == []


async def test_changes_of_the_base_are_added_up_once(stores: Stores) -> None:
    base, _ = synthetic_base(50, 300, seed=6)
    for begin in range(0, 50, 10):
        some = changes((Purchases(), purchases) for purchases in base[begin : begin + 10])
        await stores.within(lambda session, some=some: stores.population.add(some, session))  # type: ignore[misc]
    wanted = Population().plus([changes((Purchases(), purchases) for purchases in base)])
    for _ in range(2):
        population, more = await stores.within(stores.population.gather)
        assert not more
        assert population.pack() == wanted.pack()


async def test_the_newest_version_is_in_use_and_none_is_overwritten(stores: Stores) -> None:
    models = stores.models
    assert await models.latest() is None
    versions = [replace(MODEL, version=number, fitted_at=START + timedelta(days=number)) for number in (1, 2, 3)]
    assert [await models.add(model) for model in versions] == [True] * 3
    assert not await models.add(replace(MODEL, version=3))
    assert await models.latest() == versions[2]
    assert await models.version(2) == versions[1]
    assert await models.version(4) is None
    assert await models.page(None, 2) == [versions[2], versions[1]]
    assert await models.page(2, 2) == [versions[0]]


async def test_the_last_refit_and_the_last_sweep_are_remembered(stores: Stores) -> None:
    assert await stores.models.last_refit() is None
    assert await stores.models.swept() is None
    report = Report("held", ("dropout not identified",), None, 7, 9, 0, START, 0.25)
    await stores.models.note(report)
    await stores.models.note_sweep(3, 18_628)
    assert await stores.models.last_refit() == report
    assert await stores.models.swept() == (3, 18_628)


async def test_one_holder_at_a_time_has_the_lease(stores: Stores) -> None:
    models = stores.models
    assert await models.claim("a", 60)
    assert await models.claim("a", 60)
    assert not await models.claim("b", 60)
    await models.release("b")
    assert not await models.claim("b", 60)
    await models.release("a")
    assert await models.claim("b", 60)


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_amounts_are_the_same_decimals_in_the_database(micros: int) -> None:
    assert as_decimal128(money_of(micros)).to_decimal() == money_of(micros)


async def test_an_expired_lease_is_free(stores: Stores) -> None:
    if isinstance(stores.models, MemoryModels):
        return  # memory does not outlive its holder
    assert await stores.models.claim("a", -1)
    assert await stores.models.claim("b", 60)
    assert not await stores.models.claim("a", 60)


async def test_ids_and_packed_days_are_read_without_the_rest(stores: Stores) -> None:
    base = [Purchases.of([on("2021-02-01", str(number + 1))]) for number in range(5)]
    await save(stores, scored(base))
    first = await stores.customers.ids(None, 3)
    assert [*first, *await stores.customers.ids(first[-1], 3)] == [customer(number) for number in range(5)]
    assert await stores.customers.ids(customer(4), 3) == []
    found = await stores.customers.days([customer(2), customer(9)])
    assert found == {customer(2): base[2].pack()}
