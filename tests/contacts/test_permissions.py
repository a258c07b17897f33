"""May we, asked of many customers at once: the whole service on real servers."""

from typing import Any

import aiohttp
import pytest

from tests.contacts.staff import Staff, staff
from tests.contacts.test_api import NOBODY, ask, client, register
from tests.waiting import eventually

__all__ = ["client", "staff"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession
NEWS = {"purpose": "newsletter", "channel": "email"}


async def may(client: Client, *customers: str, **more: Any) -> list[Any]:
    status, body, _ = await ask(client, "POST", "/v1/permissions", NEWS | {"customers": customers} | more)
    assert status == 200, body
    assert [one["asked"] for one in body["items"]] == list(customers)
    return [(one["allowed"], one["reason"]) for one in body["items"]]


async def customer(client: Client, name: str, status: str | None = None, **more: Any) -> str:
    claim = NEWS | {"status": status, "given_at": "2026-01-01T00:00:00Z"} | more
    new = {"customer": [{"scheme": "crm", "value": name}], "consents": [claim] if status else []}
    return str((await register(client, new))["customer_id"])


async def test_every_customer_is_answered_with_the_reason(client: Client) -> None:
    yes, no, gone = [await customer(client, one, one) for one in ("granted", "denied", "withdrawn")]
    over = await customer(client, "over", "granted", valid_until="2026-02-01T00:00:00Z")
    ends = await customer(client, "ends", "granted", valid_until="2999-01-01T00:00:00Z")
    never, kept, barred, erased = [await customer(client, one) for one in ("never", "kept", "barred", "erased")]
    await ask(client, "PUT", f"/v1/contacts/{kept}/restriction", {"reason": "accuracy"})
    await ask(client, "PUT", f"/v1/contacts/{barred}/do-not-contact/any", {"reason": "deceased"})
    await ask(client, "POST", f"/v1/contacts/{erased}/erasure", {"reason": "objection", "asked_by": "customer"})
    asked = (yes, no, gone, over, ends, never, kept, barred, erased, NOBODY, "crm:granted", "crm:nobody", yes)
    assert await may(client, *asked) == [
        (True, "granted"),
        (False, "denied"),
        (False, "withdrawn"),
        (False, "expired"),
        (True, "granted"),
        (False, "not-asked"),
        (False, "restricted"),
        (False, "do-not-contact"),
        (False, "erased"),
        (False, "unknown"),
        (True, "granted"),
        (False, "unknown"),
        (True, "granted"),
    ]
    by_interest = await may(client, yes, no, over, never, barred, basis="legitimate-interest")
    assert [allowed for allowed, _ in by_interest] == [True, False, True, True, False]
    body = (await ask(client, "POST", "/v1/permissions", NEWS | {"customers": [ends, NOBODY]}))[1]["items"]
    assert [one["until"] for one in body] == ["2999-01-01T00:00:00+00:00", None]
    assert [one["customer_id"] for one in body] == [ends, None]
    assert (await ask(client, "GET", "/v1/contacts/summary"))[1]["contacts"] == 8, "asking registers nobody"


async def test_the_merged_are_answered_by_who_answers_for_them(client: Client) -> None:
    ann, anna = await customer(client, "ann", "granted"), await customer(client, "anna", "denied")
    await ask(client, "POST", f"/v1/contacts/{ann}/merges", {"absorbed": anna})
    body = (await ask(client, "POST", "/v1/permissions", NEWS | {"customers": [anna, "crm:ann"]}))[1]["items"]
    assert [(one["customer_id"], one["reason"]) for one in body] == [(ann, "denied"), (ann, "denied")]


async def test_what_cannot_be_asked_is_named(client: Client) -> None:
    for wrong, field in (
        ({"customers": ["nonsense"]}, "body.customers.0"),
        ({"customers": [NOBODY, ":x"]}, "body.customers.1"),
        ({"customers": []}, "body.customers"),
        ({"customers": [NOBODY] * 10_001}, "body.customers"),
        ({"customers": [NOBODY], "basis": "whim"}, "body.basis"),
    ):
        status, problem, _ = await ask(client, "POST", "/v1/permissions", NEWS | wrong)
        assert (status, problem["errors"][0]["field"]) == (422, field)


async def test_ten_thousand_are_answered_in_one_call(client: Client) -> None:
    lists = [[{"scheme": "shop", "value": str(n)}] for n in range(1000)]
    known = (await ask(client, "POST", "/v1/identities/resolve", {"customers": lists}))[1]["customers"]
    answers = await may(client, *[one for one in known for _ in range(5)], *(f"shop:{n}" for n in range(5000)))
    assert answers == [(False, "not-asked")] * 6000 + [(False, "unknown")] * 4000


async def test_a_key_asks_with_a_scope_that_shows_nothing_else_and_only_of_whom_it_may_see(staff: Staff) -> None:
    north = (await register(staff.admin, {"territory": "north"}))["customer_id"]
    south = (await register(staff.admin, {"territory": "south", "customer": [{"scheme": "crm", "value": "s"}]}))[
        "customer_id"
    ]
    sender = staff.holder("contacts:permissions")
    assert await may(sender, north, south) == [(False, "not-asked")] * 2
    assert (await ask(sender, "GET", f"/v1/contacts/{north}"))[0] == 403
    assert (await ask(staff.holder("contacts:write"), "POST", "/v1/permissions", {}))[0] == 403
    nick = staff.of_the_north()
    await ask(staff.admin, "POST", f"/v1/contacts/{south}/erasure", {"reason": "objection", "asked_by": "customer"})
    assert await may(nick, north, south, "crm:s") == [(False, "not-asked"), (False, "unknown"), (False, "unknown")]
    status, problem, _ = await ask(
        staff.holder("contacts:read"), "POST", "/v1/permissions", NEWS | {"customers": ["passport:1"]}
    )
    assert (status, problem["errors"][0]["field"]) == (403, "body.customers.0")

    async def noted() -> Any:
        return [
            one
            for one in (await ask(staff.admin, "GET", "/v1/audit"))[1]["items"]
            if (one["action"], one["customers"]) == ("permissions", [north])
        ]

    await eventually(noted)
