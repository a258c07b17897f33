"""Files of contacts over HTTP: sent, rehearsed, imported, and what was not taken given back. Real servers."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from shared.settings import PlatformSettings
from tests.contacts.running import contacts
from tests.contacts.test_api import ask
from tests.waiting import eventually

pytestmark = pytest.mark.integration

MAPPING = {
    "columns": [
        {"from": "KdNr", "to": "identifiers.customer-number"},
        {"from": "Name", "to": "name"},
        {"from": "E-Mail", "to": "email"},
        {"from": "Umsatz", "to": "attributes.revenue", "type": "number", "decimal": ","},
        {"from": "Newsletter", "to": "consents.newsletter.email", "values": {"ja": "granted", "nein": "denied"}},
        {"from": "Stand", "to": "consents.newsletter.email.given_at", "type": "date", "format": "%d.%m.%Y"},
        {"constant": "customer", "to": "stage"},
    ]
}
HEADER = "KdNr;Name;E-Mail;Umsatz;Newsletter;Stand\n"
ROWS = (
    "1;Jürgen Groß;j@gross.de;1.234,50;ja;01.02.2024\n"
    "2;Bob;bob@b.de;7;nein;31.12.2023\n"
    "3;Cleo;cleo@c.de;viel;ja;31.12.2023\n"
    "1;Jürgen Gross;j@gross.de;1.234,50;ja;01.02.2024\n"
    "4;zu;kurz\n"
    "2;Bob;bob@b.de;7;nein;31.12.2023\n"
)


@pytest.fixture
async def client(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[aiohttp.ClientSession]:
    async with contacts(settings) as session:
        assert (await ask(session, "PUT", "/v1/contacts/mappings/shop", MAPPING))[0] == 204
        yield session


async def send(client: aiohttp.ClientSession, data: bytes, mapping: str = "shop", **query: str) -> str:
    url = "/v1/contacts/imports"
    async with client.post(url, params={"mapping": mapping, **query}, data=data) as response:
        told = await response.json()
        assert response.status == 202, told
        assert response.headers["location"] == f"{url}/{told['import_id']}"
        return str(told["import_id"])


async def ended(client: aiohttp.ClientSession, import_id: str) -> dict[str, Any]:
    async def look() -> dict[str, Any]:
        _, told, _ = await ask(client, "GET", f"/v1/contacts/imports/{import_id}")
        assert told["state"] not in {"waiting", "running"}, told
        return dict(told)

    return await eventually(look)


async def rejected(client: aiohttp.ClientSession, import_id: str) -> list[dict[str, str]]:
    async with client.get(f"/v1/contacts/imports/{import_id}/rejected") as response:
        assert response.status == 200
        return list(csv.DictReader(io.StringIO(await response.text())))


async def named(client: aiohttp.ClientSession, number: int) -> dict[str, Any] | None:
    found = (await ask(client, "GET", f"/v1/contacts?identifier=customer-number:{number}"))[1]["items"]
    return found[0] if found else None


async def test_a_dry_run_says_what_the_run_then_does(client: aiohttp.ClientSession) -> None:
    import_id = await send(client, (HEADER + ROWS).encode("cp1252"), file="kunden.csv", dry_run="true")
    told = await ended(client, import_id)
    counts = {"new": 2, "changed": 1, "unchanged": 1, "rejected": 2}
    assert (told["state"], told["rows"], told["counts"], told["error"]) == ("done", 6, counts, None)
    assert told["rejected"] == {"invalid-value": 1, "unreadable": 1}
    assert (await ask(client, "GET", "/v1/contacts/summary"))[1]["contacts"] == 0, "a dry run has no effect"

    _, samples, _ = await ask(client, "GET", f"/v1/contacts/imports/{import_id}/samples?outcome=changed")
    [sample] = samples["items"]
    assert (sample["line"], sample["changed"]) == (5, ["name"])
    assert (sample["before"], sample["after"]) == ({"name": "Jürgen Groß"}, {"name": "Jürgen Gross"})

    status, _, _ = await ask(client, "POST", f"/v1/contacts/imports/{import_id}/run")
    assert status == 202
    told = await ended(client, import_id)
    assert (told["state"], told["counts"], told["dry_run"]) == ("done", counts, False)
    assert told["rehearsed"]["counts"] == counts
    assert (await ask(client, "GET", "/v1/contacts/summary"))[1]["contacts"] == 2
    contact = await named(client, 1)
    assert contact is not None
    assert (contact["name"], contact["email"], contact["stage"]) == ("Jürgen Gross", "j@gross.de", "customer")
    assert contact["attributes"] == {"revenue": 1234.5}
    [consent] = contact["consents"]
    assert (consent["status"], consent["given_at"], consent["source"]) == (
        "granted", "2024-02-01T00:00:00Z", "/imports/shop",
    )  # fmt: skip
    assert (await ask(client, "POST", f"/v1/contacts/imports/{import_id}/run"))[0] == 409


async def test_rejected_rows_come_back_in_the_files_own_columns_with_the_reason(client: aiohttp.ClientSession) -> None:
    import_id = await send(client, (HEADER + ROWS).encode())
    await ended(client, import_id)
    bad, short = await rejected(client, import_id)
    assert (bad["KdNr"], bad["Umsatz"], bad["line"], bad["column"]) == ("3", "viel", "4", "Umsatz")
    assert (bad["reason"], bad["detail"]) == ("invalid-value", "is not a number")
    assert (short["KdNr"], short["line"], short["reason"]) == ("4;zu;kurz", "6", "unreadable")
    assert "3 cells" in short["detail"]


async def test_the_same_file_again_changes_nothing(client: aiohttp.ClientSession) -> None:
    await ended(client, await send(client, (HEADER + ROWS).encode()))
    before = [await named(client, number) for number in (1, 2)]
    told = await ended(client, await send(client, (HEADER + ROWS.replace("Jürgen Groß", "Jürgen Gross")).encode()))
    assert told["counts"] == {"new": 0, "changed": 0, "unchanged": 4, "rejected": 2}
    assert [await named(client, number) for number in (1, 2)] == before
