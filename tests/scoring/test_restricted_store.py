"""Customers of whom nothing is scored, on the real database, and two instances that write of them at once."""

import asyncio
from typing import Any

import pytest

from services.scoring.handlers.restricting import Restricted
from shared import mongo
from shared.messaging import Unit
from shared.mongo import Session
from tests.links import link
from tests.scoring.events import customer, linked, ordered, restricted
from tests.scoring.instances import ANNA, BERT, CLEO, DORA, Instance
from tests.scoring.orders import on

pytestmark = pytest.mark.integration


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

    for put_down in (False, True, True):
        await one.restricting.catch_up(Transactions())
        assert await one.restrictions.all_hidden() == put_down
    assert told == [ANNA]
    assert await one.hear(ordered(2, on("2021-03-02"))) == []
    assert await one.scored() == {BERT: 1}
