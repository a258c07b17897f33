"""Requests of people who have no key: how much they may send, and from where it comes."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Protocol

from fastapi import Request

from shared.http import Problem

URLENCODED = "application/x-www-form-urlencoded"


async def body_of(request: Request, most: int, what: str) -> bytes:
    """Raises Problem, if it has more bytes than `what` ever has."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise Problem(413, detail=f"A {what} has at most {most} bytes.", headers={"connection": "close"})
    return bytes(body)


def address_of(request: Request, proxies: int) -> str:
    """Of the caller: what the outermost of our own proxies saw; what stands before it anybody can write."""
    seen = [one.strip() for line in request.headers.getlist("x-forwarded-for") for one in line.split(",")]
    if proxies and len(seen) >= proxies:
        return network_of(seen[-proxies])
    return network_of(request.client.host) if request.client else "unknown"


def network_of(address: str) -> str:
    """What is counted as one caller: of IPv6 the 64 bits that one connection is given, for the others it chooses itself."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((int(found), 64), strict=False))


class Limiter(Protocol):
    """Counts what comes from where."""

    async def allows(self, form: str, address: str, per_minute: int) -> bool: ...


@dataclass(frozen=True)
class Gate:
    """Lets so much in of one address a minute."""

    limiter: Limiter
    name: str
    proxies: int
    per_minute: int

    async def open_to(self, request: Request) -> None:
        """Raises Problem."""
        if not await self.limiter.allows(self.name, address_of(request, self.proxies), self.per_minute):
            raise Problem(429, detail="Too many from one address.", headers={"retry-after": "60"})
