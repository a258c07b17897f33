"""A contact as a row of a file: which fields there are, and what stands in them. Pure.

Everything that a contact says is in the row, in such a way that importing it again changes nothing
(`domain/importing`, `docs/decisions/0031-files-of-contacts.md`).
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from services.contacts.domain.survivorship import Known
from shared.contracts.channels import NameParts
from shared.contracts.contacts import Consent, Contact, Point

NAME_PARTS = tuple(f"name_parts.{name}" for name in NameParts.model_fields)
ADDRESS = (
    *(f"address.line{n}" for n in range(1, 7)),
    "address.postal_code",
    "address.city",
    "address.region",
    "address.country",
)
LISTS = ("identifiers", "phones", "emails", "addresses", "consents", "attributes", "interests", "preferences")
"""One cell of JSON each in tables."""
PLAIN = ("party", "stage", "name", "email", "phone", "language", "time_zone", "owner", "territory")
ALL = (
    "customer_id", "reported_at", "identifiers", "party", "stage", "name", *NAME_PARTS, "email", "phone", "language", *ADDRESS,
    "phones", "emails", "addresses", "time_zone", "attributes", "interests", "preferences", "consents", "owner", "territory",
    "chosen", "registered_at", "changed_at", "version",
)  # fmt: skip
"""`reported_at`: when the export began. `chosen`: fields that nobody has said, taken from the lists."""
ENTRY = re.compile(r"(attributes|interests|preferences|identifiers)\.([a-z0-9][a-z0-9._-]{0,63})")
GROUPS = {"address": ADDRESS, "name_parts": NAME_PARTS}

Row = dict[str, Any]
"""By field, in the order asked for: a text, or what JSON holds. What a contact does not have is absent."""


class NoSuchField(ValueError):
    """A field that no contact has."""


def fields_of(asked: str | None) -> list[str]:
    """The fields, in the order asked for; all of them, if nobody asks. Raises NoSuchField, with its name."""
    found: dict[str, None] = {}
    for name in asked.split(",") if asked else ALL:
        wanted = GROUPS.get(name.strip(), (name.strip(),))
        if wanted[0] not in ALL and not ENTRY.fullmatch(wanted[0]):
            raise NoSuchField(name.strip())
        found.update(dict.fromkeys(wanted))
    return list(found)


def exported(known: Known, fields: Sequence[str], as_of: datetime) -> Row:
    """A customer's row. `known`: of all whom they were found to be."""
    contact = known.published
    row: Row = {}
    for name in fields:
        value = as_of.isoformat() if name == "reported_at" else _value(contact, known, name)
        if value not in (None, "", [], {}):
            row[name] = value
    return row


def _value(contact: Contact, known: Known, name: str) -> Any:
    head, _, tail = name.partition(".")
    if read := SPECIAL.get(name):
        return read(contact)
    if name == "chosen":
        return sorted(known.chosen)
    if head == "address":
        return _of_address(contact, tail)
    if head == "name_parts":
        return contact.name_parts and getattr(contact.name_parts, tail)
    if head == "identifiers":
        return next((one.value for one in contact.identifiers if one.scheme == tail), None)
    held = attributes(contact) if head == "attributes" else getattr(contact, head)
    return held.get(tail) if tail else held


def attributes(contact: Contact) -> dict[str, Any]:
    """Also those whose fields are sensitive, as far as they are in the contact: who must not see them has it without."""
    return contact.attributes | contact.sensitive


def _of_address(contact: Contact, part: str) -> str | None:
    if contact.address is None:
        return None
    if part.startswith("line"):
        number = int(part.removeprefix("line")) - 1
        return contact.address.lines[number] if number < len(contact.address.lines) else None
    value: str | None = getattr(contact.address, part)
    return value


def _point(one: Point) -> dict[str, Any]:
    """As it was said, without what we think of it."""
    names = {"typed", "country", "purpose", "valid_from", "valid_until", "said_at"}
    return one.model_dump(mode="json", include=names, exclude_none=True)


def _consent(one: Consent) -> dict[str, Any]:
    """As it was said: of a grant that has run out the grant with its end, which another system then finds by itself."""
    told = one.model_dump(mode="json", exclude={"source", "expired"}, exclude_none=True)
    return told | {"status": "granted"} if one.expired else told


SPECIAL: dict[str, Callable[[Contact], Any]] = {
    "identifiers": lambda contact: [one.model_dump() for one in contact.identifiers],
    "phones": lambda contact: [_point(one) for one in contact.phones],
    "emails": lambda contact: [_point(one) for one in contact.emails],
    "addresses": lambda contact: [_point(one) for one in contact.addresses],
    "consents": lambda contact: [_consent(one) for one in contact.consents],
    "registered_at": lambda contact: contact.registered_at.isoformat(),
    "changed_at": lambda contact: contact.changed_at.isoformat(),
}
