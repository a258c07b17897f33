"""Tokens of links that customers get: what for, until when, and a number that means nothing outside. Pure.

A token names nobody: whose it is is kept under its number. It is signed, so whoever makes one up, changes one or lengthens its
life is refused before anybody is looked up. It says with which key, so that keys can follow each other: the newest signs, the
others are believed until they are retired.
"""

import base64
import binascii
import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["confirmation", "preferences"]
NUMBER_BYTES, SEAL_BYTES = 16, 16
HEAD = struct.Struct(f">BBHQ{NUMBER_BYTES}s")
"""Version, kind, number of the key, end in seconds since 1970, number of the customer or confirmation."""
KINDS: dict[Kind, int] = {"confirmation": 1, "preferences": 2}
VERSION = 2
FIRST_VERSION, FIRST_HEAD, FIRST_KEY = 1, struct.Struct(f">BBQ{NUMBER_BYTES}s"), 0
"""What the first key signs has no number, as it had none before there were others."""
MOST_KEYS = 1 << 16
MAX_LENGTH = 400
LONGEST = timedelta(days=730)
"""No link lives longer. So long after a key has signed for the last time it is needed by none."""


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


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that are believed, by number, and the one that signs."""

    signing: int
    keys: Mapping[int, bytes]


def sign(ring: KeyRing, token: Token) -> str:
    """To be a part of a path."""
    kind, expires = KINDS[token.kind], int(token.expires_at.timestamp())
    if ring.signing == FIRST_KEY:
        head = FIRST_HEAD.pack(FIRST_VERSION, kind, expires, token.number)
    else:
        head = HEAD.pack(VERSION, kind, ring.signing, expires, token.number)
    told = head + "|".join(token.about or ()).encode()
    return _text(told + _seal(ring.keys[ring.signing], told))


def read(ring: KeyRing, text: str, kind: Kind, now: datetime) -> Token:
    """Raises BadToken, TokenExpired."""
    sealed = _bytes(text)
    told, seal = sealed[:-SEAL_BYTES], sealed[-SEAL_BYTES:]
    number_of_kind, number_of_key, expires, number, about = _parts(told)
    key = ring.keys.get(number_of_key)
    if key is None or not hmac.compare_digest(seal, _seal(key, told)) or number_of_kind != KINDS[kind]:
        raise BadToken
    purpose, _, channel = about.decode().partition("|")
    token = Token(kind, number, datetime.fromtimestamp(expires, UTC), (purpose, channel) if purpose else None)
    if token.expires_at <= now:
        raise TokenExpired
    return token


def _parts(told: bytes) -> tuple[int, int, int, bytes, bytes]:
    """Kind, key, end, number and what it is about. Nothing of it is to be believed yet."""
    first = told[:1] == bytes([FIRST_VERSION])
    head = FIRST_HEAD if first else HEAD
    if len(told) < head.size:
        raise BadToken
    version, kind, *key, expires, number = head.unpack(told[: head.size])
    if version not in {FIRST_VERSION, VERSION}:
        raise BadToken
    return kind, FIRST_KEY if first else key[0], expires, number, told[head.size :]


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
