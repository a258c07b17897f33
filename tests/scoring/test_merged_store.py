"""Customers who are one, on the real database: two instances that write for one tree at once, and what is read of all parts."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.scoring.domain.behaviour import Behaviour, Doing, Done
from services.scoring.domain.contracts.facts import Contracts, Kind as Kind_
from services.scoring.domain.profit import Book, Kind, Movement
from services.scoring.domain.wishes.customer import Memories, Wishes
from services.scoring.handlers import Change, LastBasket, Liked, Merging, Scores
from services.scoring.handlers.restricting import Restricted, Restricting
from services.scoring.store import JoinedDeeds, MongoCustomers, MongoDeeds, MongoPopulation, MongoRestrictions
from services.scoring.store.erasing import steps
from shared import mongo
from shared.contracts.contacts import ContactRestricted
from shared.contracts.merges import LINK_FACTS
from shared.erasing import Work
from shared.links import LinkStore
from shared.messaging import Received, Unit
from shared.mongo import Client, Database, Session
from shared.settings import PlatformSettings
from tests.links import link
from tests.scoring.contracts.lives import fact
from tests.scoring.events import customer, linked, ordered, restricted
from tests.scoring.memory import SetClock
from tests.scoring.orders import START, on
from tests.scoring.test_score import MODEL

pytestmark = pytest.mark.integration
ANNA, BERT, CLEO, DORA = customer(0), customer(1), customer(2), customer(3)
NOTHING: Any = None


@dataclass
class Instance:
    """One of several over the same database."""

    client: Client
    database: Database

    def __post_init__(self) -> None:
        self.customers, self.population = MongoCustomers(self.database), MongoPopulation(self.database)
        self.deeds, self.links = MongoDeeds(self.database), LinkStore(self.database)
        clock = SetClock(START + timedelta(days=200))
        self.scores = Scores(self.customers, self.population, clock, 90, "USD", MODEL)
        self.restrictions = MongoRestrictions(self.database)
        self.merging = Merging(self.scores, self.links, self.restrictions.among)
        self.joined = JoinedDeeds(self.deeds, self.links, self.restrictions)
        self.restricting = Restricting(self.restrictions, self.links, self.merging, NOTHING)

    async def prepare(self) -> None:
        for store in (self.customers, self.population, self.deeds, self.links, self.restrictions):
            await store.prepare()

    async def hear(self, *events: Received) -> list[str]:
        """In one transaction. Whose scores were told or withdrawn."""

        async def fold(session: Session) -> list[str]:
            unit = Unit("scoring", self.database, session)
            links = [event for event in events if isinstance(event.fact, LINK_FACTS)]
            restrictions = [event for event in events if isinstance(event.fact, ContactRestricted)]
            sales = [event for event in events if event not in [*links, *restrictions]]
            if sales and (left := await self.scores.fold(unit, sales)):
                await self.merging.fold(unit, left)
            if restrictions:
                await self.restricting.hear(unit, restrictions)
            if links:
                await self.merging.follow(unit, links)
            return [str(one.key.decode()) for one in unit.outgoing if one.key]

        return await mongo.transaction(self.client, fold)

    async def scored(self) -> dict[str, int]:
        return {score.customer_id: score.purchases for score in await self.customers.page(None, "customer", None, 99)}

    async def base(self) -> int:
        async def gather(session: Session) -> int:
            return (await self.population.gather(session))[0].customers

        return await mongo.transaction(self.client, gather)


@pytest.fixture
async def one(settings: PlatformSettings) -> AsyncIterator[Instance]:
    client = mongo.connect(settings)
    instance = Instance(client, client[f"{settings.namespace}rapport_scoring"])
    await instance.prepare()
    yield instance
    await client.drop_database(instance.database)
    await mongo.close(client)


@pytest.fixture
def other(one: Instance) -> Instance:
    return Instance(one.client, one.database)


async def test_merged_and_undone_lists_sums_and_sweeps_count_them_once_and_twice(one: Instance) -> None:
    await one.hear(
        ordered(0, on("2021-03-01", "10")), ordered(1, on("2021-03-05", "0.5")), ordered(2, on("2021-03-05"))
    )
    assert sorted(await one.hear(linked(link(BERT, ANNA, 1)))) == [ANNA, BERT]
    assert await one.scored() == {ANNA: 2, CLEO: 1}
    assert [score.customer_id for score in await one.customers.page("regular", "value", None, 9)] == []
    by_value = [score.customer_id for score in await one.customers.page(None, "value", None, 9)]
    assert sorted(by_value) == [ANNA, CLEO]
    assert sum(row.customers for row in await one.customers.summary()) == 2
    assert (await one.customers.sheet(None, 9)).customers == [ANNA, CLEO]
    assert (await one.customers.packed(None, 9)).customers == [ANNA, CLEO]
    assert sorted((await one.customers.due(99_999, 9)).customers) == [ANNA, CLEO]
    assert (await one.customers.days([ANNA, BERT, CLEO])).keys() == {ANNA, CLEO}
    assert await one.scores.read(BERT) == await one.scores.read(ANNA)
    assert await one.base() == 2
    await one.hear(linked(link(BERT, ANNA, 2)))
    assert await one.scored() == {ANNA: 1, BERT: 1, CLEO: 1}
    assert await one.base() == 3
    assert await one.database["customers"].count_documents({"bond": {"$exists": True}}) == 0


async def test_who_is_erased_leaves_the_sum_of_those_who_were_one_with_them(one: Instance) -> None:
    await one.hear(*(ordered(number, on("2021-03-01", "10")) for number in range(4)))
    await one.hear(linked(link(BERT, ANNA, 1)), linked(link(CLEO, BERT, 1)), linked(link(DORA, ANNA, 1)))
    assert await one.scored() == {ANNA: 4}

    async def erase(gone: str) -> list[str]:
        async def piece(session: Session) -> list[str]:
            unit = Unit("scoring", one.database, session)
            for step in steps(one.customers, one.population, one.merging):
                await step.piece(unit, Work("erasure", [gone]))
            return sorted(str(told.key.decode()) for told in unit.outgoing if told.key)

        return await mongo.transaction(one.client, piece)

    assert await erase(BERT) == [ANNA, CLEO]
    assert await one.scored() == {ANNA: 2, CLEO: 1}
    assert await erase(ANNA) == [DORA]
    assert await one.scored() == {CLEO: 1, DORA: 1}
    assert await one.base() == 2
    for collection in ("customers", "links"):
        documents = await one.database[collection].find().to_list(None)
        assert not any(gone in repr(documents) for gone in (ANNA, BERT))
    assert await erase(DORA) == []


async def test_of_who_is_one_with_somebody_restricted_nothing_is_used(one: Instance) -> None:
    await one.hear(*(ordered(number, on("2021-03-01", "10")) for number in range(4)))
    assert await one.hear(restricted(2)) == [CLEO]
    await one.hear(linked(link(BERT, ANNA, 1)))
    assert await one.restricting.root(BERT) == ANNA
    assert await one.hear(linked(link(CLEO, BERT, 1))) == [ANNA]
    assert await one.scored() == {DORA: 1}
    assert (await one.customers.sheet(None, 9)).customers == [DORA]
    assert (await one.customers.packed(None, 9)).customers == [DORA]
    assert sum(row.customers for row in await one.customers.summary()) == 1
    assert await one.base() == 1
    for customer_id in (ANNA, BERT, CLEO):
        with pytest.raises(Restricted):
            await one.restricting.root(customer_id)
    assert await one.hear(ordered(1, on("2021-03-02"))) == []
    assert await one.hear(restricted(2, restricted=False)) == [ANNA]
    assert await one.restricting.root(CLEO) == ANNA
    assert await one.scored() == {ANNA: 4, DORA: 1}
    assert await one.base() == 2


async def test_a_sale_and_a_restriction_at_once_leave_nothing_scored_and_all_of_it_kept(
    one: Instance, other: Instance
) -> None:
    for number in range(8):
        sale, told = ordered(number, on("2021-03-01", "10")), restricted(number)
        await asyncio.gather(one.hear(sale), other.hear(told))
    assert await one.scored() == {}
    assert await one.base() == 0
    await one.hear(*(restricted(number, restricted=False) for number in range(8)))
    assert await one.scored() == {customer(number): 1 for number in range(8)}
    assert await one.base() == 8


async def test_a_merge_and_a_restriction_at_once_hide_all_who_are_one(one: Instance, other: Instance) -> None:
    await one.hear(*(ordered(number, on("2021-03-01", "10")) for number in range(8)))
    for number in range(0, 8, 2):
        merge = linked(link(customer(number), customer(number + 1), 1))
        await asyncio.gather(one.hear(merge), other.hear(restricted(number)))
    assert await one.scored() == {}
    assert await one.base() == 0


async def test_who_was_restricted_before_scores_were_withdrawn_is_so_from_the_start_on(one: Instance) -> None:
    await one.hear(ordered(0, on("2021-03-01", "10")), ordered(1, on("2021-03-01", "10")))
    await one.restrictions.put({ANNA: True, CLEO: True}, None)
    told: list[str] = []

    class Transactions:
        async def transact(self, change: Any) -> None:
            async def attempt(session: Session) -> list[str]:
                unit = Unit("scoring", one.database, session)
                await change(unit)
                return [str(sent.key.decode()) for sent in unit.outgoing if sent.key]

            told.extend(await mongo.transaction(one.client, attempt))

    for _ in range(2):
        await one.restricting.catch_up(Transactions())
    assert told == [ANNA]
    assert await one.hear(ordered(2, on("2021-03-02"))) == []
    assert await one.scored() == {BERT: 1}


async def test_looks_through_what_customers_do_meet_nobody_restricted(one: Instance) -> None:
    await one.deeds.save([change(who, number) for number, who in enumerate((ANNA, BERT, CLEO, DORA))], NOTHING)
    await one.hear(linked(link(BERT, ANNA, 1)))
    assert (await one.joined.ledger(None, 9)).customers == [ANNA, CLEO, DORA]
    await one.hear(restricted(1), restricted(2))
    for limit in (1, 9):
        assert (await one.joined.ledger(None, limit)).customers == [DORA]
        assert (await one.joined.leaf(None, limit)).customers == [DORA]
        assert (await one.joined.signed(None, limit))[0] == [DORA]
    await one.hear(restricted(1, restricted=False), restricted(2, restricted=False))
    assert (await one.joined.ledger(None, 9)).customers == [ANNA, CLEO, DORA]


async def test_parts_and_the_first_order_come_back_as_they_were(one: Instance) -> None:
    await one.hear(ordered(0, on("2021-03-01", "10")), linked(link(BERT, ANNA, 1)))
    await one.hear(ordered(1, on("2021-02-05", "0.000001")))
    known = await one.customers.load([ANNA, BERT])
    assert known[ANNA].members == (BERT,)
    assert known[BERT].merged_into == ANNA
    assert [known[who].part.purchases.money for who in (ANNA, BERT)] == [Decimal(10), Decimal("0.000001")]
    assert known[ANNA].first == known[BERT].part.first


async def test_two_instances_that_write_for_one_tree_at_once_lose_nothing(one: Instance, other: Instance) -> None:
    """Sales of each part on an instance of its own, and each of the two hears of the merge in the middle."""

    async def stream(instance: Instance, who: int, turn: int) -> None:
        for number in range(12):
            await instance.hear(ordered(who, on(f"2021-03-{number + 1:02}", "1")))
            if number == 5:
                await instance.hear(linked(link(BERT, ANNA, turn)))

    await asyncio.gather(stream(one, 0, 1), stream(other, 1, 1))
    assert await one.scored() == {ANNA: 24}
    assert await one.base() == 1
    await asyncio.gather(stream(one, 0, 2), stream(other, 1, 2))
    assert await one.scored() == {ANNA: 24, BERT: 24}
    assert await one.base() == 2


@pytest.mark.parametrize("seed", range(4))
async def test_links_of_a_chain_heard_by_two_instances_at_once_end_the_same(
    one: Instance, other: Instance, seed: int
) -> None:
    chance = random.Random(seed)
    story = [link(BERT, ANNA, 1), link(CLEO, BERT, 1), link(BERT, ANNA, 2), link(DORA, BERT, 1), link(BERT, ANNA, 3)]
    events = [linked(one_) for one_ in story * 2]
    events += [ordered(who, on(f"2021-03-{day:02}", "1")) for who in range(4) for day in range(1, 5)]
    chance.shuffle(events)

    async def play(instance: Instance, some: Sequence[Received]) -> None:
        for begin in range(0, len(some), 2):
            await instance.hear(*some[begin : begin + 2])

    half = len(events) // 2
    await asyncio.gather(play(one, events[:half]), play(other, events[half:]))
    assert await one.scored() == {ANNA: 16}
    assert await one.base() == 1


def change(who: str, number: int, lesson: LastBasket | None = None) -> Change:
    wishes = Wishes.of_purchase(100 + number, [number], [7])
    book = Book.of([Movement(f"e-{who}", 610, Kind.CALLS, "", False, 5 + number)])
    signed = Contracts((fact(Kind_.STARTED, "2026-01-01", contract=f"c-{number}"),))
    did = Behaviour((Done(100 + number, Doing.COMPLAINT, 1),)).pack()
    return Change(who, Liked(*wishes.parts, lesson), book.by_month(), signed, did)


async def test_of_those_who_are_one_all_deeds_are_read_together_and_apart_again(one: Instance) -> None:
    await one.deeds.save([change(who, number) for number, who in enumerate((ANNA, BERT, CLEO))], NOTHING)
    alone = await one.joined.wishes(BERT), await one.joined.books(BERT), await one.joined.behaviours([BERT])
    await one.hear(linked(link(BERT, DORA, 1)), linked(link(CLEO, BERT, 1)))
    for who in (BERT, CLEO, DORA):
        wishes, book = await one.joined.wishes(who), await one.joined.books(who)
        assert wishes == Wishes.of_purchase(101, [1], [7]).plus(Wishes.of_purchase(102, [2], [7]), Memories())
        assert book is not None
        assert sum(sum_.micros for sum_ in book.sums.values()) == 13
        assert {one_.contract for one_ in (await one.joined.contracts(who)).facts} == {"c-1", "c-2"}
        did = Behaviour.unpack((await one.joined.behaviours([who]))[who])
        assert [done.day for done in did.days] == [101, 102]
        assert await one.links.root(who) == DORA
    assert await one.links.root(ANNA) == ANNA
    await one.hear(linked(link(BERT, DORA, 2)), linked(link(CLEO, BERT, 2)))
    assert (await one.joined.wishes(BERT), await one.joined.books(BERT), await one.joined.behaviours([BERT])) == alone
    assert await one.joined.wishes(DORA) is None
    assert await one.joined.books(DORA) is None
    assert (await one.joined.contracts(DORA)).facts == ()


@pytest.mark.parametrize("limit", [1, 2, 9])
async def test_looks_through_the_base_meet_those_who_are_one_once(one: Instance, limit: int) -> None:
    lesson = LastBasket(Wishes.of_purchase(90, [1], []).products, 100, frozenset([2]))
    everybody = [customer(number) for number in range(6)]
    await one.deeds.save([change(who, number, lesson) for number, who in enumerate(everybody)], NOTHING)
    await one.hear(linked(link(everybody[3], everybody[4], 1)), linked(link(everybody[1], everybody[4], 1)))
    await one.hear(linked(link(everybody[5], customer(9), 1)))
    sums, met, signed = list[int](), list[str](), list[int]()
    after = None
    while (ledger := await one.joined.ledger(after, limit)).customers:
        sums += [sum(sum_.micros for sum_ in book.sums.values()) for book in ledger.books]
        after = ledger.customers[-1]
    assert sums == [5, 6 + 8 + 9, 7, 10]
    after = None
    while (leaf := await one.joined.leaf(after, limit)).customers:
        met += [who for who, lesson_ in zip(leaf.customers, leaf.lessons, strict=True) if lesson_]
        after = leaf.customers[-1]
    assert met == [everybody[0], everybody[2]]
    after = None
    while (page := await one.joined.signed(after, limit))[0]:
        signed += [len(contracts.facts) for contracts in page[1]]
        after = page[0][-1]
    assert signed == [1, 3, 1, 1]
