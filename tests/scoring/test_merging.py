"""Customers who are one are scored as one, and as two again, in whatever order sales and merges are heard. In memory."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any, cast

from hypothesis import given, settings, strategies as st

from services.scoring.domain.channels import FirstOrder
from services.scoring.domain.merging import Part, plus, total
from services.scoring.domain.population import Population
from services.scoring.domain.purchases import LIMIT_MICROS, Order, Purchases, money_of
from services.scoring.handlers import Merging, Scores, Sweeping
from services.scoring.handlers.restricting import Restricting
from services.scoring.store.erasing import Bought
from shared.contracts.fact import Reason
from shared.contracts.merges import LinkFact, root_of
from shared.contracts.scoring import Score, ScoreChanged, ScoreWithdrawn
from shared.erasing import Work
from shared.messaging import Received, Unit
from shared.messaging.outbox import Told
from tests.links import MemoryLinks, link, links_among
from tests.scoring.events import customer, linked, ordered
from tests.scoring.instances import batches
from tests.scoring.memory import (
    MemoryCustomers,
    MemoryPopulation,
    MemoryRestrictions,
    MemoryTransactions,
    SetClock,
    new_unit,
)
from tests.scoring.orders import START, on, orders
from tests.scoring.test_score import MODEL

ANNA, BERT, CLEO, DORA = EVERYBODY = tuple(customer(number) for number in range(4))
LAST = START + timedelta(days=200)


@dataclass
class World:
    customers: MemoryCustomers = field(default_factory=MemoryCustomers)
    population: MemoryPopulation = field(default_factory=MemoryPopulation)
    clock: SetClock = field(default_factory=lambda: SetClock(LAST))
    links: MemoryLinks = field(default_factory=MemoryLinks)
    restrictions: MemoryRestrictions = field(default_factory=MemoryRestrictions)
    told: dict[str, Score] = field(default_factory=dict)
    """The newest score of each customer, as those who listen know it."""

    def __post_init__(self) -> None:
        self.scores = Scores(self.customers, self.population, self.clock, 90, "USD", MODEL)
        self.merging = Merging(self.scores, self.links, self.restrictions.among)
        self.restricting = Restricting(self.restrictions, cast("Any", self.links), self.merging, cast("Any", None))

    async def hear(self, *events: Received) -> Unit:
        unit = new_unit()
        await batches(unit, events, self.merging, self.restricting)
        for one in cast("list[Told]", unit.outgoing):
            self._listen(one)
        return unit

    async def erase(self, gone: str) -> None:
        """As the service's table does it; nothing told under their id is heard from now on."""
        self.merging.erased = {gone}.intersection
        unit, stores = new_unit(), (cast("Any", self.customers), cast("Any", self.population))
        await Bought(*stores, self.merging).piece(unit, Work("erasure", [gone]))
        await self.links.forget([gone])
        self.told.pop(gone, None)
        for one in cast("list[Told]", unit.outgoing):
            self._listen(one)

    def _listen(self, one: Told) -> None:
        if one.kind[1] == ScoreWithdrawn.TYPE:
            gone = ScoreWithdrawn.model_validate_json(one.value)
            known = self.told.pop(gone.customer_id, None)
            assert known is None or known.as_of <= gone.as_of
        else:
            score = ScoreChanged.model_validate_json(one.value).score
            known = self.told.get(score.customer_id)
            assert known is None or known.as_of <= score.as_of
            self.told[score.customer_id] = score

    async def base(self) -> Population:
        return (await self.population.gather(new_unit().session))[0]

    async def orders(self, customer_id: str) -> int | None:
        score = await self.scores.read(customer_id)
        return None if score is None else score.purchases


@settings(deadline=None, max_examples=150)
@given(
    sales=st.lists(st.tuples(st.integers(0, 3), orders), max_size=15),
    links=links_among(EVERYBODY),
    data=st.data(),
)
def test_in_any_order_and_any_batches_all_is_as_if_they_had_always_been_one(
    sales: list[tuple[int, Order]], links: list[LinkFact], data: st.DataObject
) -> None:
    events = [ordered(*sale) for sale in sales] + [linked(fact) for fact in links]
    shuffled, size = data.draw(st.permutations(events)), data.draw(st.integers(1, 8))

    async def play() -> None:
        world = World()
        for begin in range(0, len(shuffled), size):
            await world.hear(*shuffled[begin : begin + size])
        wanted: dict[str, list[Received]] = defaultdict(list)
        for event in events[: len(sales)]:
            wanted[root_of(event.subject, world.links.into())].append(event)
        await is_scored(world, wanted)

    asyncio.run(play())


@settings(deadline=None, max_examples=150)
@given(
    sales=st.lists(st.tuples(st.integers(0, 3), orders), max_size=15),
    links=links_among(EVERYBODY),
    gone=st.sampled_from(EVERYBODY),
    data=st.data(),
)
def test_whoever_is_erased_in_the_midst_of_it_is_as_if_they_had_never_been(
    sales: list[tuple[int, Order]], links: list[LinkFact], gone: str, data: st.DataObject
) -> None:
    events = [ordered(*sale) for sale in sales] + [linked(fact) for fact in links]
    shuffled, size = data.draw(st.permutations(events)), data.draw(st.integers(1, 8))
    then = data.draw(st.integers(0, len(events)))

    async def play() -> None:
        world = World()
        for begin in range(0, then, size):
            await world.hear(*shuffled[begin : min(begin + size, then)])
        await world.erase(gone)
        left = [event for event in shuffled[then:] if event.subject != gone]
        for begin in range(0, len(left), size):
            await world.hear(*left[begin : begin + size])
        wanted: dict[str, list[Received]] = defaultdict(list)
        for event in events[: len(sales)]:
            if event.subject != gone:
                wanted[root_of(event.subject, world.links.into())].append(event)
        assert gone not in {*world.links.into(), *world.links.into().values()}
        assert not await world.customers.load([gone])
        assert gone not in repr(world.customers.bonds)
        await is_scored(world, wanted)

    asyncio.run(play())


async def is_scored(world: World, wanted: dict[str, list[Received]]) -> None:
    """As those are who have always been the customers that they are now."""
    alone = World()
    for root, events in wanted.items():
        await alone.hear(*[ordered(EVERYBODY.index(root), _order_of(event)) for event in events])
    kept = {one: known.purchases for one, known in (await world.customers.load(EVERYBODY)).items()}
    expected = {one: known.purchases for one, known in (await alone.customers.load(EVERYBODY)).items()}
    assert {one: bought for one, bought in kept.items() if bought.records} == expected
    assert (await world.base()).pack() == (await alone.base()).pack()
    assert world.told == alone.told
    for one in EVERYBODY:
        root = root_of(one, world.links.into())
        assert await world.scores.read(one) == await alone.scores.read(root)


def _order_of(event: Received) -> Order:
    return Order(event.fact.ordered_at, event.fact.total)


async def test_merged_they_are_scored_as_one_and_the_absorbed_ones_score_is_withdrawn() -> None:
    world = World()
    await world.hear(ordered(0, on("2021-03-01", "10")), ordered(1, on("2021-03-05", "0.5")))
    await world.hear(linked(link(BERT, ANNA, 1)))
    assert world.told.keys() == {ANNA}
    assert (world.told[ANNA].purchases, world.told[ANNA].money) == (2, Decimal("10.50"))
    assert (await world.base()).customers == 1
    assert await world.scores.read(BERT) == await world.scores.read(ANNA)
    assert [score.customer_id for score in await world.customers.page(None, "value", None, 9)] == [ANNA]
    assert await world.customers.days([ANNA, BERT]) == {ANNA: world.customers.known[ANNA].purchases.pack()}


async def test_undone_each_has_what_they_had_and_what_came_meanwhile() -> None:
    world = World()
    await world.hear(ordered(0, on("2021-03-01", "10")), linked(link(BERT, ANNA, 1)))
    await world.hear(ordered(1, on("2021-03-05", "0.5")), ordered(0, on("2021-03-06", "1")))
    assert {one: score.purchases for one, score in world.told.items()} == {ANNA: 3}
    await world.hear(linked(link(BERT, ANNA, 2)))
    assert {one: score.money for one, score in world.told.items()} == {ANNA: Decimal(11), BERT: Decimal("0.50")}
    assert (await world.base()).customers == 2
    assert not world.customers.bonds


async def test_a_survivor_who_has_bought_nothing_has_no_score_any_more_after_it_is_undone() -> None:
    world = World()
    await world.hear(ordered(1, on("2021-03-05", "5")), linked(link(BERT, ANNA, 1)))
    assert world.told.keys() == {ANNA}
    await world.hear(linked(link(BERT, ANNA, 2)))
    assert world.told.keys() == {BERT}
    assert await world.scores.read(ANNA) is None
    assert await world.scores.why(ANNA) is None


async def test_the_same_link_again_tells_nothing() -> None:
    world = World()
    await world.hear(ordered(0, on("2021-03-01")), ordered(1, on("2021-03-05")), linked(link(BERT, ANNA, 1)))
    again = await world.hear(linked(link(BERT, ANNA, 1)))
    assert not again.outgoing
    nobody = await world.hear(linked(link(DORA, CLEO, 1)))
    assert not nobody.outgoing
    assert await world.scores.read(DORA) is None


async def test_a_sweep_meets_those_who_are_one_once() -> None:
    world = World()
    await world.hear(
        ordered(0, on("2021-03-01", "10")), ordered(1, on("2021-04-05", "7")), ordered(2, on("2021-04-05"))
    )
    await world.hear(linked(link(BERT, ANNA, 1)))
    world.clock.at += timedelta(days=300)
    transactions = MemoryTransactions()
    await Sweeping(world.scores, transactions).everybody()
    assert sorted(score.customer_id for score in transactions.told()) == [ANNA, CLEO]


async def test_an_order_that_no_amount_can_hold_is_refused_of_a_part_too() -> None:
    world = World()
    await world.hear(linked(link(BERT, ANNA, 1)), ordered(1, on("2021-03-05", "5")))
    unit = await world.hear(ordered(1, Order(START, money_of(LIMIT_MICROS - 1))), ordered(1, on("2021-03-06", "5")))
    assert [one.reason for one in unit.rejected] == [Reason.INVALID_DATA]
    assert await world.orders(ANNA) == 2


def test_of_two_whose_money_no_amount_holds_together_the_root_is_scored_alone() -> None:
    rich = Part(Purchases.of([Order(START, money_of(LIMIT_MICROS - 1))]), FirstOrder(1, "o-1", "shop"))
    assert total(ANNA, {ANNA: rich, BERT: rich}) == rich


def test_how_they_came_is_the_earliest_order_of_all_and_unknown_where_it_is_of_one() -> None:
    early = Part(Purchases.of([on("2021-01-01")]), FirstOrder(1, "o-1", "web"))
    late, nobody = Part(Purchases.of([on("2021-02-01")]), FirstOrder(2, "o-2", "shop")), Part()
    old = Part(Purchases.of([on("2020-01-01")]))
    assert plus(late, early).first == plus(nobody, early).first == early.first
    for some in permutations([early, old, nobody]):
        assert total("a", dict(zip("abc", some, strict=True))).first is None
