"""Folding over what is remembered: whatever happens to a batch or between two, views are as if read anew each time."""

from collections.abc import AsyncIterator, Sequence

import pytest

from services.sync.domain.known import NOTHING
from services.sync.domain.view import Held
from services.sync.handlers.memory import Memory
from services.sync.handlers.views import Stale
from shared.contracts.fact import Fact
from shared.contracts.sync import CustomerView
from shared.messaging import Unit
from tests.sync.conftest import Sync, received
from tests.sync.facts import ANNA, BERT, NOW, customer, order, score


class Crash(Exception):
    """The batch comes to nothing after all."""


@pytest.fixture
async def other(sync: Sync) -> AsyncIterator[Sync]:
    """Another instance over the same database."""
    other = Sync(sync.client, sync.database)
    await other.prepare()
    yield other
    await other.courier.close()


async def seen(sync: Sync, customer_id: str = ANNA) -> tuple[int, int]:
    """Version and orders."""
    stored = await sync.views.one(customer_id)
    assert stored is not None
    view = CustomerView.model_validate_json(stored)
    return view.version, view.sales.orders


async def fail(sync: Sync, facts: Sequence[Fact]) -> None:
    """A batch whose transaction does not commit."""

    async def change(unit: Unit) -> None:
        await sync.fold(unit, [received(fact) for fact in facts])
        raise Crash

    with pytest.raises(Crash):
        await sync.transact(change)


@pytest.mark.integration
async def test_views_folded_from_memory_are_as_if_read_anew(sync: Sync) -> None:
    reads = count_reads(sync)
    for n in range(5):
        await sync.happen(order(ANNA, n), score(ANNA, n), order(BERT, n))
    assert (await seen(sync), await seen(sync, BERT)) == ((5, 5), (5, 5))
    assert reads == [{ANNA, BERT}]


@pytest.mark.integration
async def test_a_batch_that_came_to_nothing_leaves_nothing_in_memory(sync: Sync) -> None:
    await sync.happen(order(ANNA, 1))
    await fail(sync, [order(ANNA, 2), order(BERT, 2)])
    await sync.happen(order(ANNA, 2))
    await sync.happen(order(BERT, 3))
    assert (await seen(sync), await seen(sync, BERT)) == ((2, 2), (1, 1))


@pytest.mark.integration
async def test_what_another_instance_has_written_meanwhile_is_not_lost(sync: Sync, other: Sync) -> None:
    await sync.happen(order(ANNA, 1))
    await fail(sync, [order(ANNA, 2)])
    await other.happen(order(ANNA, 2), order(ANNA, 3))
    await sync.happen(order(ANNA, 4))
    await other.happen(order(ANNA, 5))
    assert await seen(sync) == (4, 5)


@pytest.mark.integration
async def test_a_customer_whose_partition_has_changed_is_not_overwritten(sync: Sync, other: Sync) -> None:
    """As when partitions are added to the topics while facts are on their way in the old ones."""
    await sync.happen(order(ANNA, 1), partition=0)
    await other.happen(order(ANNA, 2), partition=5)
    with pytest.raises(Stale):
        await sync.happen(order(ANNA, 3), partition=0)
    await sync.happen(order(ANNA, 3), partition=0)
    assert await seen(sync) == (3, 3)


@pytest.mark.integration
async def test_partitions_are_remembered_one_by_one(sync: Sync, other: Sync) -> None:
    await sync.happen(order(ANNA, 1), partition=0)
    await sync.happen(order(BERT, 1), partition=1)
    await other.happen(order(ANNA, 2), partition=0)
    reads = count_reads(sync)
    await sync.receive([received(order(ANNA, 3), partition=0), received(order(BERT, 2), partition=1)])
    assert (await seen(sync), await seen(sync, BERT)) == ((3, 3), (2, 2))
    assert reads == [{ANNA}]


def test_memory_is_bounded_and_forgets_what_was_used_longest_ago() -> None:
    memory = Memory(most=3)
    memory.keep(0, None, "a", [held(n) for n in range(3)])
    memory.keep(0, "a", "b", [held(0), held(3)])
    assert [n for n in range(4) if memory.recall(0, "b", customer(n))] == [0, 2, 3]
    assert memory.recall(0, "a", customer(0)) is None
    assert memory.recall(1, "b", customer(0)) is None


def test_what_was_written_over_something_unknown_is_all_that_is_known() -> None:
    memory = Memory()
    memory.keep(0, None, "ours", [held(0)])
    memory.keep(0, "theirs", "ours again", [held(1)])
    assert [n for n in range(2) if memory.recall(0, "ours again", customer(n))] == [1]


def held(number: int) -> Held:
    return Held(customer(number), 1, NOW, NOTHING)


def count_reads(sync: Sync) -> list[set[str]]:
    """Fills with the customers that are read from the store from now on."""
    reads: list[set[str]] = []
    load = sync.views.load

    async def counting(customer_ids: set[str], session: object) -> dict[str, Held]:
        reads.append(set(customer_ids))
        return await load(customer_ids, session)  # type: ignore[arg-type]

    sync.views.load = counting  # type: ignore[method-assign, assignment]
    return reads
