"""Identifiers that we give: UUIDv7 (RFC 9562), which sort by the time of their making."""

import secrets
from datetime import datetime
from uuid import UUID


def uuid7(now: datetime) -> str:
    """A new id: 48 bits of milliseconds since 1970, then random bits."""
    milliseconds = max(0, int(now.timestamp() * 1000)) & ((1 << 48) - 1)
    high = milliseconds << 16 | 0x7000 | secrets.randbits(12)
    low = 0b10 << 62 | secrets.randbits(62)
    return str(UUID(int=high << 64 | low))
