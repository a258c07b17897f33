"""A person asks what is held on them: all services tell all that was sent in, of all parts, and say so if one does not."""

from typing import Any

import aiohttp
import orjson
import pytest

from services.contacts.main import create as create_contacts
from services.contacts.settings import ContactSettings
from tests.journeys.conftest import ADMIN, Company
from tests.journeys.test_merges import shows, two_customers
from tests.journeys.test_returns import returned, sale
from tests.waiting import eventually
from tests.web import serving

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]


async def exported(client: aiohttp.ClientSession, customer: str, form: str = "json") -> str:
    headers = {"x-purpose": "Request of 2 January"}
    async with client.get(f"/v1/contacts/{customer}/export?format={form}", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert customer in answer.headers["content-disposition"]
        return await answer.text()


def section(export: dict[str, Any], service: str, name: str) -> list[dict[str, Any]]:
    parts = [part for part in export["services"][service] if part["section"] == name]
    assert parts, f"{service} says nothing of {name}"
    return [item for part in parts for item in part["items"]]


async def test_everything_that_was_sent_in_is_told_of_all_parts_by_every_service(company: Company) -> None:
    ann, bob = await two_customers(company)
    body = {"name": "Ann <b>Ex</b>ample", "attributes": {"national-id": "900101"}, "reason": "On the phone"}
    async with company.services["contacts"].patch(f"/v1/contacts/{ann}", json=body) as answer:
        assert answer.status == 200, await answer.text()
    await company.tell(
        *(sale(f"N-{number}", "1.00", card="LC-1") for number in range(20)), returned("O-2", "5.00", card="LC-2")
    )
    await company.post("contacts", f"/v1/contacts/{ann}/merges", {"absorbed": bob})
    await shows(company, ann, 22, "30.00")
    await company.agrees()

    export, html = await export_of(company, ann)
    assert (export["complete"], export["missing"], export["also_known_as"]) == (True, {}, [bob])

    history = section(export, "interactions", "history")
    assert {one.get("number") for one in history if one["kind"] == "order"} == {
        "O-1",
        "O-2",
        *(f"N-{n}" for n in range(20)),
    }
    assert {one["customer_id"] for one in history} == {ann, bob}
    assert [one["kind"] for one in history].count("order-return") == 1
    assert all(one["lines"] for one in history if one["kind"] == "order")
    assert {one["id"] for one in section(export, "contacts", "identifiers")} >= {
        "loyalty-card:LC-1",
        "loyalty-card:LC-2",
    }
    assert any(one["reason"] == "On the phone" for one in section(export, "contacts", "changes"))
    assert len(section(export, "contacts", "merges")) == 1
    assert {one["customer_id"] for one in section(export, "scoring", "score")} == {ann, bob}
    assert sum(day["orders"] for one in section(export, "scoring", "score") for day in one["purchases"]) == 22
    assert {one["customer_id"] for one in section(export, "scoring", "habits")} == {ann, bob}
    assert len(section(export, "campaigns", "orders")) == 22
    assert {one["id"] for one in section(export, "campaigns", "profile")} == {ann, bob}
    views = section(export, "sync", "view")
    assert {one["customer_id"] for one in views} == {ann, bob}
    assert section(export, "campaigns", "campaigns") == []
    assert "900101" in html
    assert "Ann &lt;b&gt;Ex&lt;/b&gt;ample" in html
    assert "This is all that we hold on you." in html

    trail = await company.get("contacts", "/v1/audit", customer_id=ann)
    assert ("export", "Request of 2 January") in [(one["action"], one["purpose"]) for one in trail["items"]]
    asked = await company.get("sync", "/v1/audit", customer_id=bob)
    assert {one["action"] for one in asked["items"]} == {"held"}

    partly, html = await export_of(company, ann, sync_url="http://127.0.0.1:9")
    assert (partly["complete"], partly["missing"]) == (False, {"sync": "it cannot be reached"})
    assert section(partly, "contacts", "contact")
    assert "This is not all: sync" in html


async def export_of(company: Company, customer: str, **changed: str) -> tuple[dict[str, Any], str]:
    """Both forms, of an instance of contacts that knows where the others are."""
    others = ("interactions", "campaigns", "scoring", "sync")
    urls = {f"{name}_url": str(company.services[name]._base_url) for name in others} | changed
    told = company.shop.settings.model_dump() | {"internal_key": ADMIN, "instance": "asks", **urls}
    async with serving(create_contacts(ContactSettings(**told)), ADMIN) as contacts:
        await eventually(lambda: keys_known(contacts), within=60)
        return orjson.loads(await exported(contacts, customer)), await exported(contacts, customer, "html")


async def keys_known(client: aiohttp.ClientSession) -> bool:
    async with client.get("/readyz") as answer:
        return answer.status == 200
