"""What is written in a cell, as the value that it means. Raises NotA, in words for the person who sent the file."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from services.contacts.domain.importing.mapping import Column

YES = frozenset(
    {"1", "true", "yes", "y", "x", "on", "ja", "j", "wahr", "oui", "vrai", "sí", "si", "da", "tak", "granted"}
)
NO = frozenset({"0", "false", "no", "n", "off", "nein", "falsch", "non", "faux", "net", "nie", "denied"})
NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?", re.ASCII)
GROUPED = re.compile(r"[+-]?\d{1,3}([.,' \u00a0\u202f]\d{3})+")
GROUPS = re.compile(r"[.,' \u00a0\u202f]")


class NotA(ValueError):
    """The text cannot be understood as what the mapping says it is."""


def texts(cell: str | Sequence[str], column: Column) -> list[str]:
    """The values of a cell, without blanks around them and without empty ones."""
    listed = [cell] if isinstance(cell, str) else cell
    if column.separator:
        listed = [part for one in listed for part in one.split(column.separator)]
    if column.type == "exact":
        return [one for one in listed if one]
    found = [stripped for one in listed if (stripped := one.strip())]
    return [_meant(one, column) for one in found] if column.values else found


def _meant(text: str, column: Column) -> str:
    try:
        return column.values[text]
    except KeyError:
        raise NotA("is none of the values that the mapping knows") from None


def number(text: str, column: Column) -> int | float:
    """A whole number if it is written as one."""
    whole, _, fraction = text.partition(column.decimal)
    if GROUPED.fullmatch(whole):
        whole = GROUPS.sub("", whole)
    plain = f"{whole}.{fraction}" if fraction else whole
    if not NUMBER.fullmatch(plain):
        raise NotA("is not a number")
    return float(plain) if any(sign in plain for sign in ".eE") else int(plain)


def boolean(text: str, _: Column) -> bool:
    folded = text.casefold()
    if folded in YES | NO:
        return folded in YES
    raise NotA("is neither yes nor no")


def moment(text: str, column: Column) -> datetime:
    """A time; one without an offset is taken to be UTC, a date to be its midnight."""
    try:
        # Formats without %z are as good; what they read is taken for UTC.
        found = datetime.strptime(text, column.format) if column.format else datetime.fromisoformat(text)  # noqa: DTZ007
    except ValueError:
        raise NotA(f"is no date of the form {column.format or '2026-01-31'}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def date(text: str, column: Column) -> str:
    """As ISO 8601, without the time of day where there is none."""
    found = moment(text, column)
    if (found.hour, found.minute, found.second, found.microsecond) == (0, 0, 0, 0):
        return found.date().isoformat()
    return found.isoformat()


def json(text: str, _: Column) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        raise NotA("is not JSON") from None


READ: dict[str, Callable[[str, Column], Any]] = {
    "text": lambda text, _: text,
    "exact": lambda text, _: text,
    "number": number,
    "boolean": boolean,
    "date": date,
    "json": json,
}
