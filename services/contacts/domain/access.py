"""Which contacts a key may see, and which of their fields. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from services.contacts.domain.changes import Change, FieldChange
from services.contacts.domain.survivorship import MAPS
from shared.contracts.contacts import Contact
from shared.contracts.sensitive import SENSITIVE, bare

APART = "sensitive"
"""The map of a contact in which attributes stand whose fields are defined as sensitive."""


@dataclass(frozen=True)
class Rows:
    """The contacts that a key is limited to: of one of these territories, and of one of these owners. Empty: of any."""

    territories: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()

    @property
    def all(self) -> bool:
        return not (self.territories or self.owners)

    def sees(self, contact: Contact) -> bool:
        """Of customers who are one, the contact that all of them make decides."""
        return self.has(contact.territory, contact.owner)

    def has(self, territory: str | None, owner: str | None) -> bool:
        """Whether somebody of this territory and this owner is to be seen."""
        here = not self.territories or territory in self.territories
        return here and (not self.owners or owner in self.owners)


EVERYBODY = Rows()


class Sensitive:
    """Which fields are sensitive: those of some codes, and those that the company has defined so.

    Codes are compared without punctuation: `national_id` is `national-id`. `defined`: asked each time, because fields are
    defined while everything runs.
    """

    def __init__(self, codes: Iterable[str] = SENSITIVE, defined: Callable[[], frozenset[str]] = frozenset) -> None:
        self._codes = frozenset(map(bare, codes))
        self._defined = defined

    def __contains__(self, code: object) -> bool:
        if not isinstance(code, str):
            return False
        found = bare(code)
        return found in self._codes or found in _all_bare(self._defined())

    def names(self, place: str) -> bool:
        """Whether a field of this name is sensitive, as `attributes.birth-date`."""
        name, _, code = place.partition(".")
        return name in MAPS and self._hides(name, code)

    def fields_of(self, contact: Contact) -> list[str]:
        """The sensitive fields that a contact has, as `attributes.birth-date` or `identifiers.passport`."""
        found = [f"{name}.{code}" for name in MAPS for code in getattr(contact, name) if self._hides(name, code)]
        return found + sorted({f"identifiers.{one.scheme}" for one in contact.identifiers if one.scheme in self})

    def hidden(self, contact: Contact) -> Contact:
        """The contact without them."""
        if not self.fields_of(contact):
            return contact
        update: dict[str, Any] = {name: self._without(name, getattr(contact, name)) for name in MAPS}
        update["identifiers"] = [one for one in contact.identifiers if one.scheme not in self]
        return contact.model_copy(update=update)

    def hidden_among(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Some fields of a contact, as JSON, without them."""
        left = dict(values)
        for name in MAPS:
            if name in left:
                left[name] = self._without(name, left[name])
        if "identifiers" in left:
            left["identifiers"] = [one for one in left["identifiers"] if one["scheme"] not in self]
        return left

    def fields_among(self, values: Mapping[str, Any]) -> list[str]:
        """The sensitive ones of some fields of a contact, as JSON."""
        left = self.hidden_among(values)
        found = [f"{name}.{code}" for name in MAPS for code in values.get(name, {}) if code not in left[name]]
        schemes = {one["scheme"] for one in values.get("identifiers", ()) if one["scheme"] in self}
        return found + sorted(f"identifiers.{scheme}" for scheme in schemes)

    def may_be(self, place: str) -> bool:
        """Whether a field may hold something sensitive: of a list or a map as a whole nobody knows what is in it."""
        name, _, code = place.partition(".")
        return name in (*MAPS, "identifiers") and (not code or self._hides(name, code))

    def fields_changed(self, change: Change) -> list[str]:
        """Those of a change that has values to show."""
        return [name for one in change.fields for name in self._sensitive(one)]

    def hidden_in(self, change: Change) -> Change:
        """A change without their values; that they have changed is to be seen."""
        if not self.fields_changed(change):
            return change
        return replace(change, fields=tuple(self._veiled(one) for one in change.fields))

    def _hides(self, name: str, code: str) -> bool:
        """Whatever stands apart was defined as sensitive when it was said."""
        return name == APART or code in self

    def _without(self, name: str, entries: Mapping[str, Any]) -> dict[str, Any]:
        return {code: value for code, value in entries.items() if not self._hides(name, code)}

    def _sensitive(self, one: FieldChange) -> list[str]:
        if one.field == "identifiers":
            listed = [*(one.before or []), *(one.after or [])]
            return [f"identifiers.{identifier['scheme']}" for identifier in listed if identifier["scheme"] in self]
        return [one.field] if self.names(one.field) else []

    def _veiled(self, one: FieldChange) -> FieldChange:
        if not self._sensitive(one):
            return one
        if one.field != "identifiers":
            return one._replace(before=None, after=None)
        before, after = ([i for i in listed or [] if i["scheme"] not in self] for listed in (one.before, one.after))
        return one._replace(before=before, after=after)


def without_links(change: Change) -> Change:
    """A change of which who is at the other ends of links is not to be seen; that links have changed is."""
    hidden = [one._replace(before=None, after=None) if one.field == "links" else one for one in change.fields]
    return replace(change, fields=tuple(hidden))


@lru_cache(maxsize=4)
def _all_bare(codes: frozenset[str]) -> frozenset[str]:
    return frozenset(map(bare, codes))
