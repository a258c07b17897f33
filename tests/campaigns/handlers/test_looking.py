"""How far it is with contacting each customer of a campaign, as an operator sees it."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from services.campaigns.handlers.errors import UnknownCampaign
from services.campaigns.handlers.looking import Looking, Seen
from services.campaigns.handlers.persons import Persons
from shared.contracts.contacts import ContactRestricted
from tests.campaigns.facts import ban, order
from tests.campaigns.handlers.test_handing import CONTROL, EVENING, EVERYBODY, MORNING, TREATMENT, Night, night
from tests.campaigns.handlers.test_launching import PEOPLE, Died
from tests.campaigns.test_campaign import DRAFT
from tests.links import link

__all__ = ["night"]
pytestmark = pytest.mark.integration


def looking(night: Night) -> Looking:
    return Looking(night.campaigns, Persons(night.campaigns, night.profiles, night.links), night.profiles)


async def seen(night: Night, **which: Any) -> dict[str, Seen]:
    found = await looking(night).customers(DRAFT.campaign_id, None, PEOPLE, **which)
    return {one.response.customer_id: one for one in found}


def standings(found: dict[str, Seen]) -> Counter[str]:
    return Counter(one.standing for one in found.values())


async def test_who_waits_is_seen_with_the_time_and_who_is_withheld_with_the_reason(night: Night) -> None:
    campaign = await night.set()
    far = TREATMENT[0]
    await night.agreed(far, time_zone="Asia/Tokyo")
    await night.launched(campaign)
    found = await seen(night)
    assert sorted(found) == EVERYBODY
    assert standings(found) == {"held-out": len(CONTROL), "waiting": len(TREATMENT)}
    assert found[far].waiting_until == EVENING + timedelta(hours=2), "eight in the morning there"
    assert {found[one].waiting_until for one in TREATMENT[1:]} == {MORNING}
    assert {found[one].waiting_until for one in CONTROL} == {None}

    asked = TREATMENT[1]
    await night.agreed(asked, do_not_contact=[ban("mail", EVENING)])
    await night.wake()
    found = await seen(night)
    assert standings(found) == {"held-out": len(CONTROL), "contacted": len(TREATMENT) - 1, "withheld": 1}
    assert (found[asked].withheld, found[asked].waiting_until) == ("do-not-contact", None)


async def test_only_those_who_wait_or_are_withheld_are_asked_for_in_pages(night: Night) -> None:
    await night.launched(await night.set())
    held = TREATMENT[2]
    await night.hear(link(held, CONTROL[0], 1))
    waiting = [one for one in TREATMENT if one != held]
    assert sorted(await seen(night, kept_back="waiting")) == waiting
    withheld = await seen(night, kept_back="withheld")
    assert {one: (seen.standing, seen.withheld) for one, seen in withheld.items()} == {held: ("withheld", "held-out")}
    page = await looking(night).customers(DRAFT.campaign_id, waiting[0], 2, None, "waiting")
    assert [one.response.customer_id for one in page] == waiting[1:3]
    assert await seen(night, arm="control", kept_back="waiting") == {}


async def test_of_a_launch_under_way_it_is_seen_whom_it_has_not_come_to(night: Night) -> None:
    await night.launching().begin(await night.set(quiet_hours=None), None)
    with pytest.raises(Died):
        await night.launching(7, committed=True).carry_on_all(60)
    found = await seen(night)
    told = {fact["customer_id"] for fact in await night.selected()}
    assert {one for one in TREATMENT if found[one].standing == "contacted"} == told & set(TREATMENT)
    assert {found[one].standing for one in TREATMENT if one not in told} == {"untold"}
    await night.launching().carry_on_all(60)
    assert standings(await seen(night)) == {"held-out": len(CONTROL), "contacted": len(TREATMENT)}


async def test_whoever_is_one_with_somebody_restricted_is_seen_as_such_until_it_is_lifted(night: Night) -> None:
    await night.launched(await night.set(quiet_hours=None))
    alone, survivor, absorbed, free = TREATMENT[:4]
    await night.hear(link(absorbed, survivor, 1))
    await night.hear(*(order(n, one, MORNING) for n, one in enumerate((absorbed, free))))
    for restricted, hidden in ((alone, {alone}), (absorbed, {survivor, absorbed}), (survivor, {survivor, absorbed})):
        await night.hear(ContactRestricted(customer_id=restricted, restricted=True, since=MORNING))
        found = await seen(night)
        assert {one for one in found if found[one].restricted} == hidden
        assert standings(found)["contacted"] == len(TREATMENT), "who was approached is known as before"
        await night.hear(ContactRestricted(customer_id=restricted, restricted=False, since=MORNING))
    assert not any(one.restricted for one in (await seen(night)).values())
    await night.hear(
        ContactRestricted(customer_id=absorbed, restricted=True, since=MORNING), link(absorbed, survivor, 2)
    )
    assert [one for one, shown in (await seen(night)).items() if shown.restricted] == [absorbed], "they are two again"


async def test_nobody_is_seen_in_a_campaign_that_is_not_there(night: Night) -> None:
    with pytest.raises(UnknownCampaign):
        await looking(night).customers("nowhere", None, 10)
