"""A channel's copy of the customers against the platform's views: what it should know, and nothing more."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from demo.ledger.difference import Difference
from demo.ledger.people import Document

Paths = Sequence[Sequence[str]]


def permitted(view: Document, fields: Sequence[str]) -> Any:
    """The part of a view that a policy of dotted field names lets through."""
    return dict(view) if "*" in fields else part(view, [field.split(".") for field in fields])


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
            yield Difference(f"{name}: content", permitted(view, fields), copy["customer"])
