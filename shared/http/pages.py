"""Lists over HTTP: a page, its opaque cursor, and the parameters that ask for the next one."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Query
from pydantic import BaseModel, Field

from shared.http.problems import Problem

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=1000, description="How many items a page has at most.")]
"""Declare it as `limit: Limit = 100`."""
Cursor = Annotated[
    str | None, Query(max_length=2000, description="`next` of the page before; absent or empty for the first.")
]
"""Declare it as `cursor: Cursor = None`, and read it with `decode_cursor`."""


class Page(BaseModel, Generic[T]):
    """A part of a list. `next` is the cursor of the following part, null on the last."""

    items: list[T]
    next: Annotated[str | None, Field(examples=["eyJhZnRlciI6IjAxOWFhNyJ9"])] = None


def encode_cursor(value: dict[str, Any]) -> str:
    """An opaque cursor. `value` holds what JSON holds; datetimes come back as their ISO text."""
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


def decode_cursor(cursor: str) -> dict[str, Any]:
    """What `encode_cursor` was given. Anything that is no cursor is a 400 that names it."""
    try:
        value = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        value = None
    if not isinstance(value, dict):
        raise bad_cursor()
    return value


def text_of(cursor: str | None, name: str) -> str | None:
    """The text that `encode_cursor` was given under a name; None for the first page."""
    if not cursor:
        return None
    text = decode_cursor(cursor).get(name)
    if not isinstance(text, str):
        raise bad_cursor()
    return text


def encode_moment(moment: datetime, place: str) -> str:
    """The cursor of a list by time, newest first: when the last of the page was, and which of that time it is."""
    return encode_cursor({"at": moment, "place": place})


def moment_and_place(cursor: str | None) -> tuple[datetime, str] | None:
    """What `encode_moment` was given; None for the first page."""
    if not cursor:
        return None
    told = decode_cursor(cursor)
    at, place = told.get("at"), told.get("place")
    try:
        moment = datetime.fromisoformat(at) if isinstance(at, str) else None
        # Also of one that nobody can tell in universal time, at the ends of the calendar.
        moment = moment and (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        moment = None
    if moment is None or not isinstance(place, str):
        raise bad_cursor()
    return moment, place


def bad_cursor() -> Problem:
    """For a cursor that is well-formed, but not one of this list."""
    return Problem(400, "Invalid cursor", errors=[("query.cursor", "use `next` of the page before, unchanged")])
