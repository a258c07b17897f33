"""Whom campaigns has told to be contacted, told again from its rows: the very facts that were told of them last."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from deploy.local.retelling import SELECTIONS
from services.campaigns.domain.campaign import closed
from shared.mongo import Database
from shared.settings import PlatformSettings
from tests.campaigns.facts import ban
from tests.campaigns.handlers.test_handing import CONTROL, EVENING, MORNING, TREATMENT, Night
from tests.campaigns.handlers.test_launching import Died
from tests.links import link

pytestmark = pytest.mark.integration


@pytest.fixture
async def night(settings: PlatformSettings, database: Database) -> Night:
    return Night(settings, database)


async def standing(night: Night, erased: str | None = None) -> dict[str, Any]:
    """By customer, what was told last of those who are to be contacted by it."""
    last = {fact["customer_id"]: fact for fact in await night.selected()}
    return {one: fact for one, fact in last.items() if fact["arm"] == "treatment" and one != erased}


async def told_again(night: Night) -> dict[str, Any]:
    pieces = [piece async for piece in SELECTIONS.read(lambda _: night.database)]
    return {one.customer: orjson.loads(one.data) | {"key": one.customer.encode()} for piece in pieces for one in piece}


async def test_what_is_told_again_is_what_was_told_last_whatever_became_of_them(night: Night) -> None:
    campaign = await night.set()
    assert await told_again(night) == {}
    campaign = await night.launched(campaign)
    assert await told_again(night) == await standing(night) == {}
    held, freed, erased, barred, again = TREATMENT[:5]
    await night.agreed(barred, do_not_contact=[ban("mail", EVENING)])
    await night.hear(link(held, CONTROL[0], 1), link(freed, CONTROL[1], 1))
    await night.wake()
    assert await told_again(night) == await standing(night)
    await night.hear(link(freed, CONTROL[1], 2), link(again, CONTROL[2], 1))
    assert (await told_again(night)).keys() == set(TREATMENT) - {held, barred, again}
    assert await told_again(night) == await standing(night)
    night.hand.at = EVENING + timedelta(days=1)
    await night.hear(link(again, CONTROL[2], 2))
    assert await told_again(night) == await standing(night)
    await night.wake(MORNING + timedelta(days=1))
    await night.erase(erased)
    await night.campaigns.close(closed(campaign, night.hand.at))
    assert (await told_again(night)).keys() == set(TREATMENT) - {held, barred, erased}
    assert await told_again(night) == await standing(night, erased)


@pytest.mark.parametrize("step", [3, 6, 7, 9, 11])
async def test_of_a_launch_that_died_those_are_told_again_who_were_told(night: Night, step: int) -> None:
    await night.launching().begin(await night.set(quiet_hours=None), None)
    with pytest.raises(Died):
        await night.launching(step, committed=True).carry_on_all(60)
    assert await told_again(night) == await standing(night)
    await night.launching().carry_on_all(60)
    assert await told_again(night) == await standing(night)
    assert len(await told_again(night)) == len(TREATMENT)
