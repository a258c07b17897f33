"""One base URL for all services of a local platform: a streaming reverse proxy that goes by `routes.py`.

It knows nothing of what it carries: no keys are checked here, no bodies are read, nothing is kept.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import aiohttp
import orjson
import uvloop
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from deploy.local.layout import Ports, remembered
from deploy.local.routes import ROUTES, SERVICES, service_of
from deploy.local.services import KEEP_ALIVE_SECONDS

HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
        *("te", "trailer", "transfer-encoding", "upgrade", "expect"),
    }
)
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0
"""Until the answer begins; how long it then goes on is up to the two ends."""
IDLE_SECONDS = KEEP_ALIVE_SECONDS - 15.0
"""Shorter than the services keep an idle connection, so that none is used in the moment of its closing."""
PORTS = web.AppKey("ports", Ports)
CLIENT = web.AppKey("client", aiohttp.ClientSession)


def create(ports: Ports) -> web.Application:
    app = web.Application()
    app[PORTS] = ports
    app.cleanup_ctx.append(_client)
    app.router.add_get("/", index)
    app.router.add_get("/livez", alive)
    app.router.add_get("/readyz", ready)
    app.router.add_route("*", "/{path:.*}", forward)
    return app


async def index(request: web.Request) -> web.Response:
    """What is where."""
    ports = request.app[PORTS]
    return _json(
        {
            "name": "Rapport",
            "ready": "/readyz",
            "services": {
                name: {
                    "paths": ROUTES[name],
                    "docs": f"http://127.0.0.1:{ports[name]}/docs",
                    "openapi": f"http://127.0.0.1:{ports[name]}/openapi.json",
                    "metrics": f"http://127.0.0.1:{ports[name]}/metrics",
                }
                for name in SERVICES
            },
        }
    )


async def alive(_: web.Request) -> web.Response:
    return _json({"live": True})


async def ready(request: web.Request) -> web.Response:
    """Ready when every service is."""
    answers = await asyncio.gather(*(_is_ready(request.app, name) for name in SERVICES))
    return _json(
        {"ready": all(answers), "services": dict(zip(SERVICES, answers, strict=True))},
        HTTPStatus.OK if all(answers) else HTTPStatus.SERVICE_UNAVAILABLE,
    )


async def _is_ready(app: web.Application, name: str) -> bool:
    timeout = aiohttp.ClientTimeout(total=CONNECT_SECONDS)
    try:
        async with app[CLIENT].get(f"http://127.0.0.1:{app[PORTS][name]}/readyz", timeout=timeout) as answer:
            return answer.status == HTTPStatus.OK
    except (aiohttp.ClientError, TimeoutError):
        return False


async def forward(request: web.Request) -> web.StreamResponse:
    service = service_of(request.path)
    if service is None:
        return problem(HTTPStatus.NOT_FOUND, f"no service answers {request.path}; GET / tells what is where")
    url = URL(f"http://127.0.0.1:{request.app[PORTS][service]}{request.raw_path}", encoded=True)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await request.app[CLIENT].request(
                request.method,
                url,
                headers=_onward(request),
                data=request.content if request.body_exists else None,
                allow_redirects=False,
            )
    except TimeoutError:
        return problem(HTTPStatus.GATEWAY_TIMEOUT, f"{service} did not answer within {ANSWER_SECONDS:.0f} s")
    except aiohttp.ClientError:
        return problem(HTTPStatus.BAD_GATEWAY, f"{service} cannot be reached", {"Retry-After": "1"})
    try:
        return await _back(request, answer)
    finally:
        # An answer that was not read to its end (the client has gone) takes its connection with it.
        answer.close()


async def _back(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """Pass the answer on as it comes, each piece at once."""
    response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=end_to_end(answer.headers))
    await response.prepare(request)
    try:
        async for piece in answer.content.iter_any():
            await response.write(piece)
    except (aiohttp.ClientError, TimeoutError):
        # The service broke off. The client must not take what it has for the whole.
        if request.transport:
            request.transport.abort()
        return response
    await response.write_eof()
    return response


def end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """The headers that are meant for the other end, not for the next hop."""
    named = {name.strip().lower() for value in headers.getall("connection", ()) for name in value.split(",")}
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP | named)


def _onward(request: web.Request) -> CIMultiDict[str]:
    headers = end_to_end(request.headers)
    headers["X-Forwarded-For"] = request.remote or "unknown"
    headers["X-Forwarded-Host"] = request.host
    headers["X-Forwarded-Proto"] = request.scheme
    return headers


async def _client(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
    ) as client:
        app[CLIENT] = client
        yield


def problem(status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    """The gateway's own errors, in the form in which the services tell theirs (RFC 9457)."""
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    return _json(body, status, "application/problem+json", headers)


def _json(
    body: object,
    status: HTTPStatus = HTTPStatus.OK,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type=content_type, headers=headers)


def main(state: Path) -> None:
    ports = remembered(state).ports
    web.run_app(
        create(ports),
        host="127.0.0.1",
        port=ports["gateway"],
        access_log=None,
        handler_cancellation=True,  # a client that goes away ends the request behind the gateway too
        loop=uvloop.new_event_loop(),
        print=None,
        shutdown_timeout=5,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
