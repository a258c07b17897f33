"""A channel's copy of the customers against the platform's views: what it should know, and nothing more."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from demo.ledger.difference import Difference
from demo.ledger.people import Document

Paths = Sequence[Sequence[str]]
ABSENT = "nothing"
SENSITIVE = ("birthdate", "income")
"""Attributes of the households that a channel is shown only where its policy names them."""


def permitted(view: Document, fields: Sequence[str]) -> Any:
    """The part of a view that a policy of dotted field names lets through."""
    shown = without(view, {name for name in SENSITIVE if f"contact.attributes.{name}" not in fields})
    return shown if "*" in fields else part(shown, [field.split(".") for field in fields])


def without(view: Document, attributes: set[str]) -> Document:
    contact = view.get("contact")
    if not contact or not attributes & contact.get("attributes", {}).keys():
        return dict(view)
    kept = {name: value for name, value in contact["attributes"].items() if name not in attributes}
    return {**view, "contact": {**contact, "attributes": kept}}


def part(value: Any, paths: Paths) -> Any:
    """Of an object its named fields, of a list the named fields of each element; what is null stays null."""
    if value is None or any(not path for path in paths):
        return value
    if isinstance(value, list):
        return [part(element, paths) for element in value]
    names = {path[0] for path in paths if path[0] in value}
    return {name: part(value[name], [path[1:] for path in paths if path[0] == name]) for name in names}


def stale(
    channel: str, views: Iterable[Document], copies: Mapping[str, Document], fields: Sequence[str]
) -> list[Difference]:
    """Customers of whom the channel knows another version or another content than it should."""
    return list(differences(channel, {view["customer_id"]: view for view in views}, copies, fields))


def differences(
    channel: str, views: Mapping[str, Document], copies: Mapping[str, Document], fields: Sequence[str]
) -> Iterator[Difference]:
    for customer_id in views.keys() | copies.keys():
        name, view, copy = f"{channel}: customer {customer_id}", views.get(customer_id), copies.get(customer_id)
        if view is None or copy is None:
            yield Difference(f"{name}: known", view is not None, copy is not None)
        elif view["version"] != copy["version"]:
            yield Difference(f"{name}: version", view["version"], copy["version"])
        elif copy.get("merged_into") != view.get("merged_into"):
            yield Difference(f"{name}: is part of", view.get("merged_into"), copy.get("merged_into"))
        elif copy["customer"] != permitted(view, fields):
            yield first_difference(f"{name}: content", permitted(view, fields), copy["customer"])


def first_difference(where: str, expected: Any, found: Any) -> Difference:
    """The first place, going down, at which two unequal documents differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted(expected.keys() | found.keys()):
            if expected.get(name, ABSENT) != found.get(name, ABSENT):
                return first_difference(f"{where}.{name}", expected.get(name, ABSENT), found.get(name, ABSENT))
    return Difference(where, expected, found)
