"""State that was lost or spoilt comes back from what the others keep as it was, and nobody's state is touched while they work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import AsyncMongoClient

from deploy.local.drained import NotDrained
from deploy.local.hearing import reader
from deploy.local.rebuilding import Done, forget, rebuild
from services.campaigns.store.campaign_documents import document
from services.campaigns.store.campaigns import REBUILDING
from services.contacts.domain.erasure import Erasure, PlaceState, Traces, begun
from services.contacts.domain.places import Place
from services.contacts.domain.survivorship import Known
from services.contacts.store.erasing import ErasureStore
from services.contacts.store.rows import contact_row
from services.interactions.domain import Entry
from services.interactions.store.documents import to_document
from services.scoring.store.restrictions import MongoRestrictions
from shared.contracts.campaigns import CAMPAIGNS
from shared.contracts.contacts import Contact
from shared.contracts.interactions import SALES
from shared.contracts.scoring import SCORES
from shared.ids import uuid7
from shared.settings import PlatformSettings
from tests.campaigns.test_campaign import DRAFT
from tests.links import START, link
from tests.scoring.events import customer
from tests.scoring.orders import synthetic_base
from tests.scoring.service import Scoring, orders
from tests.waiting import eventually

pytestmark = pytest.mark.integration
BASE, _ = synthetic_base(60, 300, seed=5)


@pytest.fixture
async def database(settings: PlatformSettings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """Of scoring, which finds its servers in the environment."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP", settings.kafka_bootstrap)
    monkeypatch.setenv("MONGO_URL", settings.mongo_url)
    monkeypatch.setenv("RAPPORT_NAMESPACE", settings.namespace)
    monkeypatch.setenv("RAPPORT_CLOCK", "stream")
    async with AsyncMongoClient[dict[str, Any]](settings.mongo_url) as client:
        yield client[f"{settings.namespace}rapport_scoring"]


async def told(settings: PlatformSettings, merged: dict[str, str] | None = None) -> int:
    """Orders in the history and merges in contacts, all long gone from the log; how many facts were told of them."""
    lines = [to_document(Entry(fact, fact.order_id, fact.order_id)) for fact in orders(BASE)]
    contacts = [contact_row(known(one, survivor)) for one, survivor in (merged or {}).items()]
    async with AsyncMongoClient[dict[str, Any]](settings.mongo_url) as client:
        await client[f"{settings.namespace}rapport_interactions"]["history"].insert_many(lines)
        if contacts:
            await client[f"{settings.namespace}rapport_contacts"]["contacts"].insert_many(contacts)
    return len(lines) + 2 * len(contacts)


def known(absorbed: str, survivor: str) -> Known:
    fact = link(absorbed, survivor, 1)
    said = {"party": "person", "stage": "customer", "identifiers": [], "registered_at": START, "changed_at": START}
    contact = Contact.model_validate({"customer_id": absorbed, "version": 1, **said})
    place = Place(turn=1, merge_id=fact.merge_id, into=survivor, since=START, root=survivor)
    return Known(contact, {}, frozenset(), place)


async def state(database: Any) -> dict[str, Any]:
    return {document["_id"]: document["days"] async for document in database["customers"].find({}, {"days": 1})}


async def test_of_two_rebuilds_at_once_one_is_carried_out_and_the_other_changes_nothing(
    settings: PlatformSettings, topics: dict[str, int], database: Any
) -> None:
    """As a job does that is started again while its first run is only out of sight."""
    count = await told(settings)
    ends = await asyncio.gather(
        *(rebuild("scoring", settings, lambda _: None) for _ in range(2)), return_exceptions=True
    )
    assert [end for end in ends if not isinstance(end, NotDrained)] == [count]
    alone = await state(database)
    assert await rebuild("scoring", settings, lambda _: None) == count
    assert await state(database) == alone


async def test_a_state_that_was_spoilt_is_made_anew(
    settings: PlatformSettings, topics: dict[str, int], database: Any
) -> None:
    count, heard = await told(settings), list[Done]()
    assert await rebuild("scoring", settings, heard.append) == count
    before = await state(database)
    assert before == {document: purchases.pack() for document, purchases in zip(sorted(before), BASE, strict=True)}

    await database["customers"].delete_one({"_id": min(before)})
    await database["customers"].update_one({"_id": max(before)}, {"$set": {"days": b""}})
    await database["customers"].insert_one({"_id": "nobody"})
    assert await rebuild("scoring", settings, heard.append) == count
    assert await state(database) == before
    assert (heard[-1].records, heard[-1].of, heard[-1].untold) == (count, count, 0)


async def test_customers_who_are_one_are_so_again(
    settings: PlatformSettings, topics: dict[str, int], database: Any
) -> None:
    first, second, third, fourth = (customer(number) for number in range(4))
    count, heard = await told(settings, {second: first, third: second}), list[Done]()
    await database["links"].insert_one({"_id": fourth, "into": first, "turn": 1})  # undone since, as contacts knows
    assert await rebuild("scoring", settings, heard.append) == count
    before = await state(database)
    one = BASE[0].plus(BASE[1]).plus(BASE[2]).pack()
    assert [before[who] for who in (first, second, third, fourth)] == [one, b"", b"", BASE[3].pack()]
    await database["customers"].update_one({"_id": first}, {"$set": {"days": b""}, "$unset": {"bond": ""}})
    assert await rebuild("scoring", settings, heard.append) == count
    assert await state(database) == before


async def test_whoever_is_restricted_is_told_of_by_no_rebuild(
    settings: PlatformSettings, topics: dict[str, int], database: Any
) -> None:
    """Where all was lost, too: contacts knows who they are."""
    restrictions = database.client[f"{settings.namespace}rapport_contacts"]["restrictions"]
    hidden, one_with_them, there = (customer(number) for number in range(3))
    await restrictions.insert_one({"_id": hidden, "since": START, "reason": "objected", "taken_by": "/keys/desk"})
    await database["restricted"].insert_one({"_id": there})  # lifted since, as contacts knows
    # Of what is forgotten now.
    await MongoRestrictions(database).put_down_all_hidden()
    count = await told(settings, {one_with_them: hidden})
    for _ in range(2):
        assert await rebuild("scoring", settings, lambda _: None) == count
        scored = await state(database)
        assert [scored[who] for who in (hidden, one_with_them, there)] == [b"", b"", BASE[2].pack()]
        bonds = {one["_id"]: one["bond"] async for one in database["customers"].find({"bond": {"$exists": True}})}
        assert [bonds[who]["days"] for who in (hidden, one_with_them)] == [BASE[0].pack(), BASE[1].pack()]
        assert await database["restricted"].distinct("_id") == [hidden]
        await database.client.drop_database(database)
    keys = {record.key.decode() for record in await Scoring([], settings, topics).log(SCORES.name)}
    assert keys == {customer(number) for number in range(2, len(BASE))}


async def test_a_rebuild_of_campaigns_has_them_as_one_and_contacts_nobody_who_is_held_out(
    settings: PlatformSettings, topics: dict[str, int], database: Any
) -> None:
    campaigns = database.client[f"{settings.namespace}rapport_campaigns"]
    people = [customer(number) for number in range(4)]
    over = {"state": "launched", "launched_at": START, "respond_until": datetime(2100, 1, 1, tzinfo=UTC)}
    await campaigns["campaigns"].insert_one(document(DRAFT.model_copy(update=over)) | {"drawn_in": 1})
    rows = [{"_id": f"{DRAFT.campaign_id}:1:{one}", "customer_id": one, "arm": "treatment"} for one in people]
    rows[3]["arm"] = "control"
    held: list[dict[str, Any]] = [row | {"held_out_with": people[3]} for row in rows[:3]] + rows[3:]
    # One more waits, and their time comes while nothing is known of anybody.
    waits = {"kept_back": {"campaign": DRAFT.campaign_id, "due": START.replace(tzinfo=None)}}
    held.append(
        {"_id": f"{DRAFT.campaign_id}:1:{customer(4)}", "customer_id": customer(4), "arm": "treatment", **waits}
    )
    await campaigns["selections"].insert_many(held)
    count = await told(settings, {people[1]: people[0], people[2]: people[0], people[3]: people[0]})
    assert await rebuild("campaigns", settings, lambda _: None) == count
    profiles = {one["_id"]: one async for one in campaigns["profiles"].find()}
    assert profiles[people[0]]["members"] == people[1:]
    assert [profiles[one]["merged_into"] for one in people[1:]] == [people[0]] * 3
    assert profiles[people[0]]["sales"]["orders"] == sum(day.orders for one in BASE[:4] for day in one.days)
    assert await campaigns["selections"].find().to_list(None) == held
    partitions = [TopicPartition(topic, n) for topic, size in topics.items() for n in range(size)]
    async with reader(settings.kafka_bootstrap, f"{settings.namespace}looks") as consumer:
        ends = await consumer.end_offsets([one for one in partitions if one.topic.endswith(CAMPAIGNS.name)])
    assert set(ends.values()) == {0}
    assert await campaigns["moved"].find_one({"_id": REBUILDING}) is None


async def test_a_rebuild_of_campaigns_hears_of_erasures_that_it_has_not_heard_of(
    settings: PlatformSettings, topics: dict[str, int], database: Any
) -> None:
    contacts, campaigns = (database.client[f"{settings.namespace}rapport_{name}"] for name in ("contacts", "campaigns"))
    gone, there = customer(0), customer(1)
    asked = Erasure(uuid7(START), (gone,), "objection", "customer", None, "/keys/desk", START, START)
    await ErasureStore(contacts).begin(begun(asked), Traces(frozenset(), frozenset()), None)
    done = replace(asked, erasure_id=uuid7(START), customers=(there,), places=(PlaceState("log", START, START),))
    await ErasureStore(contacts).begin(done, Traces(frozenset(), frozenset()), None)
    count = await told(settings) + 1
    for _ in range(2):
        assert await rebuild("campaigns", settings, lambda _: None) == count
    assert await campaigns["profiles"].find_one({"_id": there})
    assert await campaigns["profiles"].find_one({"_id": gone}) is None
    assert [row["customers"] async for row in campaigns["erasing"].find()] == [[gone]]


async def test_a_rebuild_of_sync_hears_from_contacts_which_channels_have_still_to_erase_somebody(
    settings: PlatformSettings, topics: dict[str, int], database: Any
) -> None:
    contacts, sync = (database.client[f"{settings.namespace}rapport_{name}"] for name in ("contacts", "sync"))
    gone = customer(0)
    asked = Erasure(uuid7(START), (gone,), "objection", "customer", None, "/keys/desk", START, START)
    places = (PlaceState("channel:e-shop", START), PlaceState("channel:desk", START, START))
    await ErasureStore(contacts).begin(replace(asked, places=places), Traces(frozenset(), frozenset()), None)
    count = await told(settings) + 1
    assert await rebuild("sync", settings, lambda _: None) == count
    [debt] = [row async for row in sync["channel_erasures"].find()]
    assert (debt["channel"], debt["customers"], debt["done_at"]) == ("e-shop", [gone], None)
    views = {row["_id"]: row.get("erased") async for row in sync["views"].find()}
    assert views == {customer(number): None for number in range(1, len(BASE))} | {gone: asked.erasure_id}
    assert await sync["rebuilding"].find_one() is None


async def test_a_service_runs_also_where_its_database_knows_nothing_of_it(
    settings: PlatformSettings, topics: dict[str, int], database: Any
) -> None:
    running = AIOKafkaConsumer(
        settings.namespace + SALES.name,
        bootstrap_servers=settings.kafka_bootstrap,
        group_id=f"{settings.namespace}sync",
    )
    async with running:
        await eventually(lambda: joined(running), within=60)
        with pytest.raises(NotDrained, match="its service runs"):
            await rebuild("sync", settings, lambda _: None)
    assert await database.client[f"{settings.namespace}rapport_sync"]["rebuilding"].find_one() is None


async def test_who_has_put_positions_back_is_gone_at_once(
    settings: PlatformSettings, topics: dict[str, int], database: Any
) -> None:
    """Three of four waited five minutes for the client's next look at the cluster."""
    partitions = [TopicPartition(topic, number) for topic, count in topics.items() for number in range(count)]
    async with asyncio.timeout(60):
        for attempt in range(8):
            async with reader(settings.kafka_bootstrap, f"{settings.namespace}{attempt}") as consumer:
                await forget(database, "nobody", (), consumer, dict.fromkeys(partitions, 0))
            async with reader(settings.kafka_bootstrap, f"{settings.namespace}{attempt}") as consumer:
                assert {await consumer.committed(one) for one in partitions} == {0}


async def test_a_service_that_runs_is_left_alone(
    settings: PlatformSettings, topics: dict[str, int], database: Any
) -> None:
    await told(settings)
    await rebuild("scoring", settings, lambda _: None)
    before = await state(database)
    running = AIOKafkaConsumer(
        settings.namespace + SALES.name,
        bootstrap_servers=settings.kafka_bootstrap,
        group_id=f"{settings.namespace}scoring",
    )
    async with running:
        await eventually(lambda: joined(running), within=60)
        with pytest.raises(NotDrained, match="its service runs"):
            await rebuild("scoring", settings, lambda _: None)
    assert await state(database) == before


async def joined(consumer: AIOKafkaConsumer) -> bool:
    return bool(consumer.assignment())
