"""Whether an event that nobody could take is about somebody who was erased, whose ids it may not know. Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

LEAST_TEXT = 6
"""Shorter texts are looked for in fields only: in raw bytes they would be found by chance."""
Headers = Iterable[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Traces:
    """How a customer may be named, in lower case: identifiers as `scheme:value`; e-mail addresses, numbers, ids."""

    identifiers: frozenset[str]
    texts: frozenset[str]

    @classmethod
    def of(cls, identifiers: Collection[str], texts: Collection[str], customers: Collection[str]) -> "Traces":
        lower = (frozenset(text.casefold() for text in some) for some in (identifiers, (*texts, *customers)))
        return cls(*lower)


def mentions(traces: Traces, key: bytes | None, value: bytes | None, headers: Headers = ()) -> bool:
    """Whether the record names the customer: by its key, in a header, in a field of its JSON, or, if it is none, anywhere."""
    if any(_is_one(traces, _text(one)) for one in (key, *(raw for _, raw in headers))):
        return True
    try:
        document = orjson.loads(value or b"null")
    except orjson.JSONDecodeError:
        return _raw(traces, value or b"")
    return any(_named(traces, one) for one in _walk(document))


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")


def _is_one(traces: Traces, text: str) -> bool:
    """Identifiers too: channels write `card:7` where an object is wanted, which is why nobody could take it."""
    name = text.casefold()
    return name in traces.texts or name in traces.identifiers


def _raw(traces: Traces, value: bytes) -> bool:
    text = _text(value).casefold()
    values = {name.partition(":")[2] for name in traces.identifiers} | traces.texts
    return any(one in text for one in values if len(one) >= LEAST_TEXT)


def _named(traces: Traces, found: Any) -> bool:
    if isinstance(found, str):
        return _is_one(traces, found)
    pair = f"{found.get('scheme')}:{found.get('value')}".casefold()
    return pair in traces.identifiers


def _walk(document: Any) -> Iterator[Any]:
    """All texts, those that are keys too, and all objects with a scheme, however deep: the sender decides that, and may be hostile."""
    left = [document]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list):
            left += one
        elif isinstance(one, dict):
            if "scheme" in one:
                yield one
            left += one.keys()
            left += one.values()
