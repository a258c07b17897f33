"""The courier's gates: which addresses it resolves to and connects to, and what it says when something goes wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from services.sync.clients import signed
from services.sync.clients.names import Names
from services.sync.clients.pool import NotPublic, Origin, Pool, public_addresses
from services.sync.handlers.channels import new_secret


async def test_a_name_that_leads_inside_is_not_resolved() -> None:
    for name in ("localhost", "127.0.0.1", "0x7f000001", "2130706433", "::1", "::ffff:10.0.0.1", "169.254.169.254"):
        with pytest.raises(NotPublic):
            await public_addresses(Names(), name, 443)
    assert await public_addresses(Names(), "8.8.8.8", 443) == ["8.8.8.8"]


async def test_an_address_inside_is_not_connected_to() -> None:
    pool = Pool(allow_private=False)
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(NotPublic):
            await pool.send(Origin(host, 443, secure=True), b"", 1.0)
    pool.close()


async def test_a_receiver_has_its_time_however_long_others_have_kept_it_waiting() -> None:
    request = b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n"
    asked = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()
        writer.close()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await reader.read()
        writer.close()

    pool = Pool(allow_private=True, at_once=1)
    async with await listening(hang) as hanging, await listening(answer) as healthy:
        first = asyncio.create_task(pool.send(origin_of(hanging), request, 2.0))
        await asyncio.wait_for(asked.wait(), 10)
        assert (await pool.send(origin_of(healthy), request, 1.0)).status == 204
        with pytest.raises(TimeoutError):
            await first
        pool.close()


async def listening(serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> asyncio.Server:
    return await asyncio.start_server(serve, "127.0.0.1", 0)


def origin_of(server: asyncio.Server) -> Origin:
    return Origin("127.0.0.1", server.sockets[0].getsockname()[1], secure=False)


def test_the_exact_bytes_are_signed_with_every_valid_secret() -> None:
    old, new = new_secret(), new_secret()
    content = '{"name":"Zoë"}'.encode()
    headers = signed((new, old), "id-1", datetime.now(UTC), content)
    assert (headers["webhook-id"], len(headers["webhook-signature"].split(" "))) == ("id-1", 2)
    for secret in (old, new):
        Webhook(secret).verify(content, headers)


def test_a_secret_is_as_long_as_the_standard_wants_and_never_the_same() -> None:
    assert new_secret() != new_secret()
    assert len(new_secret()) == len("whsec_") + 44
