"""Views of customers who are one, on the real database: any order, several instances, chains, and back again."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

import pytest

from services.sync.domain.outgoing import body
from services.sync.domain.policy import Policy
from services.sync.domain.sensitive import Sensitive
from shared.contracts.fact import Fact
from shared.contracts.merges import LinkFact
from shared.contracts.sync import CustomerView
from tests.sync.conftest import Sync, received
from tests.sync.facts import ANNA, BERT, CLEO, NOW, contact, interaction, merged, order, score, unmerged

pytestmark = pytest.mark.integration
EVERYBODY = (ANNA, BERT, CLEO)
PARTITION = {ANNA: 0, BERT: 1, CLEO: 2}


@pytest.fixture
async def other(sync: Sync) -> AsyncIterator[Sync]:
    """Another instance over the same database."""
    other = Sync(sync.client, sync.database)
    await other.prepare()
    yield other
    await other.courier.close()


async def hear(sync: Sync, customer_id: str, *facts: Fact) -> None:
    """Facts on a customer's key, in that customer's partition."""
    await sync.receive([received(fact, None, PARTITION[customer_id], customer_id) for fact in facts])


async def view(sync: Sync, customer_id: str) -> CustomerView:
    stored = await sync.views.one(customer_id)
    assert stored is not None
    return CustomerView.model_validate_json(stored)


async def shown(sync: Sync) -> dict[str, tuple[int, str | None]]:
    """Of each customer: orders, and into whom they are merged."""
    views = [CustomerView.model_validate_json(one) for _, one in await sync.views.page("", 10)]
    return {one.customer_id: (one.sales.orders, one.merged_into) for one in views}


async def test_one_view_has_it_all_and_the_other_says_where(sync: Sync) -> None:
    await hear(sync, ANNA, contact(ANNA, name="Anna"), order(ANNA, 1, "0.10"), interaction(ANNA, 1), score(ANNA))
    await hear(sync, BERT, contact(BERT, name="Bert"), order(BERT, 2, "0.20"), interaction(BERT, 2))
    await hear(sync, ANNA, merged(), contact(ANNA, 2, name="Bert", absorbed=[BERT]))
    await hear(sync, BERT, merged())
    whole, gone = await view(sync, ANNA), await view(sync, BERT)
    assert (whole.sales.orders, whole.sales.total, whole.interactions) == (2, Decimal("0.30"), 2)
    assert [note.interaction_id for note in whole.recent_interactions] == ["interaction-0002", "interaction-0001"]
    assert whole.contact is not None
    assert (whole.contact.name, whole.score is not None, whole.merged_into) == ("Bert", True, None)
    assert (gone.merged_into, gone.contact, gone.sales.orders, gone.version) == (ANNA, None, 0, 2)
    assert await sync.views.sums() == (1, 2, Decimal("0.30"))


async def test_what_comes_for_the_absorbed_is_the_survivors_and_goes_back_when_undone(sync: Sync) -> None:
    await hear(sync, BERT, contact(BERT, name="Bert"), order(BERT, 1))
    await hear(sync, BERT, merged())
    await hear(sync, BERT, order(BERT, 2))
    await hear(sync, ANNA, order(ANNA, 3))
    assert await shown(sync) == {ANNA: (3, None), BERT: (0, ANNA)}
    await hear(sync, ANNA, unmerged())
    assert await shown(sync) == {ANNA: (1, None), BERT: (2, None)}
    back = await view(sync, BERT)
    assert back.contact is not None
    assert (back.contact.name, back.version) == ("Bert", 3)
    assert await sync.views.sums() == (2, 3, Decimal("31.50"))
    assert await sync.database["parts"].count_documents({}) == 0


async def test_identifiers_find_the_survivor_only(sync: Sync) -> None:
    cards = [{"scheme": "card", "value": "7"}]
    await hear(sync, BERT, contact(BERT, identifiers=cards))
    await hear(sync, BERT, merged())
    await hear(sync, ANNA, merged(), contact(ANNA, 2, identifiers=cards, absorbed=[BERT]))
    (found,) = await sync.views.identified("card:7", 5)
    assert CustomerView.model_validate_json(found).customer_id == ANNA


async def test_the_same_facts_again_make_no_version(sync: Sync) -> None:
    await hear(sync, ANNA, order(ANNA, 1), merged())
    before = await view(sync, ANNA), await view(sync, BERT)
    await hear(sync, BERT, merged(), merged())
    assert (await view(sync, ANNA), await view(sync, BERT)) == before
    assert sync.told == []


async def test_a_channel_is_told_both_times_though_its_own_report_came_last(sync: Sync) -> None:
    for fact in (merged(), unmerged()):
        await hear(sync, ANNA, fact)
        for one in await sync.views.these([ANNA, BERT]):
            assert one.origins[0] == (None, one.version)


async def test_whatever_the_policy_a_channel_learns_into_whom_somebody_was_merged(sync: Sync) -> None:
    await hear(sync, BERT, order(BERT), merged())
    (gone,) = await sync.views.these([BERT])
    policy = Policy(1, "ads", "consent", ("sales",), "any")
    assert b'"merged_into":"%s"' % ANNA.encode() in body("shop", policy, gone, NOW, Sensitive())
    (whole,) = await sync.views.these([ANNA])
    assert b"merged_into" not in body("shop", policy, whole, NOW, Sensitive())


async def test_links_of_a_chain_in_any_order_make_one_view(sync: Sync) -> None:
    for one in EVERYBODY:
        await hear(sync, one, order(one))
    await hear(sync, CLEO, merged(CLEO, ANNA))
    await hear(sync, BERT, merged(ANNA, BERT))
    assert await shown(sync) == {ANNA: (0, CLEO), BERT: (0, CLEO), CLEO: (3, None)}
    await hear(sync, ANNA, unmerged(CLEO, ANNA))
    assert await shown(sync) == {ANNA: (2, None), BERT: (0, ANNA), CLEO: (1, None)}


async def test_two_instances_that_write_for_one_tree_at_once_lose_nothing(sync: Sync, other: Sync) -> None:
    await hear(sync, ANNA, order(ANNA, 1))
    await hear(other, BERT, order(BERT, 2))

    async def stream(instance: Sync, customer_id: str, first: int, fact: Fact) -> None:
        for n in range(first, first + 12):
            await hear(instance, customer_id, order(customer_id, n, "1"))
            if n == first + 5:
                await hear(instance, customer_id, fact)

    await asyncio.gather(stream(sync, ANNA, 10, merged()), stream(other, BERT, 30, merged()))
    assert await shown(sync) == {ANNA: (26, None), BERT: (0, ANNA)}
    assert await sync.views.sums() == (1, 26, Decimal(45))
    await asyncio.gather(stream(sync, ANNA, 50, unmerged()), stream(other, BERT, 70, unmerged()))
    assert await shown(sync) == {ANNA: (25, None), BERT: (25, None)}
    assert await sync.views.sums() == (2, 50, Decimal(69))


async def marks(sync: Sync) -> dict[int, str]:
    return {row["_id"]: row["mark"] async for row in sync.database["positions"].find()}


async def test_a_part_that_changes_unseen_is_written_under_the_roots_eyes(sync: Sync) -> None:
    """Else an instance that folds for the root meanwhile would go on from what the part was."""
    await hear(sync, ANNA, order(ANNA), merged())
    before = await marks(sync)
    await hear(sync, BERT, score(BERT))
    assert sync.told == []
    after = await marks(sync)
    assert after[PARTITION[ANNA]] != before[PARTITION[ANNA]]


async def test_a_link_is_written_under_the_eyes_of_all_whom_it_concerns(sync: Sync) -> None:
    for one in EVERYBODY:
        await hear(sync, one, order(one))
    await hear(sync, CLEO, merged(CLEO, BERT))
    before = await marks(sync)
    await hear(sync, ANNA, merged(BERT, ANNA))
    after = await marks(sync)
    assert [after[lane] != before[lane] for lane in range(3)] == [True, True, True]


STORY: list[LinkFact] = [
    merged(BERT, ANNA),
    merged(CLEO, BERT),
    unmerged(BERT, ANNA),
    merged(CLEO, ANNA, 3),
    unmerged(CLEO, BERT),
]
"""As contacts would tell it; each under both ids."""


@pytest.mark.parametrize("seed", range(6))
async def test_however_partitions_run_ahead_of_each_other_the_end_is_the_same(
    sync: Sync, other: Sync, seed: int
) -> None:
    """Each customer's facts are in order, as Kafka keeps them; between customers anything goes."""
    chance = random.Random(seed)
    waiting: dict[str, list[Fact]] = {one: [] for one in EVERYBODY}
    for number, link in enumerate(STORY):
        for one in (link.survivor, link.absorbed):
            waiting[one] += [order(one, 10 * number + 1, "1"), link]
    versions: dict[str, int] = {}
    while left := [one for one in EVERYBODY if waiting[one]]:
        one = chance.choice(left)
        batch, waiting[one] = waiting[one][:2], waiting[one][2:]
        await hear(chance.choice((sync, other)), one, *batch)
        versions = await grown(sync, versions)
    assert await shown(sync) == {ANNA: (0, CLEO), BERT: (4, None), CLEO: (6, None)}
    assert await sync.views.sums() == (2, 10, Decimal(10))
    assert {row["_id"] async for row in sync.database["parts"].find()} == {ANNA, CLEO}


async def grown(sync: Sync, before: dict[str, int]) -> dict[str, int]:
    views: Sequence[CustomerView] = [CustomerView.model_validate_json(one) for _, one in await sync.views.page("", 10)]
    versions = {one.customer_id: one.version for one in views}
    assert all(versions[one] >= version for one, version in before.items())
    return versions
