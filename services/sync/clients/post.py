"""Posts signed webhooks (Standard Webhooks 1.0) to receivers, and to public addresses only."""

from __future__ import annotations

import hmac
import os
import ssl
from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from services.sync.clients.connection import Disconnected, NotHttp
from services.sync.clients.pool import NotPublic, Origin, Pool, Unreachable
from services.sync.domain.addresses import ForbiddenUrl, check_url
from services.sync.handlers.webhooks import Answer

HEAD = (
    "POST {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: rapport\r\naccept: */*\r\ncontent-type: application/json\r\n"
)
PLAIN = "/%:=&?+!$,;'()*@~-._[]|"


class SignedPost:
    """The courier."""

    def __init__(
        self, *, allow_private: bool, timeout: float, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.allow_private = allow_private
        self.now = now
        self.timeout = timeout
        self.pool: Pool

    async def open(self) -> None:
        """In the event loop that sends."""
        self.pool = Pool(allow_private=self.allow_private)

    async def close(self) -> None:
        self.pool.close()

    async def send(self, url: str, secrets: Sequence[str], message_id: str, body: bytes) -> Answer:
        """Sign and post, once. Never raises: what goes wrong is part of the answer."""
        try:
            to = target(url, allow_private=self.allow_private)
            headers = signed(secrets, message_id, self.now(), body)
            reply = await self.pool.send(to.origin, to.request(headers, body), self.timeout)
            return Answer(reply.status, reply.retry_after)
        except ForbiddenUrl as error:
            return Answer(None, error=str(error))
        except TimeoutError:
            return Answer(None, error="did not answer in time")
        except OSError as error:
            return Answer(None, error=in_words(error))


class Target(NamedTuple):
    """Where a URL leads, and how every request to it begins."""

    origin: Origin
    head: bytes

    def request(self, headers: dict[str, str], body: bytes) -> bytes:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return b"%s%scontent-length: %d\r\n\r\n%s" % (self.head, lines.encode(), len(body), body)


@lru_cache(maxsize=1000)
def target(url: str, *, allow_private: bool) -> Target:
    """Raises ForbiddenUrl."""
    check_url(url, allow_private=allow_private)
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    path = quote(parts.path or "/", safe=PLAIN) + (f"?{quote(parts.query, safe=PLAIN)}" if parts.query else "")
    head = HEAD.format(path=path, host=parts.netloc)
    return Target(Origin(parts.hostname or "", parts.port or (443 if secure else 80), secure), head.encode())


def signed(secrets: Sequence[str], message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks; during a change of secrets both sign."""
    timestamp = str(int(now.timestamp()))
    content = b"%s.%s.%s" % (message_id.encode(), timestamp.encode(), body)
    signatures = [b2a_base64(hmac.digest(key(secret), content, "sha256"), newline=False) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature.decode()}" for signature in signatures),
    }


@lru_cache(maxsize=1000)
def key(secret: str) -> bytes:
    return b64decode(secret.removeprefix("whsec_"))


def in_words(error: OSError) -> str:
    """What went wrong, without the addresses and paths that the errors' own words are full of."""
    match error:
        case NotPublic():
            return "the address is not public"
        case Disconnected():
            return "hung up without an answer"
        case NotHttp():
            return "answered something that is not HTTP"
        case Unreachable(__cause__=ssl.SSLCertVerificationError()):
            return "cannot be reached (its certificate is not valid)"
        case Unreachable(__cause__=ssl.SSLError()):
            return "cannot be reached (TLS fails)"
        case Unreachable():
            return f"cannot be reached ({os.strerror(error.errno) if error.errno else error})"
    return f"failed ({type(error).__name__})"
