"""Ways to ask for one customer, all from this process and event loop. How often is not decided here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

from tests.bench.growth.platform import Platform
from tests.bench.line import Lines

Answer = Awaitable[bytes]
WAYS = tuple(f"{who} by {what}" for what in ("id", "identifier") for who in ("find_one", "sync", "gateway"))


@dataclass(frozen=True, slots=True)
class Target:
    """A customer that is there, and one of its identifiers."""

    customer_id: str
    identifier: str


Reader = Callable[[Target], Answer]


class WrongAnswer(Exception):
    """Somebody else's view, or none."""


@asynccontextmanager
async def readers(platform: Platform) -> AsyncIterator[dict[str, Reader]]:
    """How to read in each of the ways."""
    views = platform.database("sync")["views"]
    key = platform.running.admin_key
    sync, gateway = Lines(platform.url("sync"), key), Lines(platform.url("gateway"), key)

    async def by_id(target: Target) -> bytes:
        return encoded(await views.find_one({"_id": target.customer_id}, {"view": 1}))

    async def by_identifier(target: Target) -> bytes:
        return encoded(await views.find_one({"identifiers": target.identifier}, {"view": 1}))

    try:
        yield {
            "find_one by id": by_id,
            "find_one by identifier": by_identifier,
            "sync by id": lambda target: sync.get(path_of_id(target)),
            "sync by identifier": lambda target: sync.get(path_of_identifier(target)),
            "gateway by id": lambda target: gateway.get(path_of_id(target)),
            "gateway by identifier": lambda target: gateway.get(path_of_identifier(target)),
        }
    finally:
        sync.close()
        gateway.close()


def encoded(document: dict[str, str] | None) -> bytes:
    if document is None:
        raise WrongAnswer("there is no such view")
    return document["view"].encode()


def path_of_id(target: Target) -> str:
    return f"/v1/customers/{target.customer_id}"


def path_of_identifier(target: Target) -> str:
    return f"/v1/customers?identifier={quote(target.identifier, safe='')}"
