"""Campaigns come back as saved, in pages; and of two instances that launch one, only one gets anywhere."""

from datetime import timedelta

import pytest

from services.campaigns.domain.campaign import Campaign, drawn
from services.campaigns.handlers.campaigns import Selection
from services.campaigns.handlers.errors import AlreadyThere
from services.campaigns.handlers.launching import Lease, LeaseLost
from services.campaigns.store.campaigns import CampaignStore
from shared.mongo import Database
from tests.campaigns.facts import customer, day
from tests.campaigns.test_campaign import DRAFT

pytestmark = pytest.mark.integration

WINBACK = DRAFT.campaign_id
ROWS = [Selection(customer(n), "control" if n % 3 == 0 else "treatment") for n in range(7)]


@pytest.fixture
async def store(database: Database) -> CampaignStore:
    store = CampaignStore(database, timedelta(seconds=60))
    await store.prepare()
    return store


def numbered(n: int) -> Campaign:
    return DRAFT.model_copy(update={"campaign_id": f"c{n}", "created_at": day(n // 2)})


async def claimed(store: CampaignStore, *, anew: bool = True) -> Lease:
    if anew:
        await store.add(DRAFT)
        await store.begin(WINBACK, None)
    lease = await store.claim(WINBACK)
    assert lease is not None
    return lease


async def fixed(store: CampaignStore) -> Lease:
    """A launch whose draw is complete."""
    lease = await claimed(store)
    await store.add_drawn(lease, ROWS, None)
    await store.fix_draw(lease, drawn(DRAFT, day(1), 4, 3), None)
    return lease


async def test_a_campaign_comes_back_as_it_was_saved(store: CampaignStore) -> None:
    await store.add(DRAFT)
    assert await store.get(WINBACK) == DRAFT
    assert await store.get("another") is None


async def test_an_id_is_taken_once(store: CampaignStore) -> None:
    await store.add(DRAFT)
    with pytest.raises(AlreadyThere):
        await store.add(DRAFT)


async def test_pages_show_every_campaign_once_the_newest_first(store: CampaignStore) -> None:
    for n in range(7):
        await store.add(numbered(n))
    listed: list[Campaign] = []
    while page := await store.page((listed[-1].created_at, listed[-1].campaign_id) if listed else None, 2):
        listed += page
    assert listed == [numbered(n) for n in (6, 5, 4, 3, 2, 1, 0)]


async def test_a_drawn_campaign_has_its_customers_in_pages_and_by_arm(store: CampaignStore) -> None:
    await fixed(store)
    assert await store.customers(WINBACK, None, 3, None) == ROWS[:3]
    assert await store.customers(WINBACK, customer(2), 3, None) == ROWS[3:6]
    assert await store.customers(WINBACK, None, 10, "control") == ROWS[::3]
    assert [page async for page in store.all_customers(WINBACK)] == [ROWS]


async def test_customers_of_a_campaign_with_a_longer_id_are_not_mixed_in(store: CampaignStore) -> None:
    await fixed(store)
    longer = DRAFT.model_copy(update={"campaign_id": WINBACK + "-2"})
    await store.add(longer)
    await store.begin(longer.campaign_id, None)
    lease = await store.claim(longer.campaign_id)
    assert lease is not None
    await store.add_drawn(lease, [Selection(customer(99), "control")], None)
    assert len(await store.customers(WINBACK, None, 100, None)) == len(ROWS)


async def test_nobody_is_shown_before_the_draw_is_complete(store: CampaignStore) -> None:
    lease = await claimed(store)
    await store.add_drawn(lease, ROWS, None)
    assert await store.customers(WINBACK, None, 10, None) == []


async def test_a_launch_is_held_by_one_until_released(store: CampaignStore) -> None:
    lease = await claimed(store)
    assert await store.claim(WINBACK) is None
    assert await store.unfinished() == []
    await store.release(lease)
    assert await store.unfinished() == [WINBACK]
    again = await store.claim(WINBACK)
    assert again is not None
    assert again.attempt == 2


async def test_a_lease_that_ran_out_is_taken_over_and_its_holder_gets_nowhere(database: Database) -> None:
    store = CampaignStore(database, timedelta(seconds=-1))
    old = await claimed(store)
    await store.add_drawn(old, ROWS[:2], None)
    new = await claimed(store, anew=False)
    for step in (
        store.add_drawn(old, ROWS[2:], None),
        store.fix_draw(old, drawn(DRAFT, day(1), 4, 3), None),
        store.take_untold(old, 10, None),
        store.finish(old, None),
    ):
        with pytest.raises(LeaseLost):
            await step
    await store.discard_draws_before(new)
    await store.add_drawn(new, ROWS[:1], None)
    await store.discard_draws_before(old)
    await store.fix_draw(new, drawn(DRAFT, day(1), 0, 1), None)
    assert await store.customers(WINBACK, None, 10, None) == ROWS[:1]


async def test_each_customer_is_taken_once_to_be_told(store: CampaignStore) -> None:
    lease = await fixed(store)
    chunks = [await store.take_untold(lease, 3, None) for _ in range(4)]
    assert chunks == [ROWS[:3], ROWS[3:6], ROWS[6:], []]
    await store.finish(lease, None)
    launched = await store.get(WINBACK)
    assert launched is not None
    assert (launched.state, launched.treated, launched.held_out, launched.launched_at) == ("launched", 4, 3, day(1))


async def test_only_a_draft_begins(store: CampaignStore) -> None:
    lease = await fixed(store)
    await store.finish(lease, None)
    await store.begin(WINBACK, None)
    assert await store.claim(WINBACK) is None
