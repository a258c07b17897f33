"""Where a page of this service's lists ends, as cursors carry it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from shared.http import bad_cursor, decode_cursor, encode_cursor

Item = TypeVar("Item")


class ByTime(BaseModel):
    """In a list that is newest first."""

    at: datetime
    id: str


class ById(BaseModel):
    id: str


class ByNumber(BaseModel):
    """In the list of all orders."""

    channel: str
    number: str


Position = TypeVar("Position", ByTime, ById, ByNumber)


def position(kind: type[Position], cursor: str | None) -> Position | None:
    """Where the page begins; None for the first page. A cursor of another list is a 400 that names it."""
    if not cursor:
        return None
    try:
        return kind.model_validate(decode_cursor(cursor))
    except ValidationError as error:
        raise bad_cursor() from error


def moment_and_id(cursor: str | None) -> tuple[datetime, str] | None:
    """Where a page of a list that is newest first begins; None for the first page."""
    start = position(ByTime, cursor)
    return (start.at, start.id) if start else None


def cut(found: Sequence[Item], limit: int, end: Callable[[Item], BaseModel]) -> tuple[Sequence[Item], str | None]:
    """A page of `limit` items and its `next`, from one item more than the page has, if there are more."""
    if len(found) <= limit:
        return found, None
    page = found[:limit]
    return page, encode_cursor(end(page[-1]).model_dump(mode="json"))
