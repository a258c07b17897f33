"""A mapping proposed from the names of a file's columns and their first values, for a person to look through. Pure."""

import re
from collections.abc import Mapping as Map, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from pydantic import ValidationError

from services.contacts.domain.importing.mapping import ADDRESS, NAME_PARTS, PLAIN, WHOLE, Column, Mapping
from services.contacts.domain.matching.headers import by_name, plain
from services.contacts.domain.matching.kinds import Kind

LINE = re.compile(r"address\.(line[1-6]|lines)")
LOOKED_AT = 200
"""Records by which columns are known."""
OF_KIND = {
    Kind.NAME: "name", Kind.ORGANISATION: "name", Kind.GIVEN: "name_parts.given", Kind.FAMILY: "name_parts.family",
    Kind.MIDDLE: "name_parts.middle", Kind.SUFFIX: "name_parts.suffix", Kind.EMAIL: "email", Kind.PHONE: "phone",
    Kind.STREET: "address.line", Kind.NUMBER: "address.line", Kind.POSTCODE: "address.postal_code", Kind.CITY: "address.city",
    Kind.REGION: "address.region", Kind.BIRTH: "attributes.birthday",
}  # fmt: skip
SEVERAL = {"email": "emails", "phone": "phones"}
"""A second column of the kind is another one of the customer's, and identifies nobody."""
KEY = re.compile(
    r"(id|key|nr|no|number|uid|pk|kdnr|kundennr|kundennummer|customer(id|no|number|nr)|contactid|clientid|account(id|no|number)?|"
    r"numeroclient|idcliente|numerocliente|klantnummer|kundnummer)"
)
WORDS = {
    "mobil": "phone", "mobilnummer": "phone", "language": "language", "sprache": "language", "langue": "language", "idioma": "language", "timezone": "time_zone",
    "zeitzone": "time_zone", "country": "address.country", "countrycode": "address.country", "land": "address.country",
    "pays": "address.country", "pais": "address.country", "title": "name_parts.title", "titel": "name_parts.title",
    "owner": "owner", "territory": "territory",
}  # fmt: skip
PURPOSES = {
    "work": ("work", "office", "business", "buro", "buero", "dienst", "geschaft", "travail", "trabajo"),
    "home": ("home", "private", "privat", "domicile", "casa"),
    "mobile": ("mobile", "cell", "handy", "mobil", "movil", "portable"),
    "billing": ("billing", "invoice", "rechnung", "facturation"),
    "delivery": ("delivery", "shipping", "liefer", "livraison", "envio"),
}
OURS = "X-RAPPORT"
OF_CARD = (
    ("UID", "identifiers.vcard-uid"), ("FN", "name"), ("N.family", "name_parts.family"), ("N.given", "name_parts.given"),
    ("N.middle", "name_parts.middle"), ("N.title", "name_parts.title"), ("N.suffix", "name_parts.suffix"), ("LANG", "language"),
    ("TZ", "time_zone"), ("phones", "phones"), ("emails", "emails"), ("addresses", "addresses"), ("REV", "reported_at"),
)  # fmt: skip


class Records(Protocol):
    """What a reader gives."""

    columns: list[str]

    def __iter__(self) -> Any: ...


@dataclass(frozen=True)
class Proposal:
    """`left_out`: columns that nobody understands, each with its first value."""

    mapping: Mapping
    left_out: dict[str, Any]


def propose(form: str, records: Records) -> Proposal:
    """A mapping that can be saved; the first column is the rows' key where nothing else says who they are about."""
    read = [record.cells for record in islice((one for one in records if not one.fault), LOOKED_AT)]
    names = records.columns or list(dict.fromkeys(name for cells in read for name in cells))
    first = {name: next((cells[name] for cells in read if cells.get(name)), "") for name in names}
    columns = _of_card(names) if form == "vcard" else _of_table(names, first)
    taken = {column.source for column in columns}
    return Proposal(_valid(form, columns, names), {name: text for name, text in first.items() if name not in taken})


def _valid(form: str, columns: list[Column], names: Sequence[str]) -> Mapping:
    row_key = (
        None
        if any(column.to.startswith(("identifiers", "email", "phone", "customer_id")) for column in columns)
        else names[:1]
    )
    told: dict[str, Any] = {"form": form, "columns": columns or [Column(constant="person", to="party")]}
    return Mapping(**told, row_key=row_key[0] if row_key else None)


def _of_card(names: Sequence[str]) -> list[Column]:
    """Of a vCard, whose properties mean the same in every file. Numbers identify nobody, unless the mapping says so."""
    has = set(names)
    if OURS in has:
        return [column for name in _once(names) if name.startswith(f"{OURS}.") and (column := _of_ours(name))]
    found = [_column(source, to, type="json" if to in WHOLE else "text") for source, to in OF_CARD if source in has]
    return [column for column in found if column]


def _of_ours(name: str) -> Column | None:
    """A part of the property in which our exports say everything."""
    field = name.removeprefix(f"{OURS}.")
    found = _ours(field, "[" if field in WHOLE else "")
    return found and found.model_copy(update={"source": name})


def _of_table(names: Sequence[str], first: Map[str, Any]) -> list[Column]:
    found: list[Column] = []
    for name in _once(names):
        if column := _ours(name, first[name]) or _guessed(name, {one.to for one in found}):
            found.append(column)
    return found


def _once(names: Sequence[str]) -> list[str]:
    """Without what is in the file twice: an object as a whole and by its parts. Whole is what exports of ours read whole."""
    has = set(names)
    parents = {name[:place] for name in names for place, sign in enumerate(name) if sign == "." and name[:place] in has}
    whole = {name for name in parents if name.removeprefix(f"{OURS}.") in WHOLE}
    return [
        name for name in names if name not in parents - whole and not any(name.startswith(f"{one}.") for one in whole)
    ]


def _ours(name: str, text: Any) -> Column | None:
    """A column of an export of ours says itself what it is."""
    if name in WHOLE and isinstance(text, str) and text[:1] in {"[", "{"}:
        return _column(name, name, type="json")
    head, _, tail = name.partition(".")
    if LINE.fullmatch(name):
        return _column(name, "address.line", type="exact")
    part = (head == "name_parts" and tail in NAME_PARTS) or (head == "address" and tail in ADDRESS)
    if name in PLAIN or part:
        return _column(name, name, type="exact")
    if name in {"customer_id", "reported_at"}:
        return _column(name, name)
    if name == "chosen":
        return _column(name, name, separator=";")
    return _column(name, name) if head in {"attributes", "interests", "preferences", "identifiers"} and tail else None


def _guessed(name: str, taken: set[str]) -> Column | None:
    header = plain(name)
    to = WORDS.get(header)
    kind = by_name(header)
    if to is None and KEY.fullmatch(header):
        to = "identifiers.customer-number"
    elif to is None and kind is Kind.IDENTIFIER:
        to = f"identifiers.{re.sub(r'[^a-z0-9]+', '-', header).strip('-')[:64]}"
    elif to is None and kind is not None:
        to = OF_KIND.get(kind)
    purpose = next((purpose for purpose, words in PURPOSES.items() if any(word in header for word in words)), None)
    if to in taken and to != "address.line":
        to = SEVERAL.get(to or "")
    elif to in SEVERAL and purpose and purpose != "mobile":
        to = SEVERAL[to]
    return _column(name, to, purpose=purpose or "any") if to else None


def _column(source: str, to: str, **how: Any) -> Column | None:
    try:
        return Column(source=source, to=to, **how)
    except ValidationError:
        return None
