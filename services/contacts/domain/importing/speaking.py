"""Of whom a row of a file speaks, as far as that can be told; also a row that cannot be taken. Pure."""

import re
from collections.abc import Iterator, Mapping as Map, Sequence
from itertools import islice
from typing import Any, TypeAlias

from services.contacts.domain.importing.cells import NotA, texts
from services.contacts.domain.importing.columns import Row, put_of
from services.contacts.domain.importing.drafting import row_scheme
from services.contacts.domain.importing.mapping import Mapping
from services.contacts.domain.naming import OWN_ID, Sought, mail_names, name, phone_names

Cells: TypeAlias = Map[str, str | Sequence[str]]
NAMING = frozenset({"identifiers", "email", "emails", "phone", "phones", "customer_id"})
"""The fields by which somebody is known again."""
BETWEEN = re.compile(r"[\s;,|<>\"']+")
"""What may stand between the values of a record that cannot be read."""
MOST, MOST_SCATTERED = 200, 30
"""Names of one row, and of one that cannot be read: more are no person's, and each is kept in an index."""
LOOKED_AT = 50_000
"""Characters of a text that cannot be read."""
UNREADABLE = "unreadable"
"""The reason why a record that is none is given back."""
LONGEST = 256
"""Characters of a name, as of an identifier."""


class Speaking:
    """A mapping, ready to be asked of rows. `country`: of telephone numbers without one. `sought`: of all names of a row those
    are wanted; others may be missing, which is faster.
    """

    def __init__(
        self, mapping_name: str, mapping: Mapping, country: str | None = None, sought: Sought | None = None
    ) -> None:
        naming = [column for column in mapping.columns if column.to.partition(".")[0] in NAMING]
        self._puts = [(column, put_of(column)) for column in naming]
        self._schemes = sorted(
            {column.to.partition(".")[2] for column in naming if column.to.startswith("identifiers.")}
        )
        self._row_key, self._row_scheme = mapping.row_key, row_scheme(mapping_name)
        self._country = country
        self._mail_names = sought.mail_names if sought else mail_names
        self._phone_names = sought.phone_names if sought else phone_names

    def of(self, cells: Cells, *, readable: bool) -> frozenset[str]:
        """What a row's person is known again by (`domain.naming`). Of what cannot be read: all that may be so."""
        found, most = (self._told(cells), MOST) if readable else (self._scattered(cells), MOST_SCATTERED)
        return frozenset(islice((one for one in found if len(one) <= LONGEST), most))

    def _told(self, cells: Cells) -> Iterator[str]:
        row = Row()
        for column, put in self._puts:
            cell = column.constant if column.source is None else cells.get(column.source)
            try:
                if cell and (found := texts(cell, column)):
                    put(row, found)
            except (NotA, OverflowError):
                continue
        key = cells.get(self._row_key) if self._row_key else None
        if isinstance(key, str) and key.strip():
            yield name(self._row_scheme, key)
        if row.customer_id:
            yield f"{OWN_ID}:{row.customer_id}"
        yield from _identified(row.identifiers)
        for typed in _typed(row.data, "email"):
            yield from self._mail_names(typed)
        for typed in _typed(row.data, "phone"):
            yield from self._phone_names(typed, row.phone_country or self._country)

    def _scattered(self, cells: Cells) -> Iterator[str]:
        """E-mail addresses first, as they are surely what they look like."""
        listed = [one for cell in cells.values() for one in ([cell] if isinstance(cell, str) else cell)]
        words = [word for text in listed for word in BETWEEN.split(text[:LOOKED_AT]) if word]
        yield from (name("email", word) for word in words if "@" in word)
        yield from (name(scheme, word) for word in words for scheme in self._schemes)


def _identified(listed: list[Any]) -> Iterator[str]:
    """A cell of JSON may hold anything."""
    for one in listed:
        match one:
            case {"scheme": str(scheme), "value": str(value)}:
                yield name(scheme, value)


def _typed(data: dict[str, Any], field: str) -> Iterator[str]:
    if isinstance(one := data.get(field), str):
        yield one
    for listed in data.get(f"{field}s", ()):
        match listed:
            case {"typed": str(typed)}:
                yield typed
