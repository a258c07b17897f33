"""Tokens of links that customers get: what for, until when, and a number that means nothing outside. Pure.

A token names nobody: whose it is is kept under its number. It is signed, so whoever makes one up, changes one or lengthens its
life is refused before anything is looked up.
"""

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["confirmation", "preferences"]
NUMBER_BYTES, SEAL_BYTES = 16, 16
HEAD = struct.Struct(f">BBQ{NUMBER_BYTES}s")
KINDS: dict[Kind, int] = {"confirmation": 1, "preferences": 2}
VERSION = 1
MAX_LENGTH = 400


class BadToken(ValueError):
    """Not made by us, or not as we made it, or for something else."""


class TokenExpired(ValueError):
    """Made by us, and over."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a link lets whoever has it do. `about`: a purpose and a channel, if it is about one of them."""

    kind: Kind
    number: bytes
    expires_at: datetime
    about: tuple[str, str] | None = None


def sign(key: bytes, token: Token) -> str:
    """To be a part of a path."""
    about = "|".join(token.about) if token.about else ""
    head = HEAD.pack(VERSION, KINDS[token.kind], int(token.expires_at.timestamp()), token.number)
    told = head + about.encode()
    return _text(told + _seal(key, told))


def read(key: bytes, text: str, kind: Kind, now: datetime) -> Token:
    """Raises BadToken, TokenExpired."""
    sealed = _bytes(text)
    told, seal = sealed[:-SEAL_BYTES], sealed[-SEAL_BYTES:]
    if len(told) < HEAD.size or not hmac.compare_digest(seal, _seal(key, told)):
        raise BadToken
    version, number_of_kind, expires, number = HEAD.unpack(told[: HEAD.size])
    if (version, number_of_kind) != (VERSION, KINDS[kind]):
        raise BadToken
    purpose, _, channel = told[HEAD.size :].decode().partition("|")
    token = Token(kind, number, datetime.fromtimestamp(expires, UTC), (purpose, channel) if purpose else None)
    if token.expires_at <= now:
        raise TokenExpired
    return token


def _seal(key: bytes, told: bytes) -> bytes:
    return hmac.digest(key, told, "sha256")[:SEAL_BYTES]


def _text(told: bytes) -> str:
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """Raises BadToken also for another way of writing the same bytes."""
    if not text.isascii() or len(text) > MAX_LENGTH:
        raise BadToken
    try:
        told = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise BadToken from None
    if _text(told) != text:
        raise BadToken
    return told
