"""The call centre follows its stream, through lost connections, and forgets nothing."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from demo.call_centre import NotAllowed, commit_for_ever, follow_for_ever
from demo.copies import Copies
from tests.waiting import eventually

CUSTOMERS = 5


class Stream:
    """A stream of five customers that loses the connection after every second one."""

    def __init__(self) -> None:
        self.resumed_from: list[str | None] = []
        self.all_seen = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers["authorization"] != "Bearer rk_right":
            return web.Response(status=403, text="stream:read is missing")
        last = request.headers.get("last-event-id")
        self.resumed_from.append(last)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        start = int(last or 0)
        if start == CUSTOMERS:
            self.all_seen.set()
        for number in range(start + 1, min(start + 2, CUSTOMERS) + 1):
            await response.write(self.event(number))
        return response

    @staticmethod
    def event(number: int) -> bytes:
        data = json.dumps({"customer_id": f"customer-{number}", "version": 1, "customer": {}})
        return f"id: {number}\r\nevent: customer\r\ndata: {data}\r\n\r\n".encode()


@pytest_asyncio.fixture
async def stream() -> AsyncIterator[tuple[Stream, str]]:
    app, behaviour = web.Application(), Stream()
    app.router.add_get("/stream", behaviour.answer)
    async with TestServer(app) as server:
        yield behaviour, str(server.make_url("/stream"))


async def test_it_resumes_after_the_last_event_it_has_seen(stream: tuple[Stream, str], tmp_path: Path) -> None:
    behaviour, url = stream
    copies = Copies(tmp_path / "calls.sqlite")
    following = asyncio.create_task(follow_for_ever(url, "rk_right", copies))
    async with asyncio.timeout(10):
        await behaviour.all_seen.wait()
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    copies.close()
    assert behaviour.resumed_from[:3] == [None, "2", "4"]
    assert (copies.counts["new"], copies.counts["repeated"]) == (CUSTOMERS, 0)


async def test_a_key_without_the_right_is_told_at_once(stream: tuple[Stream, str], tmp_path: Path) -> None:
    copies = Copies(tmp_path / "calls.sqlite")
    with pytest.raises(NotAllowed, match="stream:read is missing"):
        await follow_for_ever(stream[1], "rk_wrong", copies)
    copies.close()


async def test_an_erasure_is_receipted_until_the_platform_has_taken_it(tmp_path: Path) -> None:
    asked: list[str] = []
    taken = asyncio.Event()

    async def receipt(request: web.Request) -> web.Response:
        assert request.headers["authorization"] == "Bearer rk_right"
        asked.append(request.match_info["customer"])
        if len(asked) == 1:
            return web.Response(status=503)
        if set(asked) == {"anna", "bert"}:
            taken.set()
        return web.Response(status=204)

    app = web.Application()
    app.router.add_put("/v1/channels/call-centre/erasures/erasure-1/customers/{customer}", receipt)
    copies = Copies(tmp_path / "calls.sqlite")
    for one in ("anna", "bert"):
        copies.take(json.dumps({"customer_id": one, "version": 2, "erased": "erasure-1", "customer": {}}), 1.0)
    async with TestServer(app) as server:
        url = str(server.make_url("/v1/channels/call-centre/stream"))
        committing = asyncio.create_task(commit_for_ever(url, "rk_right", copies))
        async with asyncio.timeout(10):
            await taken.wait()

        async def settled() -> bool:
            return copies.owed() == []

        await eventually(settled)
        committing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await committing
    copies.close()
    assert sorted(asked) in (["anna", "anna", "bert"], ["anna", "bert", "bert"])
