"""Whatever dies during a launch, every customer is drawn once and told of once."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta
from typing import Any, TypeVar

import orjson
import pytest

from services.campaigns.domain.campaign import Campaign, WrongState
from services.campaigns.domain.orders import Orders
from services.campaigns.handlers.handing import Handing
from services.campaigns.handlers.holding import Holding
from services.campaigns.handlers.launching import Launching
from services.campaigns.store.campaigns import CampaignStore
from services.campaigns.store.profiles import ProfileStore
from shared.clock import Clock, WallClock
from shared.links import LinkStore
from shared.messaging import Messaging, Unit
from shared.mongo import Database
from shared.settings import PlatformSettings
from tests.campaigns.facts import consent, contact, customer, day, order
from tests.campaigns.store.test_profiles import profile_of
from tests.campaigns.test_campaign import DRAFT

pytestmark = pytest.mark.integration

PEOPLE = 23
CHUNK = 5
STEPS = 11
"""Transactions of a launch: five chunks are drawn, the draw is fixed, five chunks are told."""
T = TypeVar("T")


class Died(BaseException):
    """Like a killed process, nobody catches it."""


class Dying(Messaging):
    """Dies at one of its transactions: just before, or just after it has committed."""

    def __init__(self, *given: Any, at: int, committed: bool) -> None:
        super().__init__(*given)
        self.steps = 0
        self._at = at
        self._committed = committed

    async def transact(self, change: Callable[[Unit], Awaitable[T]]) -> T:
        self.steps += 1
        if self.steps == self._at and not self._committed:
            raise Died
        result = await super().transact(change)
        if self.steps == self._at:
            raise Died
        return result


class Scene:
    """A base of customers, a campaign on its way, and everything that was told."""

    def __init__(self, settings: PlatformSettings, database: Database) -> None:
        self.database = database
        self._core = ("campaigns", settings, database.client, database)
        # No lease outlives its holder here, so that the next one need not wait.
        self.campaigns = CampaignStore(database, timedelta(seconds=-1))
        self.profiles, self.links = ProfileStore(database), LinkStore(database)
        self.clock: Clock = WallClock()
        self.compose()

    def compose(self) -> None:
        """Anew with what has been put in another's place."""
        self.handing = Handing(self.campaigns, self.profiles, self.clock, UTC)
        self.holding = Holding(self.campaigns, self.links, self.handing, self.clock)

    async def set(self, **said: Any) -> Campaign:
        await self.campaigns.prepare()
        await self.profiles.prepare()
        await self.database.create_collection("outbox")
        people = [profile_of(customer(n), [order(n, customer(n), day(n))]) for n in range(PEOPLE)]
        await self.profiles.save(people, Orders())
        campaign = DRAFT.model_copy(update=said)
        await self.campaigns.add(campaign)
        return campaign

    def launching(self, at: int = 0, *, committed: bool = False) -> Launching:
        messaging = Dying(*self._core, at=at, committed=committed)
        return Launching(messaging, self.campaigns, self.profiles, self.holding, self.clock, CHUNK)

    async def launched(self, campaign: Campaign) -> Campaign:
        await self.launching().begin(campaign, None)
        await self.launching().carry_on_all(60)
        found = await self.campaigns.get(campaign.campaign_id)
        assert found is not None
        return found

    async def told(self) -> list[dict[str, Any]]:
        outbox = self.database["outbox"].find().sort("_id", 1)
        return [orjson.loads(event[2]) | {"key": event[1]} async for entry in outbox for event in entry["events"]]

    async def selected(self) -> list[dict[str, Any]]:
        return [fact for fact in await self.told() if "arm" in fact]


@pytest.fixture
async def scene(settings: PlatformSettings, database: Database) -> Scene:
    return Scene(settings, database)


async def test_a_launch_tells_of_every_customer_and_then_of_itself(scene: Scene) -> None:
    campaign = await scene.launched(await scene.set())
    told = await scene.told()
    assert campaign.state == "launched"
    assert sorted(fact["customer_id"] for fact in told[:-1]) == [customer(n) for n in range(PEOPLE)]
    assert all(fact["key"].decode() == fact["customer_id"] for fact in told[:-1])
    assert (told[-1]["treated"], told[-1]["held_out"]) == (campaign.treated, campaign.held_out)
    assert told[-1]["key"] == b"winback"


async def test_customers_held_out_are_given_no_message(scene: Scene) -> None:
    campaign = await scene.launched(await scene.set())
    messages = {(fact["arm"], fact["message"]) for fact in await scene.selected()}
    assert messages == {("treatment", "We miss you"), ("control", None)}
    arms = Counter(fact["arm"] for fact in await scene.selected())
    assert (arms["treatment"], arms["control"]) == (campaign.treated, campaign.held_out)


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("step", range(1, STEPS + 1))
async def test_a_launch_that_dies_at_any_step_is_carried_on_by_another(
    scene: Scene, step: int, *, committed: bool
) -> None:
    campaign = await scene.set()
    await scene.launching().begin(campaign, None)
    with pytest.raises(Died):
        await scene.launching(step, committed=committed).carry_on_all(60)
    # Who comes into the segment after a complete draw is not in the campaign any more.
    late = profile_of(customer(PEOPLE), [order(PEOPLE, customer(PEOPLE), day(1))])
    await scene.profiles.save([late], Orders())
    await scene.launching().carry_on_all(60)
    launched = await scene.campaigns.get("winback")
    assert launched is not None
    assert launched.state == "launched"
    was_drawn = step > 6 or (step == 6 and committed)
    expected = [customer(n) for n in range(PEOPLE if was_drawn else PEOPLE + 1)]
    assert sorted(fact["customer_id"] for fact in await scene.selected()) == expected
    assert launched.treated + launched.held_out == len(expected)
    assert sum("treated" in fact for fact in await scene.told()) == 1
    assert [row.customer_id for row in await scene.campaigns.customers("winback", None, 100, None)] == expected


async def test_a_large_launch_goes_on_in_slices(scene: Scene) -> None:
    campaign = await scene.set()
    await scene.launching().begin(campaign, None)
    slices = 1
    while await scene.launching().carry_on_all(0):
        slices += 1
    assert slices == 5
    assert len(await scene.selected()) == PEOPLE


async def test_launching_again_changes_nothing(scene: Scene) -> None:
    launched = await scene.launched(await scene.set())
    told = await scene.told()
    assert await scene.launched(launched) == launched
    assert await scene.told() == told


async def test_a_launch_that_fails_does_not_keep_others_waiting(scene: Scene) -> None:
    scene.campaigns = CampaignStore(scene.database, timedelta(seconds=60))
    scene.compose()
    await scene.set()
    broken = DRAFT.model_copy(update={"campaign_id": "broken", "rule": {"field": "gone"}, "created_at": day(-1)})
    await scene.campaigns.add(broken)
    await scene.launching().begin(broken, None)
    assert (await scene.launched(DRAFT)).state == "launched"
    assert await scene.campaigns.unfinished() == []


async def test_a_closed_campaign_is_not_launched(scene: Scene) -> None:
    campaign = (await scene.set()).model_copy(update={"state": "closed"})
    with pytest.raises(WrongState):
        await scene.launching().begin(campaign, None)


async def test_a_segment_of_nobody_is_launched_too(scene: Scene) -> None:
    campaign = await scene.launched(await scene.set(rule={"field": "sales.orders", "at_least": 99}))
    assert (campaign.state, campaign.treated, campaign.held_out) == ("launched", 0, 0)
    assert len(await scene.told()) == 1


async def test_only_who_agreed_is_drawn_not_even_into_the_control_group(scene: Scene) -> None:
    campaign = await scene.set(requires_consent="marketing")
    answers = [consent("marketing", "any", "granted", day(1)), consent("marketing", "mail", "denied", day(2))]
    said = [profile_of(customer(n), [contact(customer(n), 1, consents=answers[:n])]) for n in (1, 2)]
    for profile in said:
        profile.touched = {"contact"}
    await scene.profiles.save(said, Orders())
    await scene.launched(campaign)
    assert [fact["customer_id"] for fact in await scene.selected()] == [customer(1)]
