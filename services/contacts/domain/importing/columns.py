"""What a column of a file says of a row's customer: where its values go, and how they are read. Pure."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.contacts.domain.importing.cells import READ, NotA, boolean, moment
from services.contacts.domain.importing.mapping import CONSENT, PLAIN, Column

CONSENTS = {"granted", "denied", "withdrawn"}
SIMPLE = PLAIN - {"email", "phone"}


@dataclass
class Row:
    """What the columns read so far have said of one row."""

    data: dict[str, Any] = field(default_factory=dict)
    identifiers: list[dict[str, str]] = field(default_factory=list)
    consents: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    places: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    chosen: list[str] = field(default_factory=list)
    customer_id: str | None = None
    phone_country: str | None = None
    said_by: dict[str, str] = field(default_factory=dict)
    """The column of each field of `data`."""


Put = Callable[[Row, list[str]], None]


def put_of(column: Column) -> Put:
    """What to do with a column's values."""
    head, _, tail = column.to.partition(".")
    if column.type == "json":
        return _whole(column)
    if column.to in SIMPLE:
        return lambda row, found: row.data.__setitem__(column.to, found[0])
    match head:
        case "email":
            return lambda row, found: row.data.__setitem__(head, found[0])
        case "phone":
            return _phone(column)
        case "phones" | "emails":
            return _points(column)
        case "name_parts":
            return lambda row, found: row.data.setdefault(head, {}).__setitem__(tail, " ".join(found))
        case "address":
            return lambda row, found: _place(row.data.setdefault("address", {}), tail, found)
        case "addresses":
            return lambda row, found: _place(row.places[column.purpose], tail, found)
        case "identifiers":
            return lambda row, found: row.identifiers.extend({"scheme": tail, "value": one} for one in found)
        case "consents":
            return _consent(column)
        case "attributes" | "preferences":
            read = READ[column.type]
            return lambda row, found: row.data.setdefault(head, {}).__setitem__(tail, read(found[0], column))
        case "interests":
            return lambda row, found: row.data.setdefault(head, {}).__setitem__(tail, boolean(found[0], column))
        case "reported_at":
            return lambda row, found: row.data.__setitem__(head, moment(found[0], column))
        case "customer_id":
            return lambda row, found: setattr(row, "customer_id", found[0])
        case "chosen":
            return lambda row, found: row.chosen.extend(found)
    raise AssertionError(f"{column.to} is a field that nobody reads")


def _phone(column: Column) -> Put:
    def put(row: Row, found: list[str]) -> None:
        row.data["phone"], row.phone_country = found[0], column.country

    return put


def _points(column: Column) -> Put:
    claim: dict[str, Any] = {"purpose": column.purpose}
    if column.to == "phones" and column.country:
        claim["country"] = column.country

    def put(row: Row, found: list[str]) -> None:
        row.data.setdefault(column.to, []).extend({"typed": one, **claim} for one in found)

    return put


def _place(place: dict[str, Any], part: str, found: list[str]) -> None:
    """Lines add up, in the order of the mapping; of other parts there is one."""
    if part == "line":
        place.setdefault("lines", []).extend(found)
    else:
        place[part] = found[0].upper() if part == "country" else found[0]


def _consent(column: Column) -> Put:
    parts = CONSENT.fullmatch(column.to)
    assert parts, "the mapping has been held against this"
    purpose, channel, about = parts.groups()

    def put(row: Row, found: list[str]) -> None:
        claim = row.consents.setdefault((purpose, channel), {"purpose": purpose, "channel": channel})
        match about:
            case None:
                claim["status"] = _status(found[0], column)
            case ".given_at" | ".valid_until":
                claim[about[1:]] = moment(found[0], column)
            case _:
                claim[about[1:]] = found[0]

    return put


def _status(text: str, column: Column) -> str:
    if text in CONSENTS:
        return text
    return "granted" if boolean(text, column) else "denied"


def _whole(column: Column) -> Put:
    """A cell of JSON: a list is added to what other columns say, an object too."""
    wanted = dict if column.to in {"attributes", "interests", "preferences"} else list

    def put(row: Row, found: list[str]) -> None:
        value = READ["json"](found[0], column)
        if not isinstance(value, wanted):
            raise NotA("is JSON, but no object" if wanted is dict else "is JSON, but no list")
        if isinstance(value, dict):
            row.data.setdefault(column.to, {}).update(value)
        elif column.to == "identifiers":
            row.identifiers.extend(value)
        else:
            row.data.setdefault(column.to, []).extend(value)

    return put
