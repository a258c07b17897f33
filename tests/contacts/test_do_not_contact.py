"""Those who are not to be contacted, one by one and by lists of addresses: the whole service on real servers."""

import asyncio
from typing import Any

import aiohttp
import pytest

from services.contacts.handlers import barring
from services.contacts.main import create
from services.contacts.settings import ContactSettings
from services.contacts.store import MongoStore, barring as lists
from services.contacts.store.secret import Secret, WrongSecret
from shared import mongo
from shared.security import new_key
from shared.settings import PlatformSettings
from tests.contacts.test_api import NOBODY, ask, client, register
from tests.waiting import eventually
from tests.web import serving

__all__ = ["client"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession
ROBINSON = {"list": "robinson", "reason": "robinson-list"}


async def bars(client: Client, customer: str) -> list[tuple[str, str, str]]:
    contact = (await ask(client, "GET", f"/v1/contacts/{customer}"))[1]
    return [(one["channel"], one["reason"], one["source"]) for one in contact.get("do_not_contact", ())]


async def barred_by_list(client: Client, customer: str, *channels: str) -> None:
    async def seen() -> bool:
        return await bars(client, customer) == [(one, "robinson-list", "/lists/robinson") for one in channels]

    await eventually(seen)


async def put(client: Client, *addresses: str, **more: Any) -> None:
    status, body, _ = await ask(client, "POST", "/v1/do-not-contact", ROBINSON | {"addresses": addresses} | more)
    assert (status, body) == (202, {"taken": len(set(map(str.lower, addresses)))})


async def test_what_is_said_of_a_customer_is_told_kept_and_lifted(client: Client) -> None:
    customer = (await register(client))["customer_id"]
    path = f"/v1/contacts/{customer}"
    status, first, headers = await ask(client, "PUT", f"{path}/do-not-contact/phone", {"reason": "asked"})
    assert (status, headers["etag"]) == (200, '"2"')
    again = (await ask(client, "PUT", f"{path}/do-not-contact/phone", {"reason": "asked"}))[1]
    assert again == first, "it stays since when it was said first"
    later = {"reason": "legal", "until": "2999-01-01T00:00:00Z"}
    [entry] = (await ask(client, "PUT", f"{path}/do-not-contact/phone", later))[1]["do_not_contact"]
    assert (entry["reason"], entry["until"]) == ("legal", "2999-01-01T00:00:00Z")
    assert (await ask(client, "GET", path))[1]["do_not_contact"] == [entry]
    [change, *_] = (await ask(client, "GET", f"{path}/changes"))[1]["items"]
    assert [one["field"] for one in change["fields"]] == ["do_not_contact"]
    for _ in range(2):
        status, freed, _ = await ask(client, "DELETE", f"{path}/do-not-contact/phone")
        assert (status, freed["do_not_contact"]) == (200, [])
    before = (await ask(client, "GET", f"{path}?as_of={change['recorded_at']}"))[1]
    assert before["do_not_contact"] == [entry]
    assert (await ask(client, "PUT", f"/v1/contacts/{NOBODY}/do-not-contact/phone", {"reason": "asked"}))[0] == 404
    assert (await ask(client, "PUT", f"{path}/do-not-contact/No", {"reason": "asked"}))[0] == 422


async def entries(client: Client, customer: str) -> list[Any]:
    contact = (await ask(client, "GET", f"/v1/contacts/{customer}"))[1]
    return [(one["since"][:4], (one["until"] or "")[:4], one["reason"]) for one in contact.get("do_not_contact", ())]


async def test_a_bar_in_force_is_brought_up_to_date_and_never_lifted_by_a_later_beginning(client: Client) -> None:
    customer = (await register(client))["customer_id"]
    path = f"/v1/contacts/{customer}/do-not-contact/phone"
    for said, held in (
        ({"reason": "asked", "since": "2997-01-01T00:00:00Z"}, ("2997", "", "asked")),
        ({"reason": "asked", "since": "2998-01-01T00:00:00Z"}, ("2998", "", "asked")),  # not begun: it is put off
        ({"reason": "asked", "since": "2020-01-01T00:00:00Z"}, ("2020", "", "asked")),
        ({"reason": "asked", "since": "2998-01-01T00:00:00Z"}, ("2020", "", "asked")),
        ({"reason": "legal", "since": "2998-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z"}, ("2020", "2999", "legal")),
        ({"reason": "legal"}, ("2020", "", "legal")),
        ({"reason": "legal", "since": "2019-01-01T00:00:00Z"}, ("2019", "", "legal")),
    ):  # fmt: skip
        assert (await ask(client, "PUT", path, said))[0] == 200
        assert await entries(client, customer) == [held]
    over = {"reason": "legal", "since": "2018-01-01T00:00:00Z", "until": "2020-01-01T00:00:00Z"}
    status, problem, _ = await ask(client, "PUT", path, over)
    assert (status, problem["errors"][0]["field"]) == (422, "body.until")
    assert await entries(client, customer) == [("2019", "", "legal")]
    assert (await ask(client, "DELETE", path))[0] == 200
    assert await entries(client, customer) == []


async def test_neither_is_it_by_what_is_said_of_whom_they_were_merged_with(client: Client) -> None:
    ann, bob = [(await register(client, {"name": name}))["customer_id"] for name in ("Ann", "Bob")]
    await ask(client, "PUT", f"/v1/contacts/{bob}/do-not-contact/phone", {"reason": "asked"})
    await ask(client, "POST", f"/v1/contacts/{ann}/merges", {"absorbed": bob})
    later = {"reason": "legal", "since": "2998-01-01T00:00:00Z"}
    [entry] = (await ask(client, "PUT", f"/v1/contacts/{ann}/do-not-contact/phone", later))[1]["do_not_contact"]
    assert (entry["reason"], entry["since"] < "2998") == ("legal", True)


async def test_so_many_channels_and_no_more_are_barred_by_name(client: Client) -> None:
    customer = (await register(client))["customer_id"]
    path = f"/v1/contacts/{customer}/do-not-contact"
    answers = [(await ask(client, "PUT", f"{path}/c{n}", {"reason": "asked"}))[0] for n in range(21)]
    assert answers == [*(200 for _ in range(20)), 409]
    assert (await ask(client, "PUT", f"{path}/c7", {"reason": "legal"}))[0] == 200


async def test_it_is_of_the_person_whatever_they_are_merged_with_and_of_whom_it_was_said_afterwards(
    client: Client,
) -> None:
    ann, bob = [(await register(client, {"name": name}))["customer_id"] for name in ("Ann", "Bob")]
    await ask(client, "PUT", f"/v1/contacts/{bob}/do-not-contact/phone", {"reason": "asked"})
    _, merge, _ = await ask(client, "POST", f"/v1/contacts/{ann}/merges", {"absorbed": bob})
    assert [one[:2] for one in await bars(client, ann)] == [("phone", "asked")]
    await ask(client, "PUT", f"/v1/contacts/{bob}/do-not-contact/email", {"reason": "asked"})
    assert [one[:2] for one in await bars(client, ann)] == [("email", "asked"), ("phone", "asked")]
    await ask(client, "POST", f"/v1/merges/{merge['merge_id']}/undo", {})
    assert [one[:2] for one in await bars(client, bob)] == [("phone", "asked")]
    await ask(client, "POST", f"/v1/contacts/{ann}/merges", {"absorbed": bob})
    await ask(client, "DELETE", f"/v1/contacts/{ann}/do-not-contact/phone")
    assert [one[:2] for one in await bars(client, ann)] == [("email", "asked")]


async def test_a_list_holds_for_contacts_there_are_and_for_those_who_come_with_the_address(client: Client) -> None:
    ann = (await register(client, {"email": "Ann@B.de", "phone": "+493012345678"}))["customer_id"]
    await put(client, "email:ann@b.de", "phone:+49 30 12345678", "email:eve@b.de", "email:Ann@b.de")
    await barred_by_list(client, ann, "email", "phone")
    eve = await register(client, {"name": "Eve", "email": "EVE@b.de"})
    assert eve["do_not_contact"][0]["reason"] == "robinson-list", "in the very answer that registers"
    bob = (await register(client, {"name": "Bob"}))["customer_id"]
    _, changed, _ = await ask(client, "PATCH", f"/v1/contacts/{bob}", {"emails": [{"typed": "eve@b.de"}]})
    assert [one["source"] for one in changed["do_not_contact"]] == ["/lists/robinson"]
    _, changed, _ = await ask(client, "PATCH", f"/v1/contacts/{eve['customer_id']}", {"email": "new@b.de"})
    assert "do_not_contact" not in changed, "the list is of addresses"
    page = (await ask(client, "GET", "/v1/do-not-contact"))[1]["items"]
    assert [(one["list"], one["entries"]) for one in page] == [("robinson", 3)]


async def test_who_is_taken_off_a_list_is_free_again_and_what_was_said_of_them_stays(client: Client) -> None:
    ann = (await register(client, {"email": "ann@b.de"}))["customer_id"]
    await ask(client, "PUT", f"/v1/contacts/{ann}/do-not-contact/phone", {"reason": "asked"})
    await put(client, "email:ann@b.de", channel="any")

    async def both() -> bool:
        return len(await bars(client, ann)) == 2

    await eventually(both)
    assert (await ask(client, "DELETE", f"/v1/contacts/{ann}/do-not-contact/any"))[0] == 200
    assert len(await bars(client, ann)) == 2, "what follows from a list is lifted there"
    gone = {"list": "robinson", "channel": "any", "addresses": ["email:ann@b.de", "email:nobody@b.de"]}
    assert (await ask(client, "POST", "/v1/do-not-contact/removal", gone))[:2] == (202, {"taken": 2})

    async def free() -> bool:
        return [one[:2] for one in await bars(client, ann)] == [("phone", "asked")]

    await eventually(free)


async def test_a_list_goes_on_after_an_erasure_and_names_nobody(client: Client, settings: PlatformSettings) -> None:
    ann = (await register(client, {"email": "ann@b.de"}))["customer_id"]
    await put(client, "email:ann@b.de")
    await barred_by_list(client, ann, "email")
    await ask(client, "POST", f"/v1/contacts/{ann}/erasure", {"reason": "objection", "asked_by": "customer"})
    assert (await ask(client, "GET", f"/v1/contacts/{ann}"))[0] == 404
    connection = mongo.connect(settings)
    kept = await connection[f"{settings.namespace}rapport_contacts"]["do_not_contact"].find().to_list()
    await mongo.close(connection)
    assert len(kept) == 1
    assert "ann@" not in repr(kept)
    assert ann not in repr(kept)
    assert (await register(client, {"email": "ann@b.de"}))["do_not_contact"][0]["reason"] == "robinson-list"


async def test_a_contact_that_was_written_while_the_list_was_is_found_by_the_second_look(
    client: Client, settings: PlatformSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its transaction has not seen the entry, and the first look has not seen the contact."""
    monkeypatch.setattr(lists, "SECOND_LOOK", lists.SECOND_LOOK * 0)
    connection = mongo.connect(settings)
    database = connection[f"{settings.namespace}rapport_contacts"]
    looked, written = asyncio.Event(), asyncio.Event()
    ann = (await register(client, {"email": "ann@b.de"}))["customer_id"]
    await database["contacts"].update_one({"_id": ann}, {"$set": {"reached_by": []}})
    looked_at = lists.ListStore.looked

    async def slowly(self: Any, due: Any) -> None:
        looked.set()
        await written.wait()
        await looked_at(self, due)

    monkeypatch.setattr(lists.ListStore, "looked", slowly)
    await put(client, "email:ann@b.de")
    await looked.wait()
    assert await bars(client, ann) == []
    store = MongoStore(database)
    [known] = (await store.load([ann], None)).values()
    digests = await store.lists.digests(known.contact)
    await database["contacts"].update_one({"_id": ann}, {"$set": {"reached_by": digests}})
    written.set()
    await barred_by_list(client, ann, "email")
    await mongo.close(connection)


async def test_contacts_of_a_time_before_there_were_lists_are_caught_up_with(
    settings: PlatformSettings, topics: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(barring, "CONTACTS", 2)
    _, key, sha256 = new_key()
    own = ContactSettings(**settings.model_dump() | {"admin_key_sha256": sha256})
    async with serving(create(own), key=key) as client:
        people = [(await register(client, {"email": f"p{n}@b.de"}))["customer_id"] for n in range(5)]
    connection = mongo.connect(settings)
    rows = connection[f"{settings.namespace}rapport_contacts"]["contacts"]
    await rows.update_many({}, {"$unset": {"reached_by": ""}})

    async def caught_up() -> bool:
        return await rows.count_documents({"reached_by": None}) == 0

    async with serving(create(own), key=key) as client:
        await eventually(caught_up)
        await put(client, *(f"email:p{n}@b.de" for n in range(5)))
        for one in people:
            await barred_by_list(client, one, "email")
    await mongo.close(connection)


async def test_what_cannot_be_put_on_a_list_is_named(client: Client) -> None:
    for wrong, field in (
        ({"addresses": ["email:a@b.de", "ann"]}, "body.addresses.1"),
        ({"addresses": ["email:a@b.de"] * 10_001}, "body.addresses"),
        ({"addresses": ["email:a@b.de"], "reason": "No reason"}, "body.reason"),
    ):
        status, problem, _ = await ask(client, "POST", "/v1/do-not-contact", ROBINSON | wrong)
        assert (status, problem["errors"][0]["field"]) == (422, field)


async def test_another_secret_than_the_first_stops_the_service(settings: PlatformSettings) -> None:
    connection = mongo.connect(settings)
    database = connection[f"{settings.namespace}rapport_contacts"]
    first, again = Secret(database, "s" * 32), Secret(database, "s" * 32)
    assert await first.key("links") == await again.key("links") != await first.key("addresses")
    for other in (Secret(database, "t" * 32), Secret(database)):
        with pytest.raises(WrongSecret):
            await other.key("links")
    await database["secrets"].delete_many({})
    made = await Secret(database).key("links")
    assert made == await Secret(database).key("links")
    with pytest.raises(WrongSecret):
        await Secret(database, "s" * 32).key("links")
    await mongo.close(connection)
