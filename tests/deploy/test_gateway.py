"""The gateway passes on what it gets: streams in both directions, errors as problems, nothing kept."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from deploy.local import gateway
from deploy.local.layout import free
from deploy.local.routes import ROUTES, SERVICES, service_of
from tests.waiting import eventually

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def listening(app: web.Application, port: int) -> AsyncIterator[None]:
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def before(handler: Handler, service: str = "interactions") -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a gateway in front of one service, all of whose paths are answered by `handler`."""
    ports = free()
    upstream = web.Application(client_max_size=1000)
    upstream.router.add_route("*", "/{path:.*}", handler)
    base = f"http://127.0.0.1:{ports['gateway']}"
    async with (
        listening(upstream, ports[service]),
        listening(gateway.create(ports), ports["gateway"]),
        aiohttp.ClientSession(base, auto_decompress=False) as client,
    ):
        yield client


async def echo(request: web.Request) -> web.Response:
    return web.json_response(
        {
            "path": request.raw_path,
            "method": request.method,
            "headers": dict(request.headers),
            "body": await request.text(),
        },
        status=201,
        headers={"X-From": "service", "Connection": "X-Secret", "X-Secret": "for the next hop"},
    )


async def test_method_path_query_headers_and_body_arrive_as_they_were_sent() -> None:
    async with before(echo) as client:
        answer = await client.patch("/v1/orders/a%2Fb?x=1%202", data="body", headers={"Authorization": "Bearer rk"})
        seen = await answer.json()
    assert answer.status == 201
    assert answer.headers["X-From"] == "service"
    assert (seen["method"], seen["path"], seen["body"]) == ("PATCH", "/v1/orders/a%2Fb?x=1%202", "body")
    assert seen["headers"]["Authorization"] == "Bearer rk"
    assert seen["headers"]["X-Forwarded-For"] == "127.0.0.1"


async def test_headers_for_the_next_hop_end_there() -> None:
    async with before(echo) as client:
        answer = await client.get("/v1/orders", headers={"Connection": "X-Mine", "X-Mine": "1", "TE": "trailers"})
        seen = await answer.json()
    assert "X-Secret" not in answer.headers
    assert not {"X-Mine", "TE"} & set(seen["headers"])


async def test_a_stream_comes_through_piece_by_piece() -> None:
    more = asyncio.Event()

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await more.wait()
        await response.write(b"data: 2\n\n")
        return response

    async with before(stream) as client, client.get("/v1/orders") as answer:
        assert await answer.content.readany() == b"data: 1\n\n"
        more.set()
        assert await answer.content.read() == b"data: 2\n\n"


async def test_a_request_is_passed_on_before_it_is_complete() -> None:
    first = asyncio.get_running_loop().create_future()

    async def take(request: web.Request) -> web.Response:
        first.set_result(await request.content.readany())
        return web.Response(body=await request.content.read())

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        assert await first == b"one"
        yield b"two"

    async with before(take) as client:
        answer = await client.post("/v1/events", data=pieces())
        assert await answer.read() == b"two"


async def test_a_client_that_leaves_ends_the_request_behind_the_gateway() -> None:
    left = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x")
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        return response

    async with before(endless) as client:
        async with client.get("/v1/orders") as answer:
            await answer.content.readany()
        await asyncio.wait_for(left.wait(), 5)


async def test_an_answer_that_breaks_off_is_not_taken_for_whole() -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport
        request.transport.abort()
        return response

    async with before(broken) as client, client.get("/v1/orders") as answer:
        with pytest.raises(aiohttp.ClientError):
            await answer.read()


async def test_a_body_that_a_service_refuses_for_its_size_is_refused_by_that_service() -> None:
    async with before(echo) as client:
        answer = await client.post("/v1/events", data=io.BytesIO(b"x" * 20_000_000))
        assert answer.status == 413


async def test_compressed_answers_stay_compressed() -> None:
    async def packed(_: web.Request) -> web.Response:
        return web.Response(body=b"not really gzip", headers={"Content-Encoding": "gzip"})

    async with before(packed) as client:
        answer = await client.get("/v1/orders")
        assert (answer.headers["Content-Encoding"], await answer.read()) == ("gzip", b"not really gzip")


async def test_redirects_are_the_clients_business() -> None:
    async def elsewhere(_: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/v1/elsewhere")

    async with before(elsewhere) as client:
        answer = await client.get("/v1/orders", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (307, "/v1/elsewhere")


async def test_a_service_that_is_away_is_a_problem_of_502() -> None:
    async with before(echo, service="sync") as client:
        answer = await client.get("/v1/orders")
        assert answer.status == 502
        assert answer.content_type == "application/problem+json"
        assert (await answer.json(content_type=None))["detail"] == "interactions cannot be reached"


async def test_a_service_that_says_nothing_is_a_problem_of_504(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(gateway, "ANSWER_SECONDS", 0.2)
    async with before(silent) as client:
        answer = await client.get("/v1/orders")
        assert (answer.status, answer.content_type) == (504, "application/problem+json")


async def test_a_path_that_nobody_answers_is_a_problem_of_404() -> None:
    async with before(echo) as client:
        for path in ("/v1/orders-old", "/v2/orders", "/v1", "/metrics"):
            answer = await client.get(path)
            assert (answer.status, answer.content_type) == (404, "application/problem+json"), path


async def test_it_is_ready_when_every_service_is() -> None:
    async with before(echo) as client:
        answer = await client.get("/readyz")
        assert answer.status == 503
        assert set((await answer.json())["services"]) == set(SERVICES)


async def test_its_front_page_says_what_is_where() -> None:
    async with before(echo) as client:
        page = await (await client.get("/")).json()
    assert page["services"]["sync"]["paths"] == list(ROUTES["sync"])


async def test_many_streams_at_once_do_not_wait_for_each_other() -> None:
    open_streams = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal open_streams
        response = web.StreamResponse()
        await response.prepare(request)
        open_streams += 1
        await asyncio.Event().wait()
        return response

    async with before(endless) as client:
        waiting = [asyncio.create_task(client.get("/v1/orders")) for _ in range(90)]
        await eventually(lambda: open_streams == 90)
        for answer in await asyncio.gather(*waiting):
            answer.close()


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v1/contacts", "contacts"),
        ("/v1/contacts/0190/consents", "contacts"),
        ("/v1/dead-letters/x/replay", "interactions"),
        ("/v1/contacts-old", None),
        ("/v1/contactsx/1", None),
        ("/", None),
        ("", None),
    ],
)
def test_a_prefix_covers_whole_segments(path: str, service: str | None) -> None:
    assert service_of(path) == service


def test_no_path_belongs_to_two_services() -> None:
    paths = [path for prefixes in ROUTES.values() for path in prefixes]
    assert len(paths) == len(set(paths))
