"""Posts signed webhooks (Standard Webhooks 1.0) to receivers, and to public addresses only."""

import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from standardwebhooks import Webhook

from services.sync.domain.addresses import ForbiddenUrl, check_url, is_public
from services.sync.handlers.webhooks import Answer

CONNECTIONS = 400
CONNECT_TIMEOUT = 5.0
ANSWER_BYTES = 4096
"""An answer's body is of no interest; a short one is read so that the connection can be used again."""


class NotPublic(OSError):
    """The name leads into a network that webhooks must not reach."""


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses those of which any address is not public.

    The connection goes to the very addresses that were judged, so a name cannot lead elsewhere a moment later.
    """

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not found or not all(is_public(result["host"]) for result in found):
            raise NotPublic("the address is not public")
        return found

    async def close(self) -> None:
        await self._resolver.close()


def public_socket(address: Any) -> socket.socket:
    """The last gate before connecting: addresses written into the URL never pass the resolver."""
    family, kind, protocol, _, target = address
    if not is_public(target[0]):
        raise NotPublic("the address is not public")
    return socket.socket(family, kind, protocol)


class SignedPost:
    """The courier. One session for all channels; a channel's concurrency is its worker's business."""

    def __init__(
        self, *, allow_private: bool, timeout: float, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.allow_private = allow_private
        self.now = now
        self.timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=min(CONNECT_TIMEOUT, timeout))
        self.session: aiohttp.ClientSession

    async def open(self) -> None:
        """In the event loop that sends."""
        guards: dict[str, Any] = {}
        if not self.allow_private:
            guards = {"resolver": PublicResolver(), "socket_factory": public_socket}
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, **guards),
            timeout=self.timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"content-type": "application/json", "user-agent": "rapport"},
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        await self.session.close()

    async def send(self, url: str, secrets: Sequence[str], message_id: str, body: bytes) -> Answer:
        """Sign and post, once. Never raises: what goes wrong is part of the answer."""
        try:
            check_url(url, allow_private=self.allow_private)
            headers = signed(secrets, message_id, self.now(), body)
            async with self.session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                await response.content.read(ANSWER_BYTES)
                return Answer(response.status, response.headers.get("retry-after"))
        except ForbiddenUrl as error:
            return Answer(None, error=str(error))
        except TimeoutError:
            return Answer(None, error="did not answer in time")
        except (aiohttp.ClientError, OSError) as error:
            return Answer(None, error=in_words(error))


def signed(secrets: Sequence[str], message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks; during a change of secrets both sign."""
    text = body.decode()
    signatures = [signer(secret).sign(message_id, now, text) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


@lru_cache(maxsize=1000)
def signer(secret: str) -> Webhook:
    return Webhook(secret)


def in_words(error: Exception) -> str:
    """What went wrong, without the addresses and paths that the errors' own words are full of."""
    if isinstance(error.__cause__, NotPublic) or isinstance(getattr(error, "os_error", None), NotPublic):
        return "the address is not public"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot be reached ({error.os_error.strerror or type(error).__name__})"
    return f"failed ({type(error).__name__})"
