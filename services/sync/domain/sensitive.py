"""What of a customer view is sensitive, and who sees it: by its code, or because it stands apart, defined so by the company."""

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

import orjson

from shared.contracts.sensitive import SENSITIVE, bare

Document = dict[str, Any]
Fields = tuple[str, ...]
MAPS = ("attributes", "interests", "preferences")
APART = "contact.sensitive"
"""Who names it sees everything that is sensitive, and `contact.sensitive.passport` what bears this code."""


class Sensitive:
    """The codes that contacts hides from whoever has no scope for them, hidden in views as well."""

    def __init__(self, codes: Iterable[str] = SENSITIVE) -> None:
        self._codes = frozenset(map(bare, codes))

    def __contains__(self, code: str) -> bool:
        return _bare(code) in self._codes

    def keep_back(self, document: Document, fields: Fields = ()) -> bool:
        """Take out of a view what is sensitive, but for what is named: neither `*`, nor `contact`, nor `contact.attributes`
        does. Whether anything was there to take.
        """
        contact: Document | None = document.get("contact")
        if not contact or APART in fields:
            return False
        named = {_bare(path.removeprefix(f"{APART}.")) for path in fields if path.startswith(f"{APART}.")}
        kept = [self._keep_back_of(contact, place, named, fields) for place in MAPS]
        kept += [self._keep_back_identifiers(contact, named), _keep_back_apart(contact, fields)]
        return any(kept)

    def without(self, view: bytes) -> bytes:
        """A view, as JSON, for somebody who may not see what is sensitive."""
        document = orjson.loads(view)
        return orjson.dumps(document) if self.keep_back(document) else view

    def shown_in(self, view: bytes) -> tuple[str, list[str]]:
        """Of which customer a view is, as JSON, and what in it is sensitive."""
        document: Document = orjson.loads(view)
        contact: Document = document.get("contact") or {}
        found = [f"{place}.{code}" for place in MAPS for code in contact.get(place) or {} if code in self]
        found += [f"identifiers.{one['scheme']}" for one in contact.get("identifiers") or [] if one["scheme"] in self]
        return document["customer_id"], found + [f"sensitive.{code}" for code in contact.get("sensitive") or {}]

    def _keep_back_of(self, contact: Document, place: str, named: Collection[str], fields: Fields) -> bool:
        held: Document = contact.get(place) or {}
        gone = [
            code
            for code in held
            if code in self and _bare(code) not in named and f"contact.{place}.{code}" not in fields
        ]
        if gone:
            contact[place] = {code: value for code, value in held.items() if code not in gone}
        return bool(gone)

    def _keep_back_identifiers(self, contact: Document, named: Collection[str]) -> bool:
        held = contact.get("identifiers") or []
        left = [one for one in held if one["scheme"] not in self or _bare(one["scheme"]) in named]
        if len(left) < len(held):
            contact["identifiers"] = left
        return len(left) < len(held)


def _keep_back_apart(contact: Document, fields: Fields) -> bool:
    held = contact.pop("sensitive", None)
    if not held:
        return False
    if shown := {code: value for code, value in held.items() if f"{APART}.{code}" in fields}:
        contact["sensitive"] = shown
    return len(shown) < len(held)


@lru_cache(maxsize=10_000)
def _bare(code: str) -> str:
    return bare(code)
