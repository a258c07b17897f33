"""What happens to every request, whatever the route: correlation id, safe headers, a body limit, no leaking error.

Plain ASGI, because Starlette's BaseHTTPMiddleware costs a task a request and breaks streams.
"""

import re
import secrets
from collections.abc import Mapping

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.problems import Problem, problem_response, translate
from shared.logging import whereabouts

log = structlog.get_logger(__name__)

CORRELATION_HEADER = "x-correlation-id"
# Longer or stranger ones are replaced: the id goes into logs, event headers and answers.
WELL_FORMED_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
SAFE_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",  # answers hold personal data
}


def new_correlation_id() -> str:
    return secrets.token_hex(16)


class Correlation:
    """Binds the caller's correlation id, or a new one, to all logs and events of the request, and echoes it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(CORRELATION_HEADER, "")
        correlation_id = given if WELL_FORMED_ID.fullmatch(given) else new_correlation_id()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[CORRELATION_HEADER] = correlation_id
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            await self.app(scope, receive, send_with_headers)


class LastResort:
    """Answers what no route expected: 503 if a server we need is away, else 500 without a word about our inside."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except ClientDisconnect:
            log.info("caller_left", route=_pattern(scope))
        except Exception as error:
            problem = translate(error)
            if problem is None:
                # The route's pattern and the error's place: paths, queries and error texts may hold personal data.
                log.error("request_failed", route=_pattern(scope), error=type(error).__name__, at=whereabouts(error))
            if started:
                raise  # the answer is under way and cannot be changed; the server cuts the connection
            await problem_response(problem or Problem(500))(scope, receive, send)


def _pattern(scope: Scope) -> str | None:
    return getattr(scope.get("route"), "path", None)


class BodyLimit:
    """Refuses larger bodies: at once if the length is declared, else as soon as too much has arrived."""

    def __init__(self, app: ASGIApp, max_bytes: int, larger: Mapping[str, int] | None = None) -> None:
        """`larger`: limits of single paths, of routes that read their bodies piece by piece."""
        self.app = app
        self.max_bytes = max_bytes
        self.larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self.larger.get(scope["path"], self.max_bytes)
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > most:
            await problem_response(_too_large(most))(scope, receive, send)
            return
        arrived = 0

        async def receive_and_count() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > most:
                raise _too_large(most)
            return message

        await self.app(scope, receive_and_count, send)


def _too_large(most: int) -> Problem:
    return Problem(413, detail=f"A request body has at most {most} bytes.", headers={"connection": "close"})
