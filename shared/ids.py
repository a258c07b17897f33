"""Identifiers that we give: UUIDv7 (RFC 9562), which sort by the time of their making."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_VERSION_AND_VARIANT = 0x7 << 76 | 0b10 << 62


def uuid7(now: datetime) -> str:
    """A new id: 48 bits of milliseconds since 1970, then random bits."""
    return next(uuid7s(now))


def uuid7s(now: datetime) -> Iterator[str]:
    """New ids of one moment, in growing order: random where they begin, then counted on (RFC 9562, 6.2, method 2)."""
    time = (_milliseconds(now) & ((1 << 48) - 1)) << 80
    place = secrets.randbits(73)  # one bit short of what there is, so that no counting overflows
    while True:
        high, low = place >> 62, place & ((1 << 62) - 1)
        text = f"{time | high << 64 | _VERSION_AND_VARIANT | low:032x}"
        yield f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        place += 1


def made_at(id_: str) -> datetime:
    """When an id was made, to the millisecond."""
    return _EPOCH + int(id_.replace("-", "")[:12], 16) * _MILLISECOND


def before(moment: datetime) -> str:
    """What every id sorts before that was made before the millisecond of this moment, and every other id behind."""
    digits = f"{_milliseconds(moment):012x}"
    return f"{digits[:8]}-{digits[8:]}"


def _milliseconds(moment: datetime) -> int:
    """Whole ones since 1970. In whole numbers: a float has some moments in the millisecond behind theirs."""
    return max(0, (moment - _EPOCH) // _MILLISECOND)
