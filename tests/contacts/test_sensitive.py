"""Sensitive fields over HTTP: who sees them, wherever they are, and that it is in the trail."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.contacts.staff import Client, Staff, staff
from tests.contacts.test_api import ask, register
from tests.waiting import eventually

__all__ = ["staff"]
pytestmark = pytest.mark.integration


async def test_sensitive_fields_are_for_keys_with_the_scope_and_whoever_sees_them_is_in_the_trail(staff: Staff) -> None:
    told = {
        "name": "Ann",
        "attributes": {"national_id": "900101", "size": 38},
        "customer": [{"scheme": "passport", "value": "P1"}],
    }
    ann = (await register(staff.admin, told))["customer_id"]
    plain, trusted = staff.holder("contacts:read"), staff.holder("contacts:read", "contacts:sensitive")
    path = f"/v1/contacts/{ann}"
    for place in (
        path,
        f"{path}?as_of={datetime.now(UTC).isoformat().replace('+00:00', 'Z')}",
        f"{path}/changes",
        "/v1/contacts",
    ):
        status, answer, _ = await ask(plain, "GET", place)
        assert status == 200, answer
        assert "900101" not in repr(answer), place
        assert "P1" not in repr(answer), place
        assert "900101" in repr((await ask(trusted, "GET", place, X_Purpose="Contract"))[1]), place
    status, problem, _ = await ask(plain, "GET", "/v1/contacts?identifier=passport:P1")
    assert (status, problem["errors"][0]["field"]) == (403, "query.identifier")
    assert len((await ask(trusted, "GET", "/v1/contacts?identifier=passport:P1"))[1]["items"]) == 1
    trail = (await ask(staff.admin, "GET", f"/v1/audit?customer_id={ann}"))[1]["items"]
    mine = [one for one in trail if one["key"] == "Nick"]
    assert [one["action"] for one in mine] == ["find", "list", "changes", "read", "read"]
    assert mine[-1]["purpose"] == "Contract"
    assert "attributes.national_id" in mine[-1]["fields"]
    assert (await ask(staff.admin, "GET", "/v1/audit/check"))[1]["intact"]


async def test_a_file_of_contacts_has_sensitive_fields_for_keys_with_the_scope_only(staff: Staff) -> None:
    told = {
        "name": "Ann",
        "attributes": {"national_id": "900101", "size": 38},
        "customer": [{"scheme": "passport", "value": "P1"}, {"scheme": "crm", "value": "1"}],
    }
    ann = (await register(staff.admin, told))["customer_id"]
    plain, trusted = staff.holder("contacts:export"), staff.holder("contacts:export", "contacts:sensitive")

    async def file(client: Client, **asked: str) -> tuple[int, str]:
        query = {"format": "jsonl", **asked}
        async with client.get("/v1/contacts/export", params=query, headers={"X-Purpose": "Move"}) as answer:
            return answer.status, await answer.text()

    for asked in ({}, {"identifier": "crm:1"}, {"search": "ann"}):
        _, text = await file(plain, **asked)
        assert '"size"' in text
        assert "900101" not in text
        assert "P1" not in text
        assert "900101" in (await file(trusted, **asked))[1]
    assert (await file(plain, identifier="passport:P1"))[0] == 403
    trail = (await ask(staff.admin, "GET", f"/v1/audit?customer_id={ann}"))[1]["items"]
    assert [(one["action"], one["purpose"]) for one in trail if one["key"] == "Nick"] == [("export", "Move")] * 6


async def test_what_is_compared_of_duplicates_is_shown_as_sensitive_fields_are(staff: Staff) -> None:
    told = {"attributes": {"birthdate": "1980-02-29", "passport": "P4711X"}, "emails": [{"typed": "ann@example.org"}]}
    for name in ("Ann Example", "Anne Exampel"):
        await register(staff.admin, {"name": name, **told})

    async def queued() -> Any:
        return (await ask(staff.admin, "GET", "/v1/contacts/duplicates"))[1]["items"]

    [pair] = await eventually(queued, within=30)
    plain, trusted = staff.holder("contacts:read"), staff.holder("contacts:read", "contacts:sensitive")
    for place in ("/v1/contacts/duplicates", f"/v1/contacts/duplicates/{pair['pair']}"):
        shown = repr((await ask(plain, "GET", place))[1])
        assert "ann@example.org" in shown
        assert "1980" not in shown
        assert "4711" not in shown
        assert "1980" in repr((await ask(trusted, "GET", place))[1])
    trail = (await ask(staff.admin, "GET", "/v1/audit"))[1]["items"]
    seen = [one for one in trail if one["key"] == "Nick"]
    assert [(one["action"], set(one["customers"])) for one in seen] == [("duplicates", set(pair["contacts"]))] * 2
    assert (await ask(staff.of_the_north(), "GET", "/v1/contacts/duplicates"))[0] == 403
    held: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        _, page, _ = await ask(staff.admin, "GET", f"/v1/customers/{pair['contacts'][0]}/held{cursor}")
        held += page["items"]
        cursor = page["next"] and f"?cursor={page['next']}"
    [thought] = [one["data"] for one in held if one["section"] == "duplicates"]
    assert thought["probability"] > 0.9
    assert pair["contacts"][1] not in repr(thought)


async def test_a_field_that_becomes_sensitive_is_hidden_at_once_in_the_history_too(staff: Staff) -> None:
    ann = (await register(staff.admin, {"name": "Ann", "attributes": {"wage": "Xylo"}}))["customer_id"]
    plain = staff.holder("contacts:read")
    then = (await ask(plain, "GET", f"/v1/contacts/{ann}"))[1]["changed_at"]
    paths = (f"/v1/contacts/{ann}", f"/v1/contacts/{ann}/changes", f"/v1/contacts/{ann}?as_of={then}")
    for path in paths:
        assert "Xylo" in repr((await ask(plain, "GET", path))[1]), path
    definition = {"type": "text", "sensitivity": "sensitive"}
    assert (await ask(staff.admin, "PUT", "/v1/contacts/fields/wage", definition))[0] == 200
    for path in paths:
        status, answer, _ = await ask(plain, "GET", path)
        assert (status, "Xylo" in repr(answer)) == (200, False), path
        assert "Xylo" in repr((await ask(staff.admin, "GET", path))[1]), path


async def test_an_answer_that_is_given_once_more_is_a_look_like_any_other(staff: Staff) -> None:
    nick = staff.holder("contacts:read", "contacts:write", "contacts:sensitive")
    told = {"name": "Ann", "attributes": {"national_id": "900101", "wage": "Xylo"}}
    first = await ask(nick, "POST", "/v1/contacts", told, idempotency_key="a")
    ann = first[1]["customer_id"]
    path, change = f"/v1/contacts/{ann}", {"attributes": {"size": 38}}
    changed = await ask(nick, "PATCH", path, change, idempotency_key="b")

    async def looks() -> list[tuple[str, list[str], str | None]]:
        trail = (await ask(staff.admin, "GET", f"/v1/audit?customer_id={ann}"))[1]["items"]
        return [(one["action"], one["fields"], one["purpose"]) for one in trail if one["key"] == "Nick"]

    fields = ["attributes.national_id"]
    assert await looks() == [("change", fields, None), ("register", fields, None)]
    again = await ask(nick, "POST", "/v1/contacts", told, idempotency_key="a", X_Purpose="Lost it")
    assert (again[0], again[1]) == (first[0], first[1])
    assert again[2]["etag"] == first[2]["etag"]
    assert (await ask(nick, "PATCH", path, change, idempotency_key="b"))[:2] == changed[:2]
    assert (await looks())[:2] == [("change", fields, None), ("register", fields, "Lost it")]

    definition = {"type": "text", "sensitivity": "sensitive"}
    assert (await ask(staff.admin, "PUT", "/v1/contacts/fields/wage", definition))[0] == 200
    await ask(nick, "POST", "/v1/contacts", told, idempotency_key="a")
    assert (await looks())[0][1] == ["attributes.national_id", "attributes.wage"], "as it is sensitive by now"


async def test_an_answer_is_given_once_more_without_what_has_become_sensitive_since(staff: Staff) -> None:
    plain, told = staff.holder("contacts:write"), {"name": "Ann", "attributes": {"wage": "Xylo"}}
    first = (await ask(plain, "POST", "/v1/contacts", told, idempotency_key="a"))[1]
    assert "Xylo" in repr(first)
    definition = {"type": "text", "sensitivity": "sensitive"}
    assert (await ask(staff.admin, "PUT", "/v1/contacts/fields/wage", definition))[0] == 200
    status, again, _ = await ask(plain, "POST", "/v1/contacts", told, idempotency_key="a")
    assert (status, again["customer_id"], again["name"]) == (201, first["customer_id"], "Ann")
    assert "Xylo" not in repr(again)
