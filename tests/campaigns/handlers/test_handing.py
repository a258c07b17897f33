"""Who may not be contacted when their time comes is not, whoever is asleep is told later, each once, whatever dies meanwhile."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.campaigns.domain.campaign import arm
from services.campaigns.domain.orders import Orders
from services.campaigns.domain.profile import Profile, fold
from services.campaigns.domain.quiet import QuietHours
from services.campaigns.handlers.campaigns import Campaigning
from services.campaigns.handlers.handing import Waiting
from services.campaigns.handlers.persons import Persons
from services.campaigns.handlers.profiles import Following
from services.campaigns.store.campaigns import REBUILDING
from services.campaigns.store.erasing import steps
from services.campaigns.store.segments import SegmentStore
from shared.clock import WallClock
from shared.contracts.contacts import ContactRestricted
from shared.contracts.fact import Fact
from shared.erasing import Work
from shared.messaging import Messaging, Unit
from shared.mongo import Database
from shared.settings import PlatformSettings
from tests.campaigns.facts import ban, consent, contact, customer, order, received
from tests.campaigns.handlers.test_launching import CHUNK, PEOPLE, Died, Dying, Scene
from tests.campaigns.test_campaign import DRAFT
from tests.links import link

pytestmark = pytest.mark.integration
NIGHT = QuietHours.model_validate({"from": "20:00", "until": "08:00"})
EVENING = datetime(2026, 5, 4, 21, tzinfo=UTC)
MORNING = datetime(2026, 5, 5, 8, tzinfo=UTC)
ASLEEP = {"requires_consent": "ads", "quiet_hours": NIGHT}
AGREED = consent("ads", "any", "granted", datetime(2026, 1, 1, tzinfo=UTC))
EVERYBODY = [customer(n) for n in range(PEOPLE)]
CONTROL = [one for one in EVERYBODY if arm(DRAFT.seed, one, DRAFT.control_share) == "control"]
TREATMENT = [one for one in EVERYBODY if one not in CONTROL]


class Hand(WallClock):
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = EVENING

    async def now(self, session: Any = None) -> datetime:
        return self.at


class Night(Scene):
    """A campaign that is launched in the evening, when everybody in UTC is left in peace."""

    def __init__(self, settings: PlatformSettings, database: Database) -> None:
        super().__init__(settings, database)
        self.clock = self.hand = Hand()
        self.compose()
        self.messaging = Messaging("campaigns", settings, database.client, database)
        self.version = 1

    async def set(self, **said: Any) -> Any:
        campaign = await super().set(**ASLEEP | said)
        await self.links.prepare()
        await self.agreed(*EVERYBODY)
        return campaign

    async def agreed(self, *customers: str, **said: Any) -> None:
        """What contacts tells of them; that they agreed, unless it says otherwise."""
        self.version += 1
        told = {"consents": [AGREED], **said}
        await self.hear(*(contact(one, self.version, **told) for one in customers))

    def following(self) -> Following:
        return Following(self.profiles, self.links, self.holding, self.clock)

    async def hear(self, *facts: Fact) -> None:
        async def fold(unit: Unit) -> None:
            await self.following().fold(unit, [received(fact, offset) for offset, fact in enumerate(facts)])

        await self.messaging.transact(fold)

    async def erase(self, gone: str) -> None:
        async def erased(unit: Unit) -> None:
            for step in steps(self.following()):
                await step.piece(unit, Work("erasure", [gone]))

        await self.messaging.transact(erased)

    async def wake(self, at: datetime = MORNING, messaging: Messaging | None = None) -> None:
        self.hand.at = at
        await Waiting(messaging or self.messaging, self.campaigns, self.handing, self.clock, CHUNK).hand_over_all()

    async def contacted(self) -> list[str]:
        return sorted(fact["customer_id"] for fact in await self.selected() if fact["arm"] == "treatment")

    async def figures(self) -> tuple[int | None, int, dict[str, int]]:
        persons = Persons(self.campaigns, self.profiles, self.links)
        asking = Campaigning(self.campaigns, SegmentStore(self.database), persons, self.clock, "USD")
        [shown] = await asking.counted([await asking.get(DRAFT.campaign_id)])
        return shown.contacted, shown.waiting, shown.withheld


@pytest.fixture
async def night(settings: PlatformSettings, database: Database) -> Night:
    return Night(settings, database)


async def test_whoever_is_asleep_is_told_in_the_morning_and_who_is_held_out_at_once(night: Night) -> None:
    assert (await night.launched(await night.set())).state == "launched"
    assert sorted(fact["customer_id"] for fact in await night.selected()) == CONTROL
    assert await night.figures() == (0, len(TREATMENT), {})
    await night.wake(MORNING - timedelta(milliseconds=1))
    assert await night.contacted() == []
    await night.wake()
    assert await night.contacted() == TREATMENT
    assert await night.figures() == (len(TREATMENT), 0, {})
    told = await night.selected()
    assert {fact["message"] for fact in told if fact["arm"] == "treatment"} == {"We miss you"}
    assert {fact["selected_at"] for fact in told} == {"2026-05-04T21:00:00Z"}
    await night.wake(MORNING + timedelta(days=1))
    assert len(await night.selected()) == PEOPLE


async def test_each_is_waited_for_by_their_own_clock(night: Night) -> None:
    campaign = await night.set()
    east, west, nowhere = TREATMENT[:3]
    await night.agreed(east, time_zone="Asia/Tokyo")
    await night.agreed(west, time_zone="America/Los_Angeles")
    await night.agreed(nowhere, time_zone="Nowhere/Else")
    await night.launched(campaign)
    assert await night.contacted() == [west]  # two in the afternoon
    await night.wake(datetime(2026, 5, 4, 23, tzinfo=UTC))
    assert await night.contacted() == sorted([west, east])
    await night.wake()
    assert await night.contacted() == TREATMENT


async def test_who_may_not_be_contacted_any_more_when_their_time_comes_is_not(night: Night) -> None:
    await night.launched(await night.set())
    asked, withdrew, ended, restricted, moved, free = TREATMENT[:6]
    later = EVENING + timedelta(hours=1)
    await night.agreed(asked, do_not_contact=[ban("mail", later)])
    await night.agreed(withdrew, consents=[consent("ads", "mail", "withdrawn", later)])
    await night.agreed(ended, consents=[consent("ads", "any", "granted", later, valid_until=MORNING)])
    await night.hear(ContactRestricted(customer_id=restricted, restricted=True, since=later))
    await night.agreed(moved, time_zone="America/Los_Angeles")
    await night.agreed(free, do_not_contact=[ban("mail", later, MORNING), ban("phone", later)])
    await night.wake()
    withheld = [asked, withdrew, ended, restricted]
    expected = sorted(set(TREATMENT) - {*withheld, moved})
    assert await night.contacted() == expected
    assert await night.figures() == (
        len(expected), 1, {"do-not-contact": 1, "no-consent": 2, "restricted": 1}
    )  # fmt: skip
    await night.wake(datetime(2026, 5, 5, 15, tzinfo=UTC))
    assert await night.contacted() == sorted([*expected, moved])
    assert (await night.figures())[1] == 0


async def test_what_changes_between_the_draw_and_the_telling_is_heard(night: Night) -> None:
    campaign = await night.set(quiet_hours=None)
    await night.launching().begin(campaign, None)
    with pytest.raises(Died):
        await night.launching(6, committed=True).carry_on_all(60)
    gone = TREATMENT[0]
    await night.agreed(gone, do_not_contact=[ban("any", EVENING)])
    await night.launching().carry_on_all(60)
    assert await night.contacted() == TREATMENT[1:]
    assert await night.figures() == (len(TREATMENT) - 1, 0, {"do-not-contact": 1})


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("step", [1, 2, 3])
async def test_whoever_dies_while_handing_over_contacts_nobody_twice_and_forgets_nobody(
    night: Night, step: int, *, committed: bool
) -> None:
    await night.launched(await night.set())
    dying = Dying(*night._core, at=step, committed=committed)
    with pytest.raises(Died):
        await night.wake(MORNING, dying)
    assert len(await night.contacted()) == min(CHUNK * (step if committed else step - 1), len(TREATMENT))
    await night.wake()
    assert await night.contacted() == TREATMENT
    assert await night.figures() == (len(TREATMENT), 0, {})


async def test_instances_that_hand_over_at_once_contact_each_once(night: Night) -> None:
    await night.launched(await night.set())
    await asyncio.gather(*(night.wake() for _ in range(4)))
    assert await night.contacted() == TREATMENT
    assert await night.figures() == (len(TREATMENT), 0, {})


async def test_a_merge_and_a_hand_over_that_meet_are_both_right(night: Night) -> None:
    await night.launched(await night.set())
    pairs = list(zip(TREATMENT, CONTROL, strict=False))
    await asyncio.gather(night.wake(), *(night.hear(link(one, control, 1)) for one, control in pairs))
    last = {fact["customer_id"]: fact["arm"] for fact in await night.selected()}
    assert {last[one] for one, _ in pairs} == {"control"}
    assert {last[one] for one in TREATMENT[len(pairs) :]} == {"treatment"}
    await asyncio.gather(night.wake(), *(night.hear(link(one, control, 2)) for one, control in pairs))
    last = {fact["customer_id"]: fact["arm"] for fact in await night.selected()}
    assert {last[one] for one in TREATMENT} == {"treatment"}
    assert await night.figures() == (len(TREATMENT), 0, {})


@pytest.mark.parametrize("step", range(7, 12))
async def test_a_launch_that_dies_while_they_fall_asleep_is_carried_on(night: Night, step: int) -> None:
    await night.launching().begin(await night.set(), None)
    with pytest.raises(Died):
        await night.launching(step, committed=True).carry_on_all(60)
    await night.wake()
    await night.launching().carry_on_all(60)
    await night.wake()
    assert await night.contacted() == TREATMENT
    assert Counter(fact["customer_id"] for fact in await night.selected()) == Counter(EVERYBODY)
    assert await night.figures() == (len(TREATMENT), 0, {})


async def test_of_somebody_who_waits_a_merge_an_unmerge_and_an_erasure_are_right(night: Night) -> None:
    await night.launched(await night.set())
    held, freed, erased, partner = TREATMENT[:4]
    await night.hear(link(held, CONTROL[0], 1), link(freed, CONTROL[1], 1))
    await night.agreed(partner, do_not_contact=[ban("mail", EVENING)])
    await night.erase(erased)
    assert (await night.figures())[1] == len(TREATMENT) - 3
    await night.hear(link(freed, CONTROL[1], 2))
    await night.agreed(freed)
    assert (await night.figures())[1] == len(TREATMENT) - 2
    await night.wake()
    expected = sorted(set(TREATMENT) - {held, erased, partner})
    assert await night.contacted() == expected
    assert await night.figures() == (len(expected), 0, {"do-not-contact": 1})
    # In the next night they are two again: as drawn, and asleep.
    night.hand.at = EVENING + timedelta(days=1)
    await night.hear(link(held, CONTROL[0], 2))
    assert await night.contacted() == expected
    await night.wake(MORNING + timedelta(days=1))
    assert await night.contacted() == sorted([*expected, held])
    assert (await night.figures())[0] == len(expected) + 1


async def test_one_who_was_absorbed_while_they_wait_is_asked_as_the_survivor(night: Night) -> None:
    stranger = customer(99)
    await night.launched(await night.set(rule={"field": "sales.orders", "at_least": 1}))
    first, second = TREATMENT[:2]
    await night.agreed(stranger, do_not_contact=[ban("any", EVENING)])
    await night.hear(link(first, stranger, 1), link(second, TREATMENT[2], 1))
    await night.wake()
    assert await night.contacted() == sorted(set(TREATMENT) - {first})


async def test_who_was_contacted_already_counts_once_however_often_they_are_held_and_freed(night: Night) -> None:
    await night.launched(await night.set())
    await night.wake()
    one = TREATMENT[0]
    await night.hear(link(one, CONTROL[0], 1))
    await night.hear(link(one, CONTROL[0], 2))
    assert (await night.figures())[0] == len(TREATMENT)
    await night.hear(link(one, CONTROL[0], 3))
    await night.agreed(one, do_not_contact=[ban("mail", EVENING)])
    await night.hear(link(one, CONTROL[0], 4))
    assert Counter(await night.contacted())[one] == 2
    assert await night.figures() == (len(TREATMENT), 0, {"do-not-contact": 1})
    await night.agreed(one)
    await night.hear(link(one, CONTROL[0], 5))
    await night.hear(link(one, CONTROL[0], 6))
    assert await night.figures() == (len(TREATMENT), 0, {})


async def test_nobody_is_contacted_once_the_campaign_is_over(night: Night) -> None:
    campaign = await night.launched(await night.set())
    over = campaign.model_copy(update={"state": "closed", "closed_at": EVENING + timedelta(hours=1)})
    await night.campaigns.close(over)
    await night.wake()
    assert await night.contacted() == []
    assert await night.figures() == (0, 0, {"over": len(TREATMENT)})


async def test_whoever_would_be_told_after_the_end_does_not_wait_for_it(night: Night) -> None:
    days = ("tuesday", "wednesday", "thursday", "friday")
    week = QuietHours.model_validate({"from": "08:00", "until": "08:00", "days": ["monday", *days]})
    await night.launched(await night.set(quiet_hours=week, response_days=2))
    assert await night.figures() == (0, 0, {"over": len(TREATMENT)})


async def test_nobody_is_drawn_or_handed_over_while_profiles_are_made_anew(night: Night) -> None:
    await night.launched(await night.set())
    await night.database["moved"].insert_one({"_id": REBUILDING})
    other = DRAFT.model_copy(update={"campaign_id": "other"})
    await night.campaigns.add(other)
    await night.launching().begin(other, None)
    await night.database["profiles"].delete_many({})
    await night.wake()
    await night.launching().carry_on_all(60)
    assert await night.figures() == (0, len(TREATMENT), {})
    found = await night.campaigns.get("other")
    assert found is not None
    assert (found.state, found.launched_at) == ("launching", None)


async def test_a_campaign_that_fails_keeps_no_other_one_waiting(night: Night) -> None:
    await night.launched(await night.set())
    broken = {"kept_back": {"campaign": "gone", "due": EVENING}, "customer_id": customer(1), "arm": "treatment"}
    await night.database["selections"].insert_one({"_id": "gone:1:x", **broken})
    await night.wake()
    assert await night.contacted() == TREATMENT


async def test_the_effect_counts_everybody_as_drawn(night: Night) -> None:
    """Who waits, and who is withheld, would be missing on one side only."""
    await night.launched(await night.set(control_share=0.3))
    await night.agreed(TREATMENT[0], do_not_contact=[ban("mail", EVENING)])
    buyers = [TREATMENT[0], TREATMENT[1], CONTROL[0]]
    bought = [order(100 + n, one, EVENING + timedelta(hours=2)) for n, one in enumerate(buyers)]
    await night.hear(*bought)
    await night.wake()
    persons = Persons(night.campaigns, night.profiles, night.links)
    asking = Campaigning(night.campaigns, SegmentStore(night.database), persons, night.clock, "USD")
    effect = await asking.effect(DRAFT.campaign_id)
    assert (effect.treatment.customers, effect.treatment.responders) == (len(TREATMENT), 2)
    assert (effect.control.customers, effect.control.responders) == (len(CONTROL), 1)


async def test_a_customer_nothing_is_known_of_is_not_contacted(night: Night) -> None:
    await night.launched(await night.set())
    await night.database["profiles"].delete_one({"_id": TREATMENT[0]})
    stub = Profile(TREATMENT[1])
    fold(stub, order(500, TREATMENT[1], EVENING))
    await night.database["profiles"].delete_one({"_id": TREATMENT[1]})
    await night.profiles.save([stub], Orders())
    await night.wake()
    assert await night.contacted() == TREATMENT[2:]
    assert (await night.figures())[2] == {"unknown": 1, "no-consent": 1}
