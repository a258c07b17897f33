"""Documents of contacts, as the whole service has them: real application, real MongoDB; the scanner is a small one of our own."""

import asyncio
import io
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import aiohttp
import pytest

from services.contacts.clients.clamd import Clamd
from services.contacts.handlers.attaching import ScannerAway
from services.contacts.main import create
from services.contacts.settings import ContactSettings
from services.contacts.store import DocumentStore
from shared import mongo
from shared.security import new_key
from shared.settings import PlatformSettings
from tests.contacts.test_api import NOBODY, ask, client, register
from tests.web import serving

__all__ = ["client"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession
PDF = b"%PDF-1.7\n" + b"x" * 600_000


async def attach(client: Client, customer: str, data: bytes = PDF, query: str = "name=a.pdf") -> tuple[int, Any]:
    async with client.post(f"/v1/contacts/{customer}/documents?{query}", data=io.BytesIO(data)) as response:
        return response.status, await response.json(content_type=None)


async def test_a_document_is_attached_listed_read_and_deleted(client: Client) -> None:
    ann = (await register(client))["customer_id"]
    status, made = await attach(client, ann, query="name=..%2Fcontract%20%C3%A4.pdf&title=Contract&kind=contract")
    assert (status, made["name"], made["type"], made["size"]) == (201, "contract ä.pdf", "application/pdf", len(PDF))
    assert (made["sha256"], made["scan"]) == (sha256(PDF).hexdigest(), "unscanned")
    path = f"/v1/contacts/{ann}/documents"
    # Sent twice, also at once, it is one.
    again = await asyncio.gather(*(attach(client, ann, query="name=contract%20%C3%A4.pdf") for _ in range(3)))
    assert [body for _, body in again] == [made] * 3
    assert (await ask(client, "GET", path))[1]["items"] == [made]
    async with client.get(f"{path}/{made['document_id']}") as response:
        assert await response.read() == PDF
        assert response.headers["content-type"] == "application/pdf"
        assert response.headers["content-disposition"].startswith("attachment;")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in response.headers["content-security-policy"]
    assert (await ask(client, "DELETE", f"{path}/{made['document_id']}"))[0] == 204
    assert (await ask(client, "DELETE", f"{path}/{made['document_id']}"))[0] == 404
    assert (await ask(client, "GET", path))[1]["items"] == []
    assert (await attach(client, NOBODY))[0] == 404


async def test_what_is_too_large_or_not_allowed_leaves_nothing_behind(
    client: Client, settings: PlatformSettings
) -> None:
    ann = (await register(client))["customer_id"]
    assert (await attach(client, ann, b"%PDF-1.7\n" + bytes(10_000_001)))[0] == 413
    assert (await attach(client, ann, b"MZ" + bytes(100_000)))[0] == 415
    assert (await attach(client, ann, b""))[0] == 415
    database = mongo.connect(settings)
    try:
        files = database[f"{settings.namespace}rapport_contacts"]
        assert await files["documents_bytes.files"].count_documents({}) == 0
        assert await files["documents_bytes.chunks"].count_documents({}) == 0
    finally:
        await mongo.close(database)


async def test_the_merged_have_the_documents_of_all_and_part_with_their_own(client: Client) -> None:
    ann, anna = [(await register(client, {"name": name}))["customer_id"] for name in ("Ann", "Anna")]
    for one in (ann, anna):
        assert (await attach(client, one))[0] == 201
    _, merge, _ = await ask(client, "POST", f"/v1/contacts/{ann}/merges", {"absorbed": anna})
    for one in (ann, anna):
        assert len((await ask(client, "GET", f"/v1/contacts/{one}/documents"))[1]["items"]) == 2
    await ask(client, "POST", f"/v1/merges/{merge['merge_id']}/undo", {})
    (own,) = (await ask(client, "GET", f"/v1/contacts/{anna}/documents"))[1]["items"]
    assert own["customer_id"] == anna


@asynccontextmanager
async def scanner(answer: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A clamd that says always the same; its port, and what it was sent."""
    got: list[bytes] = []

    async def scan(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(10) == b"zINSTREAM\0"
        data = b""
        while size := struct.unpack("!I", await reader.readexactly(4))[0]:
            data += await reader.readexactly(size)
        got.append(data)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(scan, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], got


@pytest.mark.parametrize(
    ("answer", "status", "scan"),
    [
        (b"stream: OK\0", 201, "clean"),
        (b"stream: Eicar-Test-Signature FOUND\0", 422, None),
        (b"INSTREAM size limit exceeded. ERROR\0", 503, None),
    ],
)
async def test_a_scanner_that_is_set_decides(
    settings: PlatformSettings, topics: dict[str, int], answer: bytes, status: int, scan: str | None
) -> None:
    _, key, digest = new_key()
    async with scanner(answer) as (port, got):
        more = {"admin_key_sha256": digest, "contacts_clamd": f"127.0.0.1:{port}"}
        async with serving(create(ContactSettings(**settings.model_dump() | more)), key=key) as client:
            ann = (await register(client))["customer_id"]
            found, body = await attach(client, ann)
            assert (found, body.get("scan"), got) == (status, scan, [PDF])
            assert len((await ask(client, "GET", f"/v1/contacts/{ann}/documents"))[1]["items"]) == (status == 201)


async def test_a_scanner_that_is_away_is_said_to_be() -> None:
    async def nothing() -> AsyncIterator[bytes]:
        yield b"x"

    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(ScannerAway):
            await Clamd("127.0.0.1", port).found(nothing())
    with pytest.raises(ScannerAway):
        await Clamd("127.0.0.1", port).found(nothing())


@pytest.mark.parametrize("driver", ["pymongo", "motor"])
async def test_bytes_of_uploads_that_broke_off_are_swept_away(settings: PlatformSettings, driver: str) -> None:
    database = mongo.connect(settings.model_copy(update={"mongo_driver": driver}))
    try:
        store = DocumentStore(database[f"{settings.namespace}rapport_contacts"])
        await store.prepare()
        upload = store.upload("lost")
        await upload.write(b"x")
        await upload.close()
        assert [piece async for piece in store.read("lost")] == [b"x"]
        now = datetime.now(UTC)
        assert await store.sweep(now) == 0
        assert await store.sweep(now + timedelta(hours=2)) == 1
        assert [piece async for piece in store.read("lost")] == []
    finally:
        await mongo.close(database)
