"""Consents with their basis, wording and end, and grants that run out: the whole service on real servers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest

from services.contacts.domain.merging import Merge
from services.contacts.domain.survivorship import Statement, fold, newcomer
from services.contacts.handlers import Changes, Decision, Merging, expiring
from services.contacts.handlers.book import open_book
from services.contacts.handlers.expiring import Expiring
from services.contacts.store import ExpiryStore, MongoStore
from shared.contracts.contacts import CONTACTS, Consent
from shared.ids import uuid7
from shared.messaging import Unit
from shared.mongo import Database
from shared.plumbing import Plumbing
from shared.settings import PlatformSettings
from tests.contacts.test_api import ask, client, register
from tests.contacts.test_handlers import NOW
from tests.waiting import eventually

__all__ = ["client"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession
OVER = "2026-02-01T00:00:00Z"
GRANT = {
    "purpose": "newsletter",
    "channel": "email",
    "status": "granted",
    "given_at": "2026-01-01T00:00:00Z",
    "evidence": "form 7",
    "basis": "consent",
    "wording": "newsletter-2026-01",
}


async def said(client: Client, path: str, *claims: Any) -> Any:
    status, body, _ = await ask(client, "PUT", f"{path}/consents", {"consents": list(claims)})
    assert status == 200, body
    return body


async def statuses(client: Client, path: str, where: str = "consents") -> list[Any]:
    body = (await ask(client, "GET", f"{path}/{where}"))[1]
    return [one["status"] for one in body.get("consents", body.get("items"))]


async def held(client: Client, customer: str, section: str) -> list[Any]:
    """What contacts holds on a customer, of one kind."""
    items: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await ask(client, "GET", f"/v1/customers/{customer}/held?limit=1000{cursor}"))[1]
        items += [one["data"] for one in page["items"] if one["section"] == section]
        cursor = page["next"] and f"&cursor={page['next']}"
    return items


async def test_basis_wording_and_end_are_kept_wherever_a_consent_is(client: Client) -> None:
    customer = (await register(client))["customer_id"]
    path = f"/v1/contacts/{customer}"
    claim = GRANT | {"valid_until": "2999-01-01T00:00:00Z"}
    standing = await said(client, path, claim)
    assert claim.items() <= standing["consents"][0].items()
    assert claim.items() <= (await ask(client, "GET", path))[1]["consents"][0].items()
    assert claim.items() <= (await ask(client, "GET", f"{path}/consents/history"))[1]["items"][0].items()
    [kept] = await held(client, customer, "consents")
    assert (kept["basis"], kept["wording"]) == ("consent", "newsletter-2026-01")
    status, problem, _ = await ask(client, "PUT", f"{path}/consents", {"consents": [claim | {"basis": "because"}]})
    assert (status, problem["errors"][0]["field"]) == (422, "body.consents.0.basis")


async def test_a_grant_runs_out_once_with_its_history_and_can_be_granted_anew(client: Client) -> None:
    customer = (await register(client))["customer_id"]
    path = f"/v1/contacts/{customer}"
    at_once = await said(client, path, GRANT | {"valid_until": OVER})
    assert [one["status"] for one in at_once["consents"]] == ["expired"], "nobody has to be told to know it"

    async def told() -> Any:
        contact = (await ask(client, "GET", path))[1]
        return contact if contact["consents"][0].get("expired") else None

    contact = await eventually(told)
    [consent] = contact["consents"]
    assert (contact["version"], consent["status"], consent["source"]) == (3, "withdrawn", "/contacts")
    assert consent["given_at"] == GRANT["given_at"]
    assert sorted(await statuses(client, path, "consents/history")) == ["expired", "granted"]
    [change, *_] = (await ask(client, "GET", f"{path}/changes"))[1]["items"]
    assert (change["source"], change["version"], [one["field"] for one in change["fields"]]) == (
        "/contacts",
        3,
        ["consents"],
    )
    later = GRANT | {"given_at": "2026-03-01T00:00:00Z"}
    assert [one["status"] for one in (await said(client, path, later))["consents"]] == ["granted"]
    assert (await ask(client, "GET", path))[1]["version"] == 4
    assert sorted(await statuses(client, path, "consents/history")) == ["expired", "granted", "granted"]


@pytest.fixture
async def plumbing(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Plumbing]:
    plumbing = Plumbing("contacts", settings)
    await MongoStore(plumbing.database).prepare()
    await ExpiryStore(plumbing.database).prepare()
    yield plumbing
    await plumbing.database.client.close()


class Late:
    """A clock by which all that was granted for a while has run out."""

    async def now(self, session: Any = None) -> datetime:
        return NOW + timedelta(days=40)

    async def witness(self, unit: Any, events: Any) -> None:
        """It is late whatever comes."""


def grant(hours: float, until: float | None = None, status: Any = "granted") -> Consent:
    end = None if until is None else NOW + timedelta(hours=until)
    return Consent(
        purpose="ads",
        channel="email",
        status=status,
        given_at=NOW + timedelta(hours=hours),
        source="s",
        valid_until=end,
    )


def an_expiring(plumbing: Plumbing, owner: str = "one") -> Expiring:
    database = plumbing.database
    return Expiring(
        ExpiryStore(database), MongoStore(database), Late(), plumbing.messaging.transact, owner, country=None
    )


async def granted(database: Database, *consents: Consent) -> str:
    customer = uuid7(NOW)
    known = fold(newcomer(customer, NOW), Statement("s", NOW, consents=list(consents)))
    await MongoStore(database).save(Changes([known], consents=[(customer, one) for one in consents]), None, NOW)
    return customer


async def outcome(database: Database, customer: str) -> tuple[int, list[str], int]:
    contact = await MongoStore(database).contact(customer)
    assert contact is not None
    told = await database["outbox"].count_documents({})
    return contact.version, ["expired" if one.expired else one.status for one in contact.consents], told


async def test_a_contact_that_is_larger_than_can_be_told_stops_none_of_the_others(plumbing: Plumbing) -> None:
    ends = [grant(0, until=n + 1) for n in range(7)]
    ends[3] = ends[3].model_copy(update={"evidence": "x" * CONTACTS.max_message_bytes})
    customers = [await granted(plumbing.database, one) for one in ends]
    one = an_expiring(plumbing)
    for _ in range(2):
        await one.work()
    for place, customer in enumerate(customers):
        version, standing, told = await outcome(plumbing.database, customer)
        assert (version, standing) == ((1, ["granted"]) if place == 3 else (2, ["expired"]))
    assert told == 3, "a transaction for each piece of it that can be told: of three, of one, of two"


async def test_all_that_have_run_out_are_told_in_pieces_and_never_twice(
    plumbing: Plumbing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiring, "PIECE", 2)
    customers = [await granted(plumbing.database, grant(0, until=n + 1)) for n in range(5)]
    for_good = await granted(plumbing.database, grant(0))
    await asyncio.gather(an_expiring(plumbing).work(), an_expiring(plumbing, "two").work())
    await an_expiring(plumbing).work()
    for customer in customers:
        version, consents, _ = await outcome(plumbing.database, customer)
        assert (version, consents) == (2, ["expired"])
    assert (await outcome(plumbing.database, for_good))[:2] == (1, ["granted"])
    assert await plumbing.database["consents"].count_documents({"expired": True}) == 5
    assert await plumbing.database["changes"].count_documents({}) == 5


async def test_an_instance_that_dies_over_it_leaves_nothing_half_told(
    plumbing: Plumbing, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await granted(plumbing.database, grant(0, until=1))
    dying = an_expiring(plumbing)
    save = dying.store.save

    async def die(*args: Any) -> None:
        await save(*args)
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patched:
        patched.setattr(dying.store, "save", die)
        with pytest.raises(RuntimeError):
            await dying.work()
    assert await outcome(plumbing.database, customer) == (1, ["granted"], 0)
    await an_expiring(plumbing).work()
    assert (await outcome(plumbing.database, customer))[:2] == (2, ["expired"])


async def test_a_new_grant_that_comes_while_the_old_one_runs_out_stands(plumbing: Plumbing) -> None:
    customer = await granted(plumbing.database, grant(0, until=1))
    store = MongoStore(plumbing.database)
    found, heard = asyncio.Event(), asyncio.Event()

    class Slow(ExpiryStore):
        async def due(self, now: datetime, limit: int, besides: Any = ()) -> Any:
            customers = await super().due(now, limit, besides)
            found.set()
            await heard.wait()
            return customers

    async def answer(unit: Unit) -> None:
        book = await open_book(store, unit, {customer}, NOW)
        book.hear(customer, [Statement("s", NOW, consents=[grant(5)])])
        await book.save(store)

    late = an_expiring(plumbing)
    late.turns = Slow(plumbing.database)
    working = asyncio.create_task(late.work())
    await found.wait()
    await plumbing.messaging.transact(answer)
    heard.set()
    await working
    assert (await outcome(plumbing.database, customer))[:2] == (2, ["granted"])
    assert await plumbing.database["consents"].count_documents({"expired": True}) == 0


async def test_of_those_who_are_one_the_part_that_granted_is_told_and_all_of_them_know(plumbing: Plumbing) -> None:
    store = MongoStore(plumbing.database)
    survivor, absorbed = await granted(plumbing.database), await granted(plumbing.database, grant(0, until=1))

    async def merge(unit: Unit) -> Merge:
        return await Merging(store, Late()).merge(unit, survivor, absorbed, Decision("/keys/me"))

    await plumbing.messaging.transact(merge)
    await an_expiring(plumbing).work()
    assert (await outcome(plumbing.database, survivor))[1] == ["expired"]
    parts = await store.load([survivor, absorbed], None)
    assert parts[survivor].contact.consents == []
    assert [one.expired for one in parts[absorbed].contact.consents] == [True]
