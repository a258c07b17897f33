"""The end of the order of changes: of one's own changes at once and by heart, of others' as the database tells."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.sync.handlers import tail as tail_module
from services.sync.handlers.tail import Tail
from services.sync.handlers.views import Views
from shared.contracts.fact import Fact
from shared.messaging import Unit
from tests.sync.conftest import Sync, now, received
from tests.sync.facts import ANNA, BERT, CLEO, contact, merged, order, restricted
from tests.sync.forgetting import erase
from tests.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has written alone for a moment is alone."""
    monkeypatch.setattr(tail_module, "ALONE_SECONDS", 0.3)


async def fold(sync: Sync, views: Views, *facts: Fact, partition: int = 0) -> None:
    """A batch takes its effect, and nobody looks."""
    events = [received(fact, partition=partition) for fact in facts]
    await sync.transact(lambda unit: views.fold(unit, events))


def another(sync: Sync, tail: Tail | None = None) -> Views:
    """Another instance of the service."""
    return Views(sync.views, sync.trees, now, tail)


@asynccontextmanager
async def following(tail: Tail) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(tail.listen()), asyncio.create_task(tail.follow())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_this_instance_has_changed_it_knows_without_asking(sync: Sync) -> None:
    views = another(sync, sync.tail)
    await fold(sync, views, order(ANNA), order(BERT))
    await fold(sync, views, contact(CLEO), partition=1)
    assert sync.tail.positions == await sync.views.tails() == {0: 2, 1: 1}


async def test_by_heart_changes_are_what_the_database_has(sync: Sync) -> None:
    card = {"scheme": "loyalty-card", "value": "1"}
    await sync.happen(contact(ANNA, identifiers=[card]), order(BERT), origin="/channels/till")
    await sync.happen(order(CLEO), partition=1)
    await sync.receive([received(order(ANNA)), received(merged(ANNA, BERT), subject=BERT)])
    await sync.happen(restricted(CLEO), partition=1)
    tails = sync.tail.positions
    found = sync.tail.recent.beyond({}, tails, 10)
    assert found == await sync.views.beyond({}, tails, 10)
    assert {one.customer_id for one in found or ()} == {ANNA, BERT, CLEO}


async def test_what_did_not_commit_is_not_known(sync: Sync) -> None:
    async def broken(unit: Unit) -> None:
        await sync.fold(unit, [received(order(ANNA))])
        raise KeyError("ours")

    with pytest.raises(KeyError):
        await sync.transact(broken)
    assert sync.tail.positions == {}
    assert sync.tail.recent.beyond({}, {0: 1}, 10) is None


async def test_what_others_change_ends_what_is_known_by_heart(sync: Sync) -> None:
    await sync.happen(order(ANNA), order(BERT))
    await fold(sync, another(sync), order(ANNA), partition=1)
    await sync.tail.look()
    assert sync.tail.recent.beyond({}, sync.tail.positions, 10) is None
    found = await sync.changes.beyond({}, sync.tail.positions, 10)
    assert [(one.customer_id, one.version) for one in found] == [(BERT, 1), (ANNA, 2)]


async def test_after_a_sleep_nothing_is_known_by_heart_before_the_next_look(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sync.happen(order(ANNA))
    assert sync.tail.by_heart({}, sync.tail.positions, 10)
    monkeypatch.setattr(tail_module, "TRUSTED_SECONDS", 0.0)
    assert sync.tail.by_heart({}, sync.tail.positions, 10) is None
    monkeypatch.undo()
    await sync.tail.look()
    assert sync.tail.by_heart({}, sync.tail.positions, 10)


async def test_who_is_erased_is_not_known_by_heart(sync: Sync) -> None:
    await sync.happen(order(ANNA), order(BERT))
    await erase(sync, ANNA)
    assert sync.tail.recent.beyond({}, sync.tail.positions, 10) is None
    views = another(sync, sync.tail)
    await fold(sync, views, order(CLEO))
    views.forget([CLEO])
    assert sync.tail.recent.beyond({0: 3}, sync.tail.positions, 10) is None


@pytest.mark.usefixtures("shortly")
async def test_who_alone_changes_anything_is_not_told_so_by_the_database_and_still_hears_of_others(sync: Sync) -> None:
    views = another(sync, sync.tail)
    async with following(sync.tail):

        async def alone() -> bool:
            await fold(sync, views, order(ANNA))
            return sync.tail.alone

        await eventually(alone)
        await fold(sync, another(sync), order(BERT), partition=1)
        await eventually(lambda: sync.tail.positions.get(1) == 1)
        assert not sync.tail.alone
    assert sync.tail.positions == await sync.views.tails()
