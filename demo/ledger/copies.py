"""A channel's copy of the customers against the platform's views: what it should know, and nothing more."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from demo.ledger.compare import Difference, Document

ABSENT = object()


def permitted(view: Document, fields: Sequence[str]) -> dict[str, Any]:
    """The part of a view that a policy of dotted field names lets through."""
    if "*" in fields:
        return dict(view)
    allowed: dict[str, Any] = {}
    for path in fields:
        put(allowed, path.split("."), reached(view, path.split(".")))
    return allowed


def reached(value: Any, path: list[str]) -> Any:
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return ABSENT
        value = value[name]
    return value


def put(target: dict[str, Any], path: list[str], value: Any) -> None:
    if value is ABSENT:
        return
    for name in path[:-1]:
        target = target.setdefault(name, {})
    target[path[-1]] = value


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
        elif copy["customer"] != permitted(view, fields):
            yield Difference(f"{name}: content", permitted(view, fields), copy["customer"])
