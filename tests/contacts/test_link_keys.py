"""Changing the key that signs customers' links, with links of before and after: the whole service on real servers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from services.contacts.domain.signing import KeyRing, Token, read, sign
from services.contacts.handlers.rotating import LinkKey, Rotating
from services.contacts.store import LinkKeyStore
from services.contacts.store.secret import Secret, WrongSecret
from shared.mongo import Database
from shared.plumbing import Plumbing
from shared.settings import PlatformSettings
from tests.contacts.domain.test_links_to_customers import NOW, TOKEN
from tests.contacts.staff import Staff, staff
from tests.contacts.test_api import ask, client, register
from tests.contacts.test_confirmations import CONFIRM, anybody, asked, to_send
from tests.contacts.test_consents import GRANT
from tests.contacts.test_do_not_contact import barred_by_list, put
from tests.contacts.test_preferences import another, linked

__all__ = ["client", "staff"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession
KEYS = "/v1/contacts/link-keys"
OURS, OTHER, THIRD = "o" * 32, "p" * 32, "q" * 32


async def status(client: Client, url: str) -> int:
    return (await anybody(client, "GET", url))[0]


async def numbers(client: Client) -> list[tuple[int, bool, bool]]:
    items = (await ask(client, "GET", KEYS))[1]["items"]
    return [(one["number"], one["signs"], one["retired_at"] is not None) for one in items]


async def test_links_of_before_are_valid_until_their_key_is_retired(client: Client) -> None:
    path, old = await linked(client)
    await asked(client, path, GRANT | {"purpose": "tips"})
    [waiting] = await to_send(client)
    assert (await ask(client, "POST", KEYS))[0] == 201
    new = await another(client, path)
    assert [await status(client, one) for one in (old, new, waiting["url"])] == [200, 200, 200]
    assert await numbers(client) == [(1, True, False), (0, False, False)]
    _, keys, _ = await ask(client, "GET", KEYS)
    assert keys["items"][0]["since"] < keys["items"][1]["needed_until"], "for as long as a link may live"
    assert (await ask(client, "DELETE", f"{KEYS}/0"))[0] == 204
    assert [await status(client, one) for one in (old, new, waiting["url"])] == [404, 200, 404]
    # What is still to be sent is signed when somebody takes it.
    [again] = await to_send(client)
    assert (await anybody(client, "POST", CONFIRM, json={"token": again["token"]}))[0] == 200
    assert (await ask(client, "DELETE", f"{KEYS}/0"))[0] == 204
    assert await numbers(client) == [(1, True, False), (0, False, True)]


async def test_the_key_that_signs_stays_and_only_who_may_changes_it(staff: Staff) -> None:
    for number, answer in ((0, 409), (1, 404), (65536, 422)):
        assert (await ask(staff.admin, "DELETE", f"{KEYS}/{number}"))[0] == answer
    clerk, keeper = staff.holder("contacts:read", "contacts:write"), staff.holder("contacts:keys")
    for method, path in (("GET", KEYS), ("POST", KEYS), ("DELETE", f"{KEYS}/0")):
        assert (await ask(clerk, method, path))[0] == 403
    assert (await ask(keeper, "GET", KEYS))[0] == 200


async def test_one_wish_is_one_key_and_two_are_two(client: Client) -> None:
    once = "rotate-2026"
    answers = await asyncio.gather(*(ask(client, "POST", KEYS, idempotency_key=once) for _ in range(3)))
    assert {(code, body["number"]) for code, body, _ in answers} == {(201, 1)}
    answers = await asyncio.gather(*(ask(client, "POST", KEYS) for _ in range(3)))
    assert sorted(body["number"] for _, body, _ in answers) == [2, 3, 4]
    assert (await numbers(client))[0] == (4, True, False)


async def test_lists_know_their_addresses_by_a_key_that_stays(client: Client) -> None:
    await put(client, "email:ann@b.de")
    await ask(client, "POST", KEYS)
    await ask(client, "DELETE", f"{KEYS}/0")
    ann = await register(client, {"email": "ann@b.de"})
    assert ann["do_not_contact"][0]["source"] == "/lists/robinson"
    bob = (await register(client, {"name": "Bob", "email": "bob@b.de"}))["customer_id"]
    await put(client, "email:bob@b.de")
    await barred_by_list(client, bob, "email")


@pytest.fixture
async def plumbing(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Plumbing]:
    plumbing = Plumbing("contacts", settings)
    yield plumbing
    await plumbing.database.client.close()


def kept(database: Database, *given: str, secret: str = "s" * 32) -> LinkKeyStore:
    return LinkKeyStore(database, Secret(database, secret), given)


async def rotated(plumbing: Plumbing, keys: LinkKeyStore) -> LinkKey:
    await keys.prepare()
    rotating = Rotating(keys)

    async def rotate(unit: Any) -> LinkKey:
        return await rotating.rotate(unit, "/keys/1")

    return await plumbing.messaging.transact(rotate)


def believed(ring: KeyRing, text: str) -> Token:
    return read(ring, text, "preferences", NOW)


async def test_a_secret_that_has_leaked_is_replaced_without_harm_to_links(plumbing: Plumbing) -> None:
    database = plumbing.database
    first = await rotated(plumbing, kept(database, OURS))
    assert first.number == 1
    old = sign(await kept(database, OURS).ring(), TOKEN)
    # Every instance is given the new one beside the old, and then a key is made of it.
    both = kept(database, OTHER, OURS)
    assert (await both.ring()).signing == 1
    assert (await rotated(plumbing, both)).number == 2
    new = sign(await both.ring(), TOKEN)
    assert [believed(await both.ring(), one) for one in (old, new)] == [TOKEN, TOKEN]
    # An instance that was forgotten signs as before, and is believed; it does not start again.
    forgotten = kept(database, OURS)
    assert believed(await both.ring(), sign(await forgotten.ring(), TOKEN)) == TOKEN
    with pytest.raises(WrongSecret):
        await forgotten.prepare()
    # Once the leaked one is taken away, its key is as good as retired.
    alone = kept(database, OTHER)
    await alone.prepare()
    assert sorted((await alone.ring()).keys) == [0, 2]


async def test_neither_a_copy_of_the_database_nor_the_secret_alone_makes_a_key(plumbing: Plumbing) -> None:
    database = plumbing.database
    for number in range(1, 3):
        assert (await rotated(plumbing, kept(database))).number == number
    ring = await kept(database).ring()
    held = repr(await database["secrets"].find().to_list())
    assert [number for number, key in ring.keys.items() if repr(key)[2:-1] in held] == []
    await database["secrets"].update_one({"number": 2}, {"$set": {"salt": b"x" * 32}})
    assert (await kept(database).ring()).keys[2] != ring.keys[2]
    with pytest.raises(WrongSecret):
        await kept(database, secret=THIRD).ring()


async def test_a_key_that_is_retired_is_gone_for_good_and_at_once(plumbing: Plumbing) -> None:
    database = plumbing.database
    here, there = kept(database), kept(database)
    await rotated(plumbing, here)
    await rotated(plumbing, there)
    rotating = Rotating(here)

    async def retire(unit: Any) -> None:
        await rotating.retire(unit, 1, "/keys/2")

    await plumbing.messaging.transact(retire)
    assert sorted((await there.ring()).keys) == [0, 2]
    [row] = await database["secrets"].find({"number": 1}).to_list()
    assert "salt" not in row
    assert (row["by"], row["retired_by"]) == ("/keys/1", "/keys/2")
