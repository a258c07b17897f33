"""Of whoever is restricted nothing is scored, in whatever order sales, merges and restrictions are heard. In memory."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import cast

import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.purchases import Order
from services.scoring.handlers import Sweeping
from services.scoring.handlers.restricting import Restricted
from shared.contracts.merges import LinkFact, root_of
from shared.contracts.scoring import ScoreWithdrawn
from shared.messaging import Received, Unit
from shared.messaging.outbox import Told
from tests.links import link, links_among
from tests.scoring.events import linked, ordered, restricted
from tests.scoring.memory import MemoryTransactions
from tests.scoring.orders import on, orders
from tests.scoring.test_merging import ANNA, BERT, CLEO, EVERYBODY, World, is_scored

said = st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=6)
"""What contacts has told of restrictions, in its order."""


@settings(deadline=None, max_examples=200)
@given(
    sales=st.lists(st.tuples(st.integers(0, 3), orders), max_size=15),
    links=links_among(EVERYBODY),
    told=said,
    lifted=st.booleans(),
    data=st.data(),
)
def test_in_any_order_nothing_is_scored_of_who_is_restricted_and_of_all_others_everything(
    sales: list[tuple[int, Order]],
    links: list[LinkFact],
    told: list[tuple[int, bool]],
    lifted: bool,
    data: st.DataObject,
) -> None:
    restrictions = [restricted(number, restricted=flag) for number, flag in told]
    facts = [ordered(*sale) for sale in sales]
    events = facts + [linked(fact) for fact in links] + restrictions
    shuffled, size = data.draw(st.permutations(events)), data.draw(st.integers(1, 8))
    in_order = iter(restrictions)
    # Contacts tells restrictions in an order of its own, which the topic keeps; twice is told what is sent again.
    batches = [next(in_order) if event in restrictions else event for event in shuffled]

    async def play() -> None:
        world = World()
        for begin in range(0, len(batches), size):
            await world.hear(*batches[begin : begin + size])
        if restrictions:
            await world.hear(restrictions[-1])
        if lifted:
            # Contacts has passed over what was told while they were restricted.
            world.told.clear()
            await world.hear(*(restricted(number, restricted=False) for number in range(4)))
        hidden = {EVERYBODY[number] for number, flag in dict(told).items() if flag and not lifted}
        into = world.links.into()
        roots = {root_of(one, into) for one in hidden}
        wanted: dict[str, list[Received]] = defaultdict(list)
        for event in facts:
            if (root := root_of(event.subject, into)) not in roots:
                wanted[root].append(event)
        await is_scored(world, wanted)
        for one in EVERYBODY:
            if root_of(one, into) in roots:
                with pytest.raises(Restricted):
                    await world.restricting.root(one)
            else:
                assert await world.restricting.root(one) == root_of(one, into)

    asyncio.run(play())


async def test_the_score_is_withdrawn_and_told_again_with_what_came_meanwhile() -> None:
    world = World()
    await world.hear(ordered(0, on("2021-03-01", "10")), ordered(1, on("2021-03-02", "10")))
    assert withdrawn(await world.hear(restricted(0))) == [(ANNA, True)]
    assert world.told.keys() == {BERT}
    assert [score.customer_id for score in await world.customers.page(None, "value", None, 9)] == [BERT]
    assert sum(row.customers for row in await world.customers.summary()) == 1
    assert (await world.base()).customers == 1
    assert (await world.customers.packed(None, 9)).customers == [BERT]
    assert await world.customers.days([ANNA]) == {}
    assert await world.scores.read(ANNA) is None
    meanwhile = await world.hear(ordered(0, on("2021-03-09", "5")))
    assert not meanwhile.outgoing
    await world.hear(restricted(0, restricted=False))
    assert {one: score.purchases for one, score in world.told.items()} == {ANNA: 2, BERT: 1}
    assert (await world.base()).customers == 2
    assert not world.customers.bonds


async def test_who_is_restricted_before_anything_is_known_is_not_scored_by_what_comes() -> None:
    world = World()
    await world.hear(restricted(0))
    assert not (await world.hear(ordered(0, on("2021-03-01", "10")))).outgoing
    assert not world.told
    await world.hear(restricted(0, restricted=False))
    assert world.told.keys() == {ANNA}


async def test_the_same_restriction_again_tells_nothing() -> None:
    world = World()
    await world.hear(ordered(0, on("2021-03-01", "10")), restricted(0))
    assert not (await world.hear(restricted(0))).outgoing


async def test_one_who_is_restricted_hides_all_who_are_found_to_be_one_until_they_are_two_again() -> None:
    world = World()
    await world.hear(*(ordered(number, on("2021-03-01", "10")) for number in range(3)), restricted(1))
    assert withdrawn(await world.hear(linked(link(BERT, ANNA, 1)))) == [(ANNA, True)]
    assert world.told.keys() == {CLEO}
    await world.hear(linked(link(BERT, ANNA, 2)))
    assert world.told.keys() == {ANNA, CLEO}


async def test_once_it_is_lifted_it_is_told_that_there_is_no_score_where_they_have_parted_from_who_had_bought() -> None:
    """While nothing was shown, nobody was told that the survivor has bought nothing."""
    world = World()
    await world.hear(ordered(1, on("2021-03-05", "5")), linked(link(BERT, ANNA, 1)))
    await world.hear(restricted(0), restricted(1))
    assert not (await world.hear(linked(link(BERT, ANNA, 2)))).outgoing
    unit = await world.hear(restricted(0, restricted=False), restricted(1, restricted=False))
    assert withdrawn(unit) == [(ANNA, False)]
    assert world.told.keys() == {BERT}


async def test_whoever_was_hidden_by_another_is_told_to_have_bought_nothing_where_they_have_parted() -> None:
    """Until then it was only told that their score must not be used, which takes no stage away."""
    world = World()
    await world.hear(ordered(1, on("2021-03-05", "5")), linked(link(BERT, ANNA, 1)))
    assert withdrawn(await world.hear(restricted(1))) == [(ANNA, True)]
    assert withdrawn(await world.hear(linked(link(BERT, ANNA, 2)))) == [(ANNA, False)]
    await world.hear(linked(link(ANNA, CLEO, 1)), linked(link(BERT, CLEO, 3)))
    assert withdrawn(await world.hear(linked(link(ANNA, CLEO, 2)))) == [(ANNA, False)]


async def test_a_restriction_that_is_heard_with_its_end_has_the_score_told_again() -> None:
    """Contacts knew of it before, and has passed over what was told meanwhile."""
    world = World()
    await world.hear(ordered(0, on("2021-03-01", "10")), ordered(1, on("2021-03-01", "10")))
    world.told.clear()
    await world.hear(restricted(0), restricted(0, restricted=False))
    assert world.told.keys() == {ANNA}
    assert (await world.base()).customers == 2


async def test_a_sweep_does_not_meet_who_is_restricted() -> None:
    world = World()
    await world.hear(ordered(0, on("2021-03-01", "10")), ordered(1, on("2021-03-01", "10")))
    await world.hear(restricted(0))
    world.clock.at += timedelta(days=300)
    transactions = MemoryTransactions()
    await Sweeping(world.scores, transactions).everybody()
    assert [score.customer_id for score in transactions.told()] == [BERT]


async def test_who_is_erased_while_restricted_leaves_nothing() -> None:
    world = World()
    await world.hear(ordered(0, on("2021-03-01", "10")), ordered(1, on("2021-03-01", "10")), restricted(0))
    await world.erase(ANNA)
    assert not await world.customers.load([ANNA])
    assert (await world.base()).customers == 1


async def test_who_was_restricted_before_scores_were_withdrawn_is_so_from_the_start_on() -> None:
    world = World()
    await world.hear(ordered(0, on("2021-03-01", "10")), ordered(1, on("2021-03-01", "10")))
    world.restrictions.restricted = {ANNA, CLEO}
    transactions = MemoryTransactions()
    await world.restricting.catch_up(transactions)
    assert not (await world.hear(ordered(0, on("2021-03-02")), ordered(2, on("2021-03-02")))).outgoing
    assert [score.customer_id for score in await world.customers.page(None, "value", None, 9)] == [BERT]
    assert await world.merging.shown([ANNA, BERT, CLEO]) == {BERT}


async def test_once_a_start_has_found_nobody_later_ones_do_not_look() -> None:
    world = World()
    await world.hear(ordered(0, on("2021-03-01", "10")))
    transactions = MemoryTransactions()
    await world.restricting.catch_up(transactions)
    world.restrictions.restricted = {ANNA}
    await world.restricting.catch_up(transactions)
    assert await world.merging.shown([ANNA]) == {ANNA}, (
        "nobody comes to be so but in a rebuild, which has them looked for"
    )


def withdrawn(unit: Unit) -> list[tuple[str, bool]]:
    """Of whom, and whether it was because of a restriction."""
    kept = cast("list[Told]", unit.outgoing)
    told = [ScoreWithdrawn.model_validate_json(one.value) for one in kept if one.kind[1] == ScoreWithdrawn.TYPE]
    return [(one.customer_id, one.restricted) for one in told]
