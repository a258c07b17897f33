"""Customers who are one, on the real database, and two instances that write for one tree at once."""

import asyncio
import random
from collections.abc import Sequence
from decimal import Decimal

import pytest

from services.scoring.store.erasing import steps
from shared import mongo
from shared.erasing import Work
from shared.messaging import Received, Unit
from shared.mongo import Session
from tests.links import link
from tests.scoring.events import linked, ordered
from tests.scoring.instances import ANNA, BERT, CLEO, DORA, Instance
from tests.scoring.orders import on

pytestmark = pytest.mark.integration


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
