"""Sensitive fields where nobody looks for them: files that were sent, quality, documents, what is taken, what others were told."""

import io
from typing import Any

import pytest

from tests.contacts.staff import Client, Staff, staff
from tests.contacts.test_api import ask, register
from tests.contacts.test_imports_api import ended, send
from tests.waiting import eventually

__all__ = ["staff"]
pytestmark = pytest.mark.integration

MAPPING = {
    "columns": [
        {"from": "nr", "to": "identifiers.crm"},
        {"from": "pass", "to": "identifiers.passport"},
        {"from": "born", "to": "attributes.birth-date", "type": "date"},
        {"from": "size", "to": "attributes.size", "type": "number"},
    ]
}
FILE = b"nr,pass,born,size,diagnosis\n1,P1,1980-01-02,3,X9\n2,P2,1981-01-02,large,X9\n3,P3,1982-01-02\n"


async def seen_by_nick(staff: Staff) -> list[dict[str, Any]]:
    trail = (await ask(staff.admin, "GET", "/v1/audit"))[1]["items"]
    return [one for one in trail if one["key"] == "Nick"]


async def rejected(client: Client, import_id: str) -> str:
    async with client.get(f"/v1/contacts/imports/{import_id}/rejected", headers={"X-Purpose": "Mend"}) as response:
        assert response.status == 200
        return await response.text()


async def test_rows_of_a_file_have_sensitive_fields_for_keys_with_the_scope_only(staff: Staff) -> None:
    assert (await ask(staff.admin, "PUT", "/v1/contacts/mappings/people", MAPPING))[0] == 204
    import_id = await send(staff.admin, FILE, "people")
    assert (await ended(staff.admin, import_id))["counts"]["rejected"] == 2
    plain, trusted = staff.holder("contacts:read"), staff.holder("contacts:read", "contacts:sensitive")
    rows, samples = await rejected(plain, import_id), f"/v1/contacts/imports/{import_id}/samples?outcome=new"
    assert "invalid-value" in rows
    assert "large" in rows
    assert not [one for one in ("P2", "1981", "P3", "1982", "X9") if one in rows]
    assert "1980" not in repr((await ask(plain, "GET", samples))[1])
    assert await seen_by_nick(staff) == []
    rows = await rejected(trusted, import_id)
    assert not [one for one in ("P2", "1981", "P3", "1982", "X9") if one not in rows]
    [sample] = (await ask(trusted, "GET", samples))[1]["items"]
    assert "1980" in repr(sample)
    samples_seen, rows_seen = await seen_by_nick(staff)
    assert (rows_seen["action"], rows_seen["purpose"]) == ("import-rejected", "Mend")
    assert rows_seen["fields"] == ["attributes.birth-date", "identifiers.passport"]
    assert (samples_seen["action"], samples_seen["customers"]) == ("import-samples", [sample["customer_id"]])


async def test_a_number_that_is_judged_is_shown_as_the_field_is_that_has_it(staff: Staff) -> None:
    told = {"name": "Ann", "attributes": {"tax-id": "DE136695976", "lei": "5493001KJTIIGC8Y1R12"}}
    path = f"/v1/contacts/{(await register(staff.admin, told))['customer_id']}/quality"
    shown = repr((await ask(staff.holder("contacts:read"), "GET", path))[1])
    assert "5493001KJTIIGC8Y1R12" in shown
    assert "136695976" not in shown
    assert "136695976" in repr((await ask(staff.holder("contacts:read", "contacts:sensitive"), "GET", path))[1])
    assert [(one["action"], one["fields"]) for one in await seen_by_nick(staff)] == [("quality", ["tax-id"])]


async def test_whose_a_sensitive_identifier_is_is_not_learnt_by_taking_it(staff: Staff) -> None:
    told = {"customer": [{"scheme": "passport", "value": "P1"}]}
    ann = (await register(staff.admin, told))["customer_id"]
    writer = ("contacts:read", "contacts:write")
    bob = (await register(staff.admin, {"name": "Bob"}))["customer_id"]
    for method, path in (("POST", "/v1/contacts"), ("PATCH", f"/v1/contacts/{bob}")):
        status, problem, headers = await ask(staff.holder(*writer), method, path, told)
        assert status == 409
        assert ann not in f"{problem}{headers}"
        assert ann in repr((await ask(staff.holder(*writer, "contacts:sensitive"), method, path, told))[1])


async def test_whoever_reads_a_document_or_exports_contacts_is_in_the_trail(staff: Staff) -> None:
    ann = (await register(staff.admin, {"name": "Ann"}))["customer_id"]
    async with staff.admin.post(f"/v1/contacts/{ann}/documents?name=p.txt", data=io.BytesIO(b"passport")) as response:
        document = (await response.json())["document_id"]
    async with staff.holder("contacts:read").get(f"/v1/contacts/{ann}/documents/{document}") as response:
        assert await response.read() == b"passport"
    async with staff.holder("contacts:export").get("/v1/contacts/export?fields=name") as response:
        assert "Ann" in await response.text()
    seen = [(one["action"], one["customers"], one["fields"]) for one in await seen_by_nick(staff)]
    assert seen == [("export", [ann], []), ("document", [ann], [])]


async def test_a_sensitive_document_is_listed_for_all_and_read_by_those_who_may(staff: Staff) -> None:
    ann = (await register(staff.admin, {"name": "Ann", "territory": "north"}))["customer_id"]
    path = f"/v1/contacts/{ann}/documents"
    clerk, trusted = (staff.holder("contacts:read", "contacts:write", *more) for more in ((), ("contacts:sensitive",)))

    async def attach(query: str) -> Any:
        async with clerk.post(f"{path}?name=p.txt{query}", data=io.BytesIO(b"diagnosis")) as response:
            assert response.status == 201
            return await response.json()

    open_to_all = await attach("")
    closed = await attach("&sensitive=true")
    assert closed == open_to_all | {"sensitive": True, "sha256": None}, (
        "sent again it is the same, by the stricter word"
    )
    assert await attach("") == closed
    one = f"{path}/{closed['document_id']}"
    assert (await ask(clerk, "GET", path))[1]["items"] == [closed]
    assert (await ask(trusted, "GET", path))[1]["items"][0]["sha256"] == open_to_all["sha256"]
    south = staff.holder("contacts:read", "contacts:write", "contacts:sensitive", territories=["south"])
    for holder, method, body, status in (
        (clerk, "GET", None, 403),
        (clerk, "PATCH", {"sensitive": True}, 200),
        (clerk, "PATCH", {"sensitive": False}, 403),
        (clerk, "PATCH", {"sensitive": 1}, 422),
        (south, "GET", None, 404),
        (south, "PATCH", {"sensitive": False}, 404),
        (trusted, "PATCH", {"sensitive": False}, 200),
    ):
        async with holder.request(method, one, json=body) as response:
            assert response.status == status
    async with clerk.get(one) as response:
        assert await response.read() == b"diagnosis"
    assert (await ask(clerk, "PATCH", one, {"sensitive": True}))[1]["sensitive"]
    async with trusted.get(one) as response:
        assert await response.read() == b"diagnosis"
    assert (await ask(clerk, "PATCH", f"{path}/{ann}", {"sensitive": True}))[0] == 404
    seen = [(one["action"], one["customers"], one["fields"]) for one in await seen_by_nick(staff)]
    assert seen == [
        ("document", [ann], ["documents"]),
        ("document", [ann], []),
        ("document-opened", [ann], ["documents"]),
    ], "the newest first"


async def test_the_identifiers_of_whom_one_was_taken_for_are_theirs(staff: Staff) -> None:
    """Two customers whom a file takes for one: in the queue with what it said, for whoever may know; and each is told their own."""
    ann, _ = [
        (await register(staff.admin, {"customer": [{"scheme": scheme, "value": "A1"}]}))["customer_id"]
        for scheme in ("crm", "passport")
    ]
    assert (await ask(staff.admin, "PUT", "/v1/contacts/mappings/people", MAPPING))[0] == 204
    await ended(staff.admin, await send(staff.admin, b"nr,pass,born,size\nA1,A1,,\n", "people"))

    async def queued() -> Any:
        return (await ask(staff.admin, "GET", "/v1/contacts/duplicates"))[1]["items"]

    [pair] = await eventually(queued, within=30)
    assert pair["identifiers"] == ["crm:A1", "passport:A1"]
    held = (await ask(staff.admin, "GET", f"/v1/customers/{ann}/held?limit=1000"))[1]
    told: list[Any] = []
    while True:
        told += [one["data"] for one in held["items"] if one["section"] == "conflicts"]
        if held["next"] is None:
            break
        held = (await ask(staff.admin, "GET", f"/v1/customers/{ann}/held?cursor={held['next']}"))[1]
    assert [one["reported_together"] for one in told] == [["crm:A1"]]
    trusted = staff.holder("contacts:read", "contacts:sensitive")
    assert (await ask(trusted, "GET", "/v1/contacts/duplicates"))[0] == 200
    [seen] = await seen_by_nick(staff)
    assert (seen["action"], seen["fields"]) == ("duplicates", ["identifiers.passport"])
