"""A row of a file as the report that it is: `crm.contact.reported.v1`, held against its contract. Pure.

A mapping is made ready once (`Drafting`); each row then costs a dictionary and its validation.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping as Map, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from services.contacts.domain.identities import distinct
from services.contacts.domain.importing.cells import READ, NotA, boolean, moment, texts
from services.contacts.domain.importing.mapping import CONSENT, PLAIN, Column, Mapping
from services.contacts.domain.values import phone as phones
from shared.contracts.channels import ContactReported
from shared.contracts.fact import Identifier

MOST_IDENTIFIERS = 10
"""That a report holds; a row may have more, as a contact has."""
# As the contract has them: what is of this form identifies.
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
CONSENTS = {"granted", "denied", "withdrawn"}
SIMPLE = PLAIN - {"email", "phone"}


class Rejected(ValueError):
    """A row that says nothing we can take: the reason as a word that stays the same, where, and why."""

    def __init__(self, reason: str, column: str | None, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.column = column
        self.detail = detail


@dataclass(frozen=True)
class Draft:
    """What a row says. `identifiers` are all that it says who it is about, e-mail and phone last."""

    report: ContactReported
    identifiers: list[Identifier]
    customer_id: str | None = None


@dataclass
class _Row:
    data: dict[str, Any] = field(default_factory=dict)
    identifiers: list[dict[str, str]] = field(default_factory=list)
    consents: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    places: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    chosen: list[str] = field(default_factory=list)
    customer_id: str | None = None
    phone_country: str | None = None
    said_by: dict[str, str] = field(default_factory=dict)
    """The column of each field of `data`."""


Put = Callable[[_Row, list[str]], None]


class Drafting:
    """A mapping, ready for rows."""

    def __init__(self, name: str, mapping: Mapping, said_at: datetime, country: str | None = None) -> None:
        """`said_at`: when rows were said that do not say it. `country`: of telephone numbers without one."""
        self.mapping = mapping
        self.said_at = said_at
        self.country = country
        self.row_scheme = f"import.{name}"[:64]
        self.puts = [(column, self._put(column)) for column in mapping.columns]

    def draft(self, cells: Map[str, str | Sequence[str]]) -> Draft:
        """Raises Rejected."""
        row = _Row(data={"reported_at": self.said_at})
        for column, put in self.puts:
            cell = column.constant if column.source is None else cells.get(column.source)
            if not cell:
                continue
            try:
                if found := texts(cell, column):
                    row.said_by.setdefault(column.to.partition(".")[0], column.source or column.to)
                    put(row, found)
            except (NotA, OverflowError) as error:
                raise Rejected("invalid-value", column.source or column.to, str(error)) from None
        return self._finished(row, cells)

    def _finished(self, row: _Row, cells: Map[str, str | Sequence[str]]) -> Draft:
        data = row.data
        if self.mapping.row_key and (key := cells.get(self.mapping.row_key)) and isinstance(key, str) and key.strip():
            row.identifiers.append({"scheme": self.row_scheme, "value": key.strip()})
        if row.consents:
            claims = [
                {"given_at": data["reported_at"], **claim} for claim in row.consents.values() if "status" in claim
            ]
            data["consents"] = [*data.get("consents", ()), *claims]
        for purpose, place in row.places.items():
            data.setdefault("addresses", []).append({"typed": place, "purpose": purpose})
        for name in row.chosen:
            data.pop(name, None)
        self._reachable(row)
        return self._validated(row)

    def _reachable(self, row: _Row) -> None:
        """What cannot be an identifier is kept in the lists, as typed, to be judged there: nothing is refused for doubt."""
        data = row.data
        if typed := data.pop("phone", None):
            country = row.phone_country or self.country
            if understood := typed if E164.fullmatch(typed) else phones.understand(typed, country).understood:
                data["phone"] = understood
            else:
                data.setdefault("phones", []).append({"typed": typed, "country": row.phone_country})
        if typed := data.pop("email", None):
            if EMAIL.fullmatch(typed):
                data["email"] = typed
            else:
                data.setdefault("emails", []).append({"typed": typed})

    def _validated(self, row: _Row) -> Draft:
        mail, number = row.data.get("email"), row.data.get("phone")
        last = [("email", mail), ("phone", number)]
        who = [*row.identifiers, *({"scheme": scheme, "value": value} for scheme, value in last if value)]
        if not who and row.customer_id is None:
            raise Rejected("no-identity", None, "nothing in it says who it is about")
        row.data["customer"] = who[:MOST_IDENTIFIERS] or [{"scheme": "customer-id", "value": row.customer_id}]
        try:
            report = ContactReported.model_validate(row.data)
            identifiers = [Identifier.model_validate(one) for one in who]
        except ValidationError as error:
            raise _refusal(error, row.said_by) from None
        return Draft(report, distinct(identifiers), row.customer_id)

    def _put(self, column: Column) -> Put:
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
    def put(row: _Row, found: list[str]) -> None:
        row.data["phone"], row.phone_country = found[0], column.country

    return put


def _points(column: Column) -> Put:
    claim: dict[str, Any] = {"purpose": column.purpose}
    if column.to == "phones" and column.country:
        claim["country"] = column.country

    def put(row: _Row, found: list[str]) -> None:
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

    def put(row: _Row, found: list[str]) -> None:
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

    def put(row: _Row, found: list[str]) -> None:
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


def _refusal(error: ValidationError, said_by: Map[str, str]) -> Rejected:
    """The first thing that is wrong, at the column that says it."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = [str(part) for part in first["loc"]]
    field_name = where[0] if where else ""
    column = said_by.get(field_name) or (
        said_by.get("identifiers") if field_name in {"customer", "scheme", "value"} else None
    )
    return Rejected("invalid-value", column or ".".join(where) or None, f"{'.'.join(where)}: {first['msg']}")
