"""Lists of those who are not to be contacted that begin later: told when they begin, once, of contacts there are and of those to come."""

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from services.contacts.domain.barring import OverAlready
from services.contacts.domain.changes import Author
from services.contacts.domain.expiry import BEGINS, CONTACTS
from services.contacts.domain.survivorship import Known, newcomer
from services.contacts.handlers import Changes
from services.contacts.handlers.barring import Bar, Listing, Size
from services.contacts.handlers.book import open_book
from services.contacts.handlers.book.book import LISTED
from services.contacts.handlers.expiring import Expiring
from services.contacts.store import ExpiryStore, MongoStore
from shared.ids import uuid7
from shared.messaging import Unit
from shared.mongo import Database
from shared.plumbing import Plumbing
from tests.contacts.test_api import ask, client, register
from tests.contacts.test_bars_in_time import history, told
from tests.contacts.test_consents import plumbing
from tests.contacts.test_handlers import NOW
from tests.waiting import eventually

__all__ = ["client", "plumbing"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession
ANN = "email:ann@b.de"


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.days = 0.0

    async def now(self, session: Any = None) -> datetime:
        return day(self.days)

    async def witness(self, unit: Any, events: Any) -> None:
        """It shows what it shows whatever comes."""


def day(number: float) -> datetime:
    return NOW + timedelta(days=number)


class Office:
    """Lists, and the job that tells what begins, by one clock."""

    def __init__(self, plumbing: Plumbing) -> None:
        self.database: Database = plumbing.database
        self.transact = plumbing.messaging.transact
        self.store, self.clock = MongoStore(plumbing.database), Hand()
        work = self.store, self.clock, self.transact, "one", None
        self.listing = Listing(self.store.lists, *work)
        self.expiring = Expiring(ExpiryStore(plumbing.database), *work)

    async def put(self, since: float | None = None, until: float | None = None, address: str = ANN) -> None:
        begins, ends = (None if one is None else day(one) for one in (since, until))
        await self.listing.put(Bar("robinson", "robinson-list", since=begins, until=ends), [address])

    async def on(self, number: float) -> None:
        """What the jobs do on this day."""
        self.clock.days = number
        for _ in range(2):
            await self.listing.work()
            await self.expiring.work()

    async def register(self, email: str = "ann@b.de") -> str:
        customer = uuid7(day(self.clock.days))
        contact = newcomer(customer, day(self.clock.days)).contact.model_copy(update={"email": email})

        async def come(unit: Unit) -> None:
            book = await open_book(self.store, unit, {customer}, day(self.clock.days))
            book.take(Known(contact, {}), Author("/keys/1"))
            await book.save(self.store)

        await self.transact(come)
        return customer

    async def begins(self, customer: str) -> list[float]:
        """On which days what bars the customer begins, as others were told last."""
        contacts = [fact["contact"] for fact in await told(self.database)]
        last = [one for one in contacts if one["customer_id"] == customer][-1]
        assert last["version"] == max(one["version"] for one in contacts if one["customer_id"] == customer)
        bars = last.get("do_not_contact", ())
        return [(datetime.fromisoformat(one["since"]) - NOW) / timedelta(days=1) for one in bars]


@pytest.fixture
def office(plumbing: Plumbing) -> Office:
    return Office(plumbing)


async def test_an_entry_in_force_is_never_lifted_by_sending_it_with_a_later_time(office: Office) -> None:
    ann = await office.register()
    await office.put(since=5)
    await office.put(since=7)
    await office.on(1)
    assert await office.begins(ann) == [7], "not begun: it is put off"
    await office.on(8)
    await office.put(since=20)
    await office.on(9)
    assert await office.begins(ann) == [7]
    await office.put(since=2)
    await office.on(10)
    assert await office.begins(ann) == [2]
    with pytest.raises(OverAlready):
        await office.put(since=3, until=9)
    await office.listing.end(Bar("robinson", ""), [ANN])
    await office.put(since=20)
    await office.on(11)
    assert await office.begins(ann) == [20], "it was taken off before"


async def test_a_list_that_begins_later_is_told_ahead_and_once_more_when_it_begins(office: Office) -> None:
    ann = await office.register()
    await office.put(since=10)
    assert await office.listing.sizes() == {"robinson": Size(entries=1, ahead=1, waiting=1)}
    await office.on(1)
    assert await office.begins(ann) == [10]
    twin = await office.register()
    assert await office.begins(twin) == [10], "in the very transaction that registers"
    await office.on(9.9)
    for customer in (ann, twin):
        assert await history(office.database, customer) == [(1, "/keys/1", None), (2, LISTED, None)]
    count = len(await told(office.database))
    await office.on(10.1)
    await office.on(30)
    facts = (await told(office.database))[count:]
    assert sorted(fact["contact"]["customer_id"] for fact in facts) == sorted([ann, twin])
    for customer in (ann, twin):
        assert (await history(office.database, customer))[-1][1:] == (CONTACTS, BEGINS)
    assert await office.listing.sizes() == {"robinson": Size(entries=1, ahead=0, waiting=0)}


async def test_sent_again_it_begins_when_it_was_to_unless_no_time_is_said(office: Office) -> None:
    ann = await office.register()
    await office.put(since=10)
    await office.on(1)
    count = len(await told(office.database))
    await office.put(since=10)
    await office.on(2)
    assert len(await told(office.database)) == count, "nothing is different"
    await office.put(since=20)
    await office.on(11)
    assert await office.begins(ann) == [20], "put off"
    await office.put(until=90)
    await office.on(12)
    assert await office.begins(ann) == [11], "who says no time means now"
    await office.put()
    count = len(await told(office.database))
    await office.on(25)
    assert await office.begins(ann) == [11], "since when it was"
    assert len(await told(office.database)) == count + 1, "for good; the day that it was put off to tells nothing"


async def test_who_is_taken_off_before_it_begins_is_told_of_that_and_of_nothing_more(office: Office) -> None:
    ann = await office.register()
    await office.put(since=10)
    await office.on(1)
    await office.listing.end(Bar("robinson", ""), [ANN])
    await office.on(2)
    assert await office.begins(ann) == []
    count = len(await told(office.database))
    await office.on(11)
    assert len(await told(office.database)) == count
    await office.put()
    await office.on(12)
    assert await office.begins(ann) == [11], "put on it again it holds from now on"


async def test_an_instance_that_dies_over_it_tells_nothing_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await office.register()
    await office.put(since=10)

    async def die(due: Any) -> None:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patched:
        patched.setattr(office.store.lists, "looked", die)
        with pytest.raises(RuntimeError):
            await office.on(1)
    for number in (1.1, 10.1, 10.2):
        await office.on(number)
    assert [entry[2] for entry in await history(office.database, ann)] == [None, None, BEGINS]
    assert await office.begins(ann) == [10]


async def test_entries_for_two_addresses_of_a_contact_leave_free_what_lies_between_them(office: Office) -> None:
    ann = await office.register()
    known = (await office.store.load([ann], None))[ann]
    numbers = known.contact.model_copy(update={"phone": "+493012345678"})
    await office.store.save(Changes([Known(numbers, {})]), None, NOW)
    for address, since, until in ((ANN, 0, 5), ("phone:+493012345678", 10, 15)):
        begins, ends = day(since), day(until)
        await office.listing.put(Bar("robinson", "robinson-list", "any", begins, ends), [address])
    await office.on(1)
    assert await office.begins(ann) == [0, 10]
    await office.on(6)
    assert await office.begins(ann) == [10]
    await office.on(11)
    assert [entry[2] for entry in await history(office.database, ann)].count(BEGINS) == 1
    await office.on(16)
    assert await office.begins(ann) == []


async def test_over_http_a_list_is_said_ahead_asked_about_and_told_when_it_begins(client: Client) -> None:
    ann = (await register(client, {"email": "ann@b.de"}))["customer_id"]
    robinson = {"list": "robinson", "reason": "robinson-list", "addresses": [ANN]}
    ahead = datetime.now(UTC) + timedelta(seconds=3)
    assert (await ask(client, "POST", "/v1/do-not-contact", robinson | {"since": ahead.isoformat()}))[0] == 202
    [listed] = (await ask(client, "GET", "/v1/do-not-contact"))[1]["items"]
    assert (listed["list"], listed["entries"]) == ("robinson", 1)

    async def reasons() -> list[str | None]:
        changes = (await ask(client, "GET", f"/v1/contacts/{ann}/changes"))[1]["items"]
        return [one["reason"] for one in changes]

    async def begun() -> bool:
        return (await reasons())[0] == BEGINS

    await eventually(begun)
    assert (await reasons()).count(BEGINS) == 1
    question = {"purpose": "ads", "channel": "email", "basis": "contract", "customers": [ann]}
    [answer] = (await ask(client, "POST", "/v1/permissions", question))[1]["items"]
    assert (answer["allowed"], answer["reason"]) == (False, "do-not-contact")
    [listed] = (await ask(client, "GET", "/v1/do-not-contact"))[1]["items"]
    assert listed["ahead"] == 0
    for wrong in (
        {"since": "2999-01-01T00:00:00Z", "until": "2998-01-01T00:00:00Z"},
        {"since": "2999-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z"},
        {"since": "tomorrow"},
    ):
        assert (await ask(client, "POST", "/v1/do-not-contact", robinson | wrong))[0] == 422
    last = robinson | {"channel": "post", "since": "9999-12-31T23:59:59.999999Z"}
    assert (await ask(client, "POST", "/v1/do-not-contact", last))[0] == 202

    async def held() -> bool:
        return len((await ask(client, "GET", f"/v1/contacts/{ann}"))[1]["do_not_contact"]) == 2

    await eventually(held)
