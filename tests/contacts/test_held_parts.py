"""What is told of a person who asks: of their own all, and of others nothing. The whole service, on real servers."""

import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest

from shared.http import encode_cursor
from shared.settings import PlatformSettings
from tests.contacts.running import contacts
from tests.contacts.test_api import ask, register
from tests.contacts.test_documents import PDF, attach
from tests.contacts.test_erasing_records import merge
from tests.contacts.test_imports_api import MAPPING, ended, send

pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession
HEADER = "KdNr;Name;E-Mail;Umsatz;Newsletter;Stand\n"


@pytest.fixture
async def client(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Client]:
    async with contacts(settings) as session:
        assert (await ask(session, "PUT", "/v1/contacts/mappings/shop", MAPPING))[0] == 204
        yield session


async def held(client: Client, *customers: str) -> dict[str, list[Any]]:
    """By section."""
    found: dict[str, list[Any]] = {}
    also = "".join(f"&also={one}" for one in customers[1:])
    after: str | None = ""
    while after is not None:
        status, page, _ = await ask(client, "GET", f"/v1/customers/{customers[0]}/held?limit=2{also}{after}")
        assert status == 200, page
        for item in page["items"]:
            found.setdefault(item["section"], []).append(item["data"])
        after = f"&cursor={page['next']}" if page["next"] else None
    return found


def known(number: int, **more: str) -> dict[str, Any]:
    return {"customer": [{"scheme": "customer-number", "value": str(number)}], **more}


async def test_rows_of_files_that_were_not_taken_are_told_to_whom_they_speak_of(client: Client) -> None:
    ann = (await register(client, known(1, name="Ann", email="ann@b.de")))["customer_id"]
    bob = (await register(client, known(2, name="Bob")))["customer_id"]
    rows = (
        "1;Ann;;much;;\n"
        "9;Xaver;Ann@B.de;more;;\n"
        "2;Bob;;most;;\n"
        "2;Bob;ann@b.de;least;;\n"
        "1;Ann\n"
        "1;Anna;;5;;\n"
        "2;Bobby;;5;;\n"
    )  # fmt: skip
    await ended(client, await send(client, (HEADER + rows).encode(), file="list.csv"))
    found = await held(client, ann)
    told = found["refused_rows"]
    assert [(one["line"], one["reason"], one.get("said", {}).get("Umsatz")) for one in told] == [
        (2, "invalid-value", "much"),
        (3, "invalid-value", "more"),
        (5, "invalid-value", None),
        (6, "unreadable", None),
    ]
    assert (told[0]["file"], told[0]["column"]) == ("list.csv", "Umsatz")
    assert "not_shown" in told[2], "it speaks of somebody else, too"
    assert "Bob" not in repr(found)
    [sample] = found["shown_rows"]
    assert (sample["line"], sample["after"]["attributes"]) == (7, {"revenue": 5})
    assert [one["line"] for one in (await held(client, bob))["refused_rows"]] == [4, 5]


async def test_files_that_are_kept_are_told_to_whom_they_speak_of_until_they_are_done_with(client: Client) -> None:
    ann = (await register(client, known(1, name="Ann", email="ann@b.de")))["customer_id"]
    anna = (await register(client, known(7, name="Anna")))["customer_id"]
    bob = (await register(client, known(2, name="Bob")))["customer_id"]
    await merge(client, ann, anna)
    rows = "1;Ann;;5;;\n2;Bob;;6;;\n9;Xaver;Ann@B.de;7;;\n2;Bob;ann@b.de;8;;\n7;Anna;;much;;\n1;Ann\n"
    sent = {
        dry_run: await send(client, (HEADER + rows).encode(), file="list.csv", dry_run=dry_run)
        for dry_run in ("true", "false")
    }
    for import_id in sent.values():
        await ended(client, import_id)
    [kept] = (await held(client, ann, anna))["kept_files"]
    assert (kept["import_id"], kept["file"]) == (sent["true"], "list.csv"), "what is done for good is kept no more"
    assert kept["sent_at"] < kept["kept_until"]
    assert "not_looked_through" not in kept
    assert [(one["line"], one["reached"], one.get("said", {}).get("Umsatz")) for one in kept["rows"]] == [
        (2, False, "5"),
        (4, False, "7"),
        (5, False, None),
        (6, False, "much"),
        (7, False, None),
    ]
    assert "Bob" not in repr(kept)
    [other] = (await held(client, bob))["kept_files"]
    assert [(one["line"], "said" in one) for one in other["rows"]] == [(3, True), (4, False), (5, False)]
    stranger = (await register(client, known(3, name="Cleo")))["customer_id"]
    assert "kept_files" not in await held(client, stranger)
    async with client.get(f"/v1/contacts/{ann}/export") as answer:
        assert sent["true"] in await answer.text()
    await ask(client, "POST", f"/v1/contacts/imports/{sent['true']}/run")
    await ended(client, sent["true"])
    assert "kept_files" not in await held(client, ann, anna)


async def test_a_file_that_could_not_be_looked_through_is_named_and_nothing_else_is_said_of_it(client: Client) -> None:
    ann = (await register(client, known(1, name="Ann")))["customer_id"]
    failed = await send(client, b"KdNr;Bob Xaver\n1;7\n", file="Bob.csv")
    assert (await ended(client, failed))["state"] == "failed"
    [kept] = (await held(client, ann))["kept_files"]
    assert kept["import_id"] == failed
    assert kept["not_looked_through"].startswith("it cannot be read")
    assert "Bob" not in repr(kept)
    status, _, _ = await ask(
        client, "GET", f"/v1/customers/{ann}/held?cursor={encode_cursor({'section': 15, 'place': 'x'})}"
    )
    assert status == 400


async def test_of_a_merge_that_was_taken_back_it_is_told_when_and_not_with_whom(client: Client) -> None:
    ann, bob, anna = [(await register(client, {"name": one}))["customer_id"] for one in ("Ann", "Bob", "Anna")]
    await merge(client, ann, anna)
    wrong = await merge(client, ann, bob)
    status, _, _ = await ask(client, "POST", f"/v1/merges/{wrong}/undo", {"reason": "Bob Xaver is not Ann"})
    assert status == 200
    told = await held(client, ann, anna)
    standing, taken_back = sorted(told["merges"], key=len, reverse=True)
    assert (standing["survivor"], standing["absorbed"]) == (ann, anna)
    assert sorted(taken_back) == ["merged_at", "taken_back_at"]
    other = await held(client, bob)
    assert "Xaver" not in repr(told) + repr(other)
    assert bob not in repr(told)
    assert [one for one in (ann, anna) if one in repr(other)] == []
    assert {"absorbed", "freed"} <= {change["kind"] for change in other["changes"]}
    assert any(change["kind"] == "merged" and change.get("of") == anna for change in told["changes"])


async def test_an_archive_has_the_documents_of_all_parts_and_is_in_the_trail_with_them(client: Client) -> None:
    ann, anna = [(await register(client, {"name": one}))["customer_id"] for one in ("Ann", "Anna")]
    assert (await attach(client, ann, query="name=contract%20%C3%A4.pdf"))[0] == 201
    assert (await attach(client, anna, b"A letter", query="name=letter.txt"))[0] == 201
    await merge(client, ann, anna)
    async with client.get(f"/v1/contacts/{anna}/export?format=zip", headers={"x-purpose": "Asked"}) as answer:
        assert (answer.status, answer.content_type) == (200, "application/zip")
        assert f'{ann}.zip"' in answer.headers["content-disposition"]
        packed = await answer.read()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = archive.namelist()
        assert names == ["documents/001 contract ä.pdf", "documents/002 letter.txt", "data.json", "index.html"]
        assert [archive.read(one) for one in names[:2]] == [PDF, b"A letter"]
        told = orjson.loads(archive.read("data.json"))
    items = [one for part in told["services"]["contacts"] if part["section"] == "documents" for one in part["items"]]
    assert [one["file"] for one in items] == names[:2]
    assert "documents" not in told["missing"]
    trail = (await ask(client, "GET", f"/v1/audit?customer_id={anna}"))[1]["items"]
    assert [(one["action"], one["fields"], one["purpose"]) for one in trail if one["action"] == "export"] == [
        ("export", ["*", "documents"], "Asked")
    ]
