"""A person of whom one customer is held out of a campaign is not contacted as another, whenever it turns out, whatever dies."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from services.campaigns.handlers.profiles import Following
from services.campaigns.store.erasing import steps
from shared import mongo
from shared.clock import WallClock
from shared.contracts.merges import LinkFact
from shared.erasing import Work
from shared.messaging import Messaging, Unit
from shared.mongo import Database
from shared.settings import PlatformSettings
from tests.campaigns.facts import customer, day, received
from tests.campaigns.handlers.test_launching import PEOPLE, STEPS, Died, Scene
from tests.campaigns.test_campaign import DRAFT
from tests.links import link

pytestmark = pytest.mark.integration
DRAWN = 6
"""The step that completes the draw."""


class Merged(Scene):
    """A scene in which customers are found to be one."""

    def __init__(self, settings: PlatformSettings, database: Database) -> None:
        super().__init__(settings, database)
        self.messaging = Messaging("campaigns", settings, database.client, database)

    async def hear(self, *facts: LinkFact) -> None:
        following = Following(self.profiles, self.links, self.holding, WallClock())

        async def fold(unit: Unit) -> None:
            await following.fold(unit, [received(fact, offset) for offset, fact in enumerate(facts)])

        await self.messaging.transact(fold)

    async def pair(self) -> tuple[str, str]:
        """Of a launched campaign: somebody to be contacted, and somebody held out."""
        arms = {fact["arm"]: fact["customer_id"] for fact in await self.selected()}
        return arms["treatment"], arms["control"]

    async def last(self, customer_id: str) -> dict[str, Any] | None:
        told = [fact for fact in await self.selected() if fact["customer_id"] == customer_id]
        return told[-1] if told else None


@pytest.fixture
async def scene(settings: PlatformSettings, database: Database) -> Merged:
    scene = Merged(settings, database)
    await scene.links.prepare()
    return scene


async def test_who_is_one_with_somebody_held_out_is_told_so_and_as_drawn_when_they_are_two_again(scene: Merged) -> None:
    await scene.launched(await scene.set())
    treated, control = await scene.pair()
    for turn, (survivor, absorbed) in enumerate([(control, treated), (treated, control)]):
        await scene.hear(link(absorbed, survivor, 2 * turn + 1))
        held = await scene.last(treated)
        assert held is not None
        assert (held["arm"], held["message"], held["held_out_with"]) == ("control", None, control)
        assert len(await scene.selected()) == PEOPLE + 2 * turn + 1
        await scene.hear(link(absorbed, survivor, 2 * turn + 2))
        free = await scene.last(treated)
        assert free is not None
        assert (free["arm"], free["message"], "held_out_with" in free) == ("treatment", "We miss you", False)
    assert await mongo.aggregate(scene.database["selections"], [{"$match": {"held_out_with": {"$ne": None}}}]) == []


@pytest.mark.parametrize("closed", [False, True])
async def test_when_the_one_held_out_is_erased_the_other_is_as_drawn_and_no_row_names_them(
    scene: Merged, closed: bool
) -> None:
    await scene.launched(await scene.set())
    treated, control = await scene.pair()
    await scene.hear(link(treated, control, 1))
    over = {"$set": {"respond_until": day(0)}} if closed else {"$set": {"closed_at": None}}
    await scene.database["campaigns"].update_many({}, over)
    following = Following(scene.profiles, scene.links, scene.holding, WallClock())

    async def erase(unit: Unit) -> None:
        for step in steps(following):
            await step.piece(unit, Work("erasure", [control]))

    await scene.messaging.transact(erase)
    last = await scene.last(treated)
    assert last is not None
    assert last["arm"] == ("control" if closed else "treatment")
    for collection in ("selections", "profiles", "links"):
        assert control not in repr(await scene.database[collection].find().to_list(None))
    assert await scene.database["selections"].count_documents({}) == PEOPLE - 1


async def test_links_that_stand_beforehand_as_of_no_turn_let_a_rebuild_tell_nobody_anew(scene: Merged) -> None:
    """As `deploy.local.beforehand.link` writes them: merges come again one by one, and each meets the whole tree."""
    await scene.launched(await scene.set())
    arms = {fact["customer_id"]: fact["arm"] for fact in await scene.selected()}
    control = next(one for one, arm in arms.items() if arm == "control")
    root, other, *_ = [one for one, arm in arms.items() if arm == "treatment"]
    merges = [link(other, root, 1), link(control, root, 1)]
    await scene.hear(*merges)
    told = len(await scene.selected())
    assert told == PEOPLE + 2
    await scene.database["profiles"].delete_many({})
    await scene.database["links"].update_many({}, {"$set": {"turn": 0}})
    for merge in merges:
        await scene.hear(merge)
    assert len(await scene.selected()) == told
    [survivor] = await scene.database["profiles"].find({"merged_into": None}).to_list(None)
    assert (survivor["_id"], set(survivor["members"])) == (root, {other, control})


async def test_two_of_one_arm_are_told_nothing_new(scene: Merged) -> None:
    await scene.launched(await scene.set())
    first, second, *_ = [fact["customer_id"] for fact in await scene.selected() if fact["arm"] == "treatment"]
    await scene.hear(link(first, second, 1), link(first, second, 1))
    assert len(await scene.selected()) == PEOPLE


@pytest.mark.parametrize(("treated", "control"), [(0, 15), (14, 1)])
@pytest.mark.parametrize("survives", [0, 1])
@pytest.mark.parametrize("step", [2, 6, 7, 8, 9, STEPS])
async def test_wherever_in_a_launch_it_turns_out_nobody_held_out_is_contacted_in_the_end(
    scene: Merged, step: int, survives: int, treated: int, control: int
) -> None:
    """Drawn before, both are in it; drawn after it, the survivor is, as chance wants."""
    ends = customer(treated), customer(control)
    campaign = await scene.set()
    await scene.launching().begin(campaign, None)
    with pytest.raises(Died):
        await scene.launching(step, committed=True).carry_on_all(60)
    await scene.hear(link(ends[1 - survives], ends[survives], 1))
    await scene.launching().carry_on_all(60)
    told = [fact["customer_id"] for fact in await scene.selected()]
    if step < DRAWN:
        assert sorted(told) == sorted({customer(n) for n in range(PEOPLE)} - {ends[1 - survives]})
        return
    last = await scene.last(ends[0])
    assert last is not None
    assert (last["arm"], last["held_out_with"]) == ("control", ends[1])
    twice = {one: number for one, number in Counter(told).items() if number > 1}
    assert twice in ({}, {ends[0]: 2})
    assert len(set(told)) == PEOPLE


async def test_a_launch_and_a_merge_that_meet_are_both_right(scene: Merged) -> None:
    await scene.set()
    treated, control = customer(0), customer(15)
    for number in range(6):
        campaign = DRAFT.model_copy(update={"campaign_id": f"campaign-{number}"})
        await scene.campaigns.add(campaign)
        await scene.launching().begin(campaign, None)
        await asyncio.gather(scene.launching().carry_on_all(60), scene.hear(link(treated, control, 2 * number + 1)))
        told = [fact for fact in await scene.selected() if fact["campaign_id"] == campaign.campaign_id]
        theirs = [fact["arm"] for fact in told if fact["customer_id"] == treated]
        assert theirs[-1:] in ([], ["control"])
        assert {fact["customer_id"] for fact in told} >= {customer(n) for n in range(1, PEOPLE)}
        await scene.hear(link(treated, control, 2 * number + 2))
        last = await scene.last(treated)
        assert last is None or last["arm"] == "treatment"
