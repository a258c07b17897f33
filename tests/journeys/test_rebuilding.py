"""Sync loses what it knows, and the log has forgotten it: it comes back from what the others keep, and no channel sees anything older."""

from collections.abc import Awaitable, Mapping
from contextlib import suppress
from typing import Any

import orjson
import pytest
from pymongo import AsyncMongoClient

from deploy.local import drained
from deploy.local.rebuilding import Done, rebuild
from services.sync.store.rebuilding import HalfMade
from shared.contracts.sync import CUSTOMERS
from shared.messaging.ages import Log
from shared.settings import PlatformSettings
from tests.journeys import traces
from tests.journeys.conftest import Company
from tests.journeys.somebody import CARD, WHY, done_but_for, listened_to, met
from tests.journeys.test_returns import cancelled, returned, sale
from tests.sync.receiver import Receiver
from tests.waiting import eventually

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]
Said = dict[str, list[dict[str, Any] | None]]
"""By customer, views in order; None: a tombstone."""


class BrokenOff(Exception):
    """Somebody has stopped the rebuild."""


async def lives(company: Company, receiver: Receiver) -> dict[str, str]:
    """All that can become of customers, who are known by what has."""
    who = {"plain": await met(company, receiver)}
    cards = {"survivor": 1, "absorbed": 2, "parted": 3, "alone again": 4, "hidden": 5, "erased": 6, "forgotten": 7}
    cards |= {f"buyer {number}": number for number in range(8, 28)}
    await company.tell(*(sale(f"S-{number}", f"{number}.50", card=f"LC-{number}") for number in cards.values()))
    await company.tell(sale("S-30", "2.00", card="LC-8"), returned("S-8", "1.25", card="LC-8"))
    await company.tell(sale("S-31", "4.00", card="LC-9"), cancelled("S-31", card="stranger"))
    await company.recorded(orders=len(cards) + 2, cancelled=1, returns=1)
    listed = (await company.get("interactions", "/v1/orders", limit=100))["items"]
    by_order = {order["number"]: order["customer_id"] for order in listed}
    who |= {name: by_order[f"S-{number}"] for name, number in cards.items()}
    await company.agrees()
    await company.post("contacts", f"/v1/contacts/{who['survivor']}/merges", {"absorbed": who["absorbed"]})
    merge = await company.post("contacts", f"/v1/contacts/{who['parted']}/merges", {"absorbed": who["alone again"]})
    await company.post("contacts", f"/v1/merges/{merge['merge_id']}/undo", {"reason": "two people"})
    path = f"/v1/contacts/{who['hidden']}/restriction"
    async with company.services["contacts"].put(path, json={"reason": "accuracy-contested"}) as answer:
        assert answer.status == 200
    erasure = await company.post("contacts", f"/v1/contacts/{who['erased']}/erasure", WHY)
    await done_but_for(company, erasure, "log")
    return who


async def campaigned(company: Company, name: str) -> None:
    """Half of the buyers are held out, and one to be contacted is found to be one of them."""
    draft = {"campaign_id": name, "name": name.title(), "channel": "mail", "message": "Hello", "control_share": 0.5}
    rule = {"segment": {"field": "sales.orders", "at_least": 1}, "response_days": 30}
    async with company.services["campaigns"].post("/v1/campaigns", json=draft | rule) as answer:
        assert answer.status == 201, await answer.text()
    await company.post("campaigns", f"/v1/campaigns/{name}/launch", {})

    async def launched() -> bool:
        return bool((await company.get("campaigns", f"/v1/campaigns/{name}"))["state"] == "launched")

    await eventually(launched)


async def held_out(company: Company, who: Mapping[str, str], name: str) -> None:
    """One of the campaign's customers is found to be somebody who is held out."""
    buyers = {customer for called, customer in who.items() if called.startswith("buyer")}
    arms = {}
    for arm in ("treatment", "control"):
        drawn = (await company.get("campaigns", f"/v1/campaigns/{name}/customers", arm=arm))["items"]
        arms[arm] = next(one["customer_id"] for one in drawn if one["customer_id"] in buyers)
    await company.post("contacts", f"/v1/contacts/{arms['treatment']}/merges", {"absorbed": arms["control"]})


async def rested(company: Company) -> None:
    """Everything has had its effect everywhere."""
    await eventually(lambda: nothing(drained.unfinished(*servers(company), stopped=False)), within=60)


async def all_told(company: Company) -> None:
    """Whoever runs has told everything; sync, which does not, has not heard all of it."""

    async def look() -> bool:
        found = await drained.unfinished(*servers(company), stopped=False)
        return not [line for line in found if "outbox" in line]

    await eventually(look)


async def closed(company: Company) -> None:
    """Nobody runs, as far as the broker knows: it waits a while for whoever has a lasting name."""
    await company.close()
    await eventually(lambda: nothing(drained.untold_or_running(*servers(company))), within=120)


async def nothing(found: Awaitable[list[str]]) -> bool:
    lines = await found
    assert not lines, lines
    return True


def servers(company: Company) -> tuple[str, str, str]:
    settings = company.shop.settings
    return settings.kafka_bootstrap, settings.mongo_url, settings.namespace


def known(view: Mapping[str, Any]) -> dict[str, Any]:
    """A view, but for its version and the time of it."""
    return {name: value for name, value in view.items() if name not in {"version", "changed_at"}}


def unscored(view: Mapping[str, Any]) -> dict[str, Any]:
    """Scores may move with the base as soon as scoring runs again."""
    return known(view) | {"score": None}


def kept(document: Mapping[str, Any]) -> dict[str, Any]:
    """A view as it is stored, and what stands beside it."""
    beside = {name: document.get(name) or None for name in ("identifiers", "members", "merged_into", "restricted")}
    return beside | {"view": known(orjson.loads(document["view"]))}


async def views(database: Any) -> dict[str, dict[str, Any]]:
    return {document["_id"]: kept(document) async for document in database["views"].find({"erased": None})}


async def sums(database: Any) -> tuple[int, int, Any]:
    found = await database["positions"].find().to_list(None)
    total = sum(one["total"].to_decimal() for one in found)
    return sum(one["customers"] for one in found), sum(one["orders"] for one in found), total


async def said(settings: PlatformSettings) -> Said:
    """All that stands on `crm.customers`."""
    found: Said = {}
    async for records in Log(settings).records(CUSTOMERS):
        for record in records:
            view = orjson.loads(record.value)["view"] if record.value else None
            found.setdefault((record.key or b"").decode(), []).append(view)
    return found


async def broken_off_and_done(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the third time it comes to its end: it is broken off while it folds, and while it tells."""
    settings = company.shop.settings
    told = {"KAFKA_BOOTSTRAP": settings.kafka_bootstrap, "MONGO_URL": settings.mongo_url}
    told |= {"REDIS_URL": settings.redis_url, "RAPPORT_NAMESPACE": settings.namespace}
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    def at_once(_: Done) -> None:
        raise BrokenOff

    def when_it_tells(done: Done) -> None:
        if done.untold:
            raise BrokenOff

    with pytest.raises(BrokenOff):
        await rebuild("sync", settings, at_once)
    sync = company._apps["sync"]()
    with pytest.raises(HalfMade):
        async with sync.router.lifespan_context(sync):
            pass
    with suppress(BrokenOff):
        await rebuild("sync", settings, when_it_tells)
    assert await rebuild("sync", settings, lambda _: None) > 0


@pytest.mark.parametrize("lost", ["views", "everything"])
async def test_what_sync_knows_comes_back_once_the_log_has_forgotten(
    company: Company, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    settings = company.shop.settings
    await listened_to(company, receiver)
    who = await lives(company, receiver)
    await campaigned(company, "spring")
    await company.post("campaigns", "/v1/campaigns/spring/close", {})
    await campaigned(company, "summer")
    await held_out(company, who, "summer")
    await rested(company)

    await company.stop("sync")
    erasure = await company.post("contacts", f"/v1/contacts/{who['forgotten']}/erasure", WHY)
    await done_but_for(company, erasure, "sync", "log")
    await all_told(company)
    await closed(company)
    async with AsyncMongoClient[dict[str, Any]](settings.mongo_url) as client:
        database = client[f"{settings.namespace}rapport_sync"]
        before, count = await views(database), await sums(database)
        gone = before.pop(who["forgotten"])
        assert before[who["hidden"]]["restricted"]
        assert before[who["absorbed"]]["merged_into"] == who["survivor"]
        assert any(one["view"]["campaigns"] for one in before.values())
        at_channels = max(body["version"] for body in receiver.bodies)
        receiver.bodies.clear()
        until = await said(settings)
        await traces.records_go(settings)
        if lost == "everything":
            await client.drop_database(database.name)
        else:
            for collection in ("views", "parts", "positions", "links"):
                await database[collection].drop()

        await broken_off_and_done(company, monkeypatch)
        assert await views(database) == before
        orders, total = (gone["view"]["sales"][name] for name in ("orders", "total"))
        assert await sums(database) == (count[0] - 1, count[1] - orders, count[2] - type(count[2])(total))
        assert receiver.bodies == []

    highest = max(view["version"] for views in until.values() for view in views if view)
    newer = {customer: views[len(until[customer]) :] for customer, views in (await said(settings)).items()}
    assert newer.pop(who["forgotten"])[-1] is None
    assert {customer for customer, views in newer.items() if views} == before.keys()
    for customer in before:
        for view in newer[customer]:
            assert view
            assert view["version"] > max(highest, at_channels)
            assert known(view) == before[customer]["view"]

    for name in list(company.services):
        await company.start(name)
    if lost == "everything":
        receiver.secret = None
        await listened_to(company, receiver)
    await company.tell(sale("S-99", "1.00", card=CARD))

    async def delivered() -> bool:
        newest = {body["customer_id"]: body for body in receiver.bodies}
        assert newest.keys() - {who["forgotten"]} == before.keys()
        assert newest[who["plain"]]["customer"]["sales"]["orders"] == 2
        for customer in before.keys() - {who["plain"]}:
            assert newest[customer]["version"] > at_channels
            assert unscored(newest[customer]["customer"]) == unscored(before[customer]["view"])
        return lost == "everything" or newest[who["forgotten"]]["erased"] == erasure["erasure_id"]

    await eventually(delivered, within=60)
    for forgotten in (who["forgotten"], who["erased"]):
        async with company.services["sync"].get(f"/v1/customers/{forgotten}") as answer:
            assert answer.status == 404
    # A channel that may have got them before all was lost is sent the erasure a minute later, if not in its turn.
    await done_but_for(company, erasure, "log", within=150)
