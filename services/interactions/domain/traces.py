"""Whether an event that nobody could take is about somebody who was erased, whose ids it may not know. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

LEAST_TEXT = 6
"""Shorter texts are looked for in fields only: in raw bytes they would be found by chance."""
MOST_DEPTH = 50


@dataclass(frozen=True)
class Traces:
    """How a customer may be named, in lower case: identifiers as `scheme:value`; e-mail addresses, numbers, ids."""

    identifiers: frozenset[str]
    texts: frozenset[str]

    @classmethod
    def of(cls, identifiers: Collection[str], texts: Collection[str], customers: Collection[str]) -> "Traces":
        lower = (frozenset(text.casefold() for text in some) for some in (identifiers, (*texts, *customers)))
        return cls(*lower)


def mentions(traces: Traces, key: bytes | None, value: bytes | None) -> bool:
    """Whether the record names the customer: by its key, in a field of its JSON, or, if it is none, anywhere."""
    name = (key or b"").decode("utf-8", "replace").casefold()
    if name in traces.identifiers or name in traces.texts:
        return True
    try:
        document = orjson.loads(value or b"null")
    except orjson.JSONDecodeError:
        return _raw(traces, value or b"")
    return any(_named(traces, one) for one in _walk(document))


def _raw(traces: Traces, value: bytes) -> bool:
    text = value.decode("utf-8", "replace").casefold()
    values = {name.partition(":")[2] for name in traces.identifiers} | traces.texts
    return any(one in text for one in values if len(one) >= LEAST_TEXT)


def _named(traces: Traces, found: Any) -> bool:
    if isinstance(found, str):
        return found.casefold() in traces.texts
    pair = f"{found.get('scheme')}:{found.get('value')}".casefold()
    return pair in traces.identifiers


def _walk(document: Any, depth: int = 0) -> Iterator[Any]:
    """All texts and all objects with a scheme. What is nested deeper than any event of ours is left alone."""
    if depth > MOST_DEPTH:
        return
    if isinstance(document, str):
        yield document
    elif isinstance(document, list):
        for one in document:
            yield from _walk(one, depth + 1)
    elif isinstance(document, dict):
        if "scheme" in document:
            yield document
        for one in document.values():
            yield from _walk(one, depth + 1)
