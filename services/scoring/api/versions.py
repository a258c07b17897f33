"""What all lists of versions have in common: numbers that grow by one, and pages of them, the newest first."""

from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import Path

from shared.http import bad_cursor, decode_cursor, encode_cursor

Version = Annotated[int, Path(ge=1, le=2**53)]


class Versioned(Protocol):
    @property
    def version(self) -> int: ...


def before(cursor: str | None) -> int | None:
    """The version that a page ends before; None: the page of the newest. Raises the problem of a bad cursor."""
    if not cursor:
        return None
    match decode_cursor(cursor):
        case {"before": int(version)} if abs(version) <= 2**53:
            return version
        case _:
            raise bad_cursor()


def following(items: Sequence[Versioned], limit: int) -> str | None:
    """The cursor of the page after these."""
    return encode_cursor({"before": items[-1].version}) if len(items) == limit else None
