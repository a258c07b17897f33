"""Bars that begin or end while nobody says anything are told at that moment, once: on real servers."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson
import pytest

from services.contacts.domain.access import EVERYBODY
from services.contacts.domain.changes import Author
from services.contacts.domain.expiry import BEGINS, CONTACTS
from services.contacts.domain.merging import Merge
from services.contacts.domain.survivorship import Known, newcomer
from services.contacts.handlers import Changes, Decision, Merging, expiring
from services.contacts.handlers.barring import Barring, CustomerBar
from services.contacts.store import MongoStore
from shared.contracts.contacts import DoNotContact
from shared.ids import uuid7
from shared.messaging import Unit
from shared.mongo import Database
from shared.plumbing import Plumbing
from tests.contacts.test_api import ask, client, register
from tests.contacts.test_consents import Late, an_expiring, plumbing
from tests.contacts.test_handlers import NOW
from tests.waiting import eventually

__all__ = ["client", "plumbing"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession


def bar(since: float = 0, until: float | None = None, channel: str = "email") -> DoNotContact:
    """By the day."""
    end = None if until is None else NOW + timedelta(days=until)
    return DoNotContact(channel=channel, reason="asked", since=NOW + timedelta(days=since), until=end, source="/keys/1")


async def barred(database: Database, *bars: DoNotContact) -> str:
    """A customer who was told of with these."""
    customer = uuid7(NOW)
    contact = newcomer(customer, NOW).contact.model_copy(update={"do_not_contact": list(bars)})
    await MongoStore(database).save(Changes([Known(contact, {})]), None, NOW)
    return customer


async def told(database: Database) -> list[dict[str, Any]]:
    """All facts that leave, in order."""
    rows = await database["outbox"].find().sort("_id", 1).to_list()
    return [orjson.loads(value) for row in rows for _, _, value, *_ in row["events"]]


async def shown(database: Database, customer: str) -> tuple[int, list[str]]:
    contact = await MongoStore(database).contact(customer)
    assert contact is not None
    return contact.version, [one.channel for one in contact.do_not_contact]


async def history(database: Database, customer: str) -> list[tuple[int, Any, Any]]:
    rows = await database["changes"].find({"customer_id": customer}).sort("_id", 1).to_list()
    return [(row["version"], row.get("source"), row.get("reason")) for row in rows]


async def test_what_begins_and_what_ends_is_told_in_pieces_by_whoever_is_at_it_and_never_twice(
    plumbing: Plumbing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiring, "PIECE", 2)
    database = plumbing.database
    begin = [await barred(database, bar(since=n + 1)) for n in range(3)]
    end = [await barred(database, bar(until=n + 1), bar(channel="phone")) for n in range(3)]
    neither = await barred(database, bar(since=-1), bar(since=50, until=90, channel="phone"))
    await asyncio.gather(an_expiring(plumbing).work(), an_expiring(plumbing, "two").work())
    await an_expiring(plumbing).work()
    for customer in begin:
        assert await shown(database, customer) == (2, ["email"])
        assert await history(database, customer) == [(2, CONTACTS, BEGINS)]
    for customer in end:
        assert await shown(database, customer) == (2, ["phone"])
        assert await history(database, customer) == [(2, CONTACTS, None)]
    assert await shown(database, neither) == (1, ["email", "phone"])
    facts = await told(database)
    assert sorted(fact["contact"]["customer_id"] for fact in facts) == sorted(begin + end)
    assert {(fact["contact"]["version"], *fact["changed"]) for fact in facts} == {(2, "do_not_contact")}


async def test_an_instance_that_dies_over_it_leaves_nothing_half_told(
    plumbing: Plumbing, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await barred(plumbing.database, bar(since=1), bar(until=1, channel="phone"))
    dying = an_expiring(plumbing)
    save = dying.store.save

    async def die(*args: Any) -> None:
        await save(*args)
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patched:
        patched.setattr(dying.store, "save", die)
        with pytest.raises(RuntimeError):
            await dying.work()
    assert await shown(plumbing.database, customer) == (1, ["email", "phone"])
    assert await told(plumbing.database) == []
    await an_expiring(plumbing).work()
    # That one is over is a version, and tells with it that the other has begun.
    assert await shown(plumbing.database, customer) == (2, ["email"])
    assert len(await told(plumbing.database)) == 1


async def test_what_is_lifted_or_prolonged_while_it_turns_is_judged_as_it_stands(plumbing: Plumbing) -> None:
    database, store = plumbing.database, MongoStore(plumbing.database)
    lifted, prolonged = await barred(database, bar(since=1)), await barred(database, bar(until=1))
    late = an_expiring(plumbing)
    due = await late.turns.due(await Late().now(), 10)
    assert sorted(due) == sorted([lifted, prolonged])
    barring, by = Barring(store, Late()), Author("/keys/1")

    async def change(unit: Unit) -> None:
        await barring.free(unit, lifted, "email", by, EVERYBODY)
        longer = CustomerBar("email", "asked", "/keys/1", until=NOW + timedelta(days=99))
        await barring.bar(unit, prolonged, longer, by, EVERYBODY)

    await plumbing.messaging.transact(change)
    assert await plumbing.messaging.transact(lambda unit: late._piece(due, unit)) == 0
    assert await shown(database, lifted) == (2, [])
    assert await shown(database, prolonged) == (2, ["email"])


async def test_of_those_who_are_one_the_survivor_tells_that_it_begins_and_that_it_ends(plumbing: Plumbing) -> None:
    database, store = plumbing.database, MongoStore(plumbing.database)
    survivor, absorbed = (
        await barred(database),
        await barred(database, bar(since=1, until=90), bar(until=1, channel="phone")),
    )

    class Then(Late):
        async def now(self, session: Any = None) -> datetime:
            return NOW

    async def merge(unit: Unit) -> Merge:
        return await Merging(store, Then()).merge(unit, survivor, absorbed, Decision("/keys/me"))

    await plumbing.messaging.transact(merge)
    assert await shown(database, survivor) == (2, ["email", "phone"])
    before = len(await told(database))
    await an_expiring(plumbing).work()
    await an_expiring(plumbing).work()
    facts = (await told(database))[before:]
    assert {fact["contact"]["customer_id"] for fact in facts} == {survivor}
    assert facts[-1]["contact"]["version"] == (await shown(database, survivor))[0]
    assert (await shown(database, survivor))[1] == ["email"]
    row = await database["contacts"].find_one({"_id": survivor})
    assert row is not None
    assert "lapses" not in row, "the end is the absorbed one's to tell"
    row = await database["contacts"].find_one({"_id": absorbed})
    assert row is not None
    assert row["lapses"] == NOW + timedelta(days=90)


async def test_contacts_of_a_time_when_bars_ended_unheard_are_caught_up_with(plumbing: Plumbing) -> None:
    database = plumbing.database
    over, running = await barred(database, bar(until=1)), await barred(database, bar(until=90))
    await database["contacts"].update_one({"_id": over}, {"$unset": {"lapses": ""}})
    await database["contacts"].update_one({"_id": running}, {"$set": {"lapses": NOW + timedelta(days=99)}})
    late = an_expiring(plumbing)
    await late.work()
    assert await shown(database, over) == (1, ["email"])
    await late.catch_up()
    assert await late.turns.unknown(10) == []
    await late.work()
    assert await shown(database, over) == (2, [])
    assert await shown(database, running) == (1, ["email"])


async def test_a_bar_is_said_ahead_over_http_and_told_when_it_begins_and_when_it_is_over(client: Client) -> None:
    path = f"/v1/contacts/{(await register(client))['customer_id']}"
    ahead = datetime.now(UTC) + timedelta(seconds=1)
    wish = {"reason": "holidays", "since": ahead.isoformat(), "until": (ahead + timedelta(seconds=4)).isoformat()}
    status, said, _ = await ask(client, "PUT", f"{path}/do-not-contact/phone", wish)
    assert (status, said["version"], len(said["do_not_contact"])) == (200, 2, 1)

    async def over() -> bool:
        return "do_not_contact" not in (await ask(client, "GET", path))[1]

    await eventually(over)
    changes = (await ask(client, "GET", f"{path}/changes"))[1]["items"]
    assert [one["reason"] for one in changes[:-2] if one["reason"]] in ([], [BEGINS]), "one look may see both"
    assert [one["field"] for one in changes[0]["fields"]] == ["do_not_contact"]
    for wrong in ({"since": "2999-01-01T00:00:00Z", "until": "2998-01-01T00:00:00Z"}, {"since": "tomorrow"}):
        assert (await ask(client, "PUT", f"{path}/do-not-contact/phone", {"reason": "asked"} | wrong))[0] == 422
    years = {"reason": "asked", "since": "2999-01-01T00:00:00Z"}
    assert (await ask(client, "PUT", f"{path}/do-not-contact/phone", years))[1]["do_not_contact"][0]["since"][
        :4
    ] == "2999"
    assert (await ask(client, "GET", path))[1]["do_not_contact"][0]["since"] == years["since"]
