"""A row of a file as the report that it is: `crm.contact.reported.v1`, held against its contract. Pure.

A mapping is made ready once (`Drafting`); each row then costs a dictionary and its validation.
"""

import re
from collections.abc import Mapping as Map, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from services.contacts.domain.identities import distinct
from services.contacts.domain.importing.cells import NotA, texts
from services.contacts.domain.importing.columns import Row, put_of
from services.contacts.domain.importing.mapping import Mapping
from services.contacts.domain.values import phone as phones
from shared.contracts.channels import ContactReported
from shared.contracts.fact import Identifier
from shared.contracts.texts import WHY, control_in, has_control

MOST_IDENTIFIERS = 10
"""That a report holds; a row may have more, as a contact has."""
# As the contract has them: what is of this form identifies.
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")


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


def row_scheme(mapping_name: str) -> str:
    """Of the identifiers of those who are named by nothing but the row's key."""
    return f"import.{mapping_name}"[:64]


class Drafting:
    """A mapping, ready for rows."""

    def __init__(self, name: str, mapping: Mapping, said_at: datetime, country: str | None = None) -> None:
        """`said_at`: when rows were said that do not say it. `country`: of telephone numbers without one."""
        self.mapping = mapping
        self.said_at = said_at
        self.country = country
        self.row_scheme = row_scheme(name)
        self.puts = [(column, put_of(column)) for column in mapping.columns]

    def draft(self, cells: Map[str, str | Sequence[str]]) -> Draft:
        """Raises Rejected."""
        row = Row(data={"reported_at": self.said_at})
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

    def _finished(self, row: Row, cells: Map[str, str | Sequence[str]]) -> Draft:
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

    def _reachable(self, row: Row) -> None:
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

    def _validated(self, row: Row) -> Draft:
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
        if any(has_control(one.value) for one in identifiers):
            raise Rejected("invalid-value", row.said_by.get("identifiers"), f"an identifier {WHY}")
        if place := control_in(report):
            raise Rejected("invalid-value", row.said_by.get(place.partition(".")[0], place), f"{place} {WHY}")
        return Draft(report, distinct(identifiers), row.customer_id)


def _refusal(error: ValidationError, said_by: Map[str, str]) -> Rejected:
    """The first thing that is wrong, at the column that says it."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = [str(part) for part in first["loc"]]
    field_name = where[0] if where else ""
    column = said_by.get(field_name) or (
        said_by.get("identifiers") if field_name in {"customer", "scheme", "value"} else None
    )
    return Rejected("invalid-value", column or ".".join(where) or None, f"{'.'.join(where)}: {first['msg']}")
