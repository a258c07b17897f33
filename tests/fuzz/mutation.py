"""How a JSON document goes wrong: one value replaced, dropped, multiplied or moved, or the text itself broken.

Everything is drawn from a `random.Random`, so that a seed repeats a run and hypothesis can shrink what it finds.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

Path = tuple[str | int, ...]

NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 0.1, -0.0, 1e308, 5e-324,
    "", " ", "\0", "a\0b", "0", "-1", "-0", "1e5", "1e400", "1E-400", "NaN", "Infinity", "-Infinity", "0x10", "1_000",
    "\u0967\u0968", "\uff11", "1,50", "true", "null", "\ufeff", "\u202e", "\U0001f600", "\ufffd", "e\u0301" * 20, "$where", "a.b",
    "__proto__", "' OR 1=1 --", "<script>", "../../etc/passwd", "%00", "x" * 201, "x" * 1001, "x" * 20_000,
    "1899-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2016-12-31T23:59:60Z", "2026-01-01T24:00:00Z",
    "2026-01-01T00:00:00+99:00", "1", "USD", "usd", "XXX", "ORDER", "order", "any",
    [], [None], [[]], [{}], ["x"] * 60, {}, {"": None}, {"a": {"b": {"c": []}}}, {"$set": {"a": 1}}, {"x\0y": 1},
)  # fmt: skip
NEVER: tuple[Any, ...] = ({"x": []}, [{"x": 1}], [[[]]])
"""Of no use in the place of a text, a number, a time or a truth value, whatever the contract."""
NAMES = ("unknown", "", "\0", "$set", "a.b", "__proto__", "x" * 300, "\U0001f600")
BROKEN = (
    "cut", "comma", "nan", "infinity", "surrogate", "utf8", "bom", "quotes", "comment", "two", "deep", "digits", "control", "escape", "nothing",
)  # fmt: skip
STRICT = tuple(way for way in BROKEN if way not in {"nan", "infinity"})
"""Without what pydantic, which alone reads the data of binary mode, takes for a number in a field that nobody knows."""
DEPTH = 20_000


def paths(document: Any, before: Path = ()) -> Iterator[Path]:
    """Every place in a document but its root."""
    inside = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in inside:
        yield (*before, name)
        yield from paths(value, (*before, name))


def leaves(document: Any) -> list[Path]:
    """The places of texts, numbers and truth values."""
    return [path for path in paths(document) if not isinstance(at(document, path), dict | list | None)]


def at(document: Any, path: Path) -> Any:
    for step in path:
        document = document[step]
    return document


def put(document: Any, path: Path, value: Any) -> None:
    at(document, path[:-1])[path[-1]] = value


def mutated(rng: random.Random, document: Any, protected: frozenset[str] = frozenset()) -> Any:
    """A copy with one to three changes, none of them below a protected field."""
    changed = copy.deepcopy(document)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = [path for path in paths(changed) if path[0] not in protected]
        if places:
            _change(rng, changed, rng.choice(places))
    return changed


def _change(rng: random.Random, document: Any, path: Path) -> None:
    holder, name, value = at(document, path[:-1]), path[-1], at(document, path)
    match rng.choice(("nasty", "nasty", "nasty", "drop", "wrap", "many", "key", "extra")):
        case "nasty":
            holder[name] = copy.deepcopy(rng.choice(NASTY))
        case "drop":
            del holder[name]
        case "wrap":
            holder[name] = [value]
        case "many" if isinstance(value, list) and value:
            holder[name] = [copy.deepcopy(value[0]) for _ in range(rng.choice((2, 11, 51, 1001)))]
        case "key" if isinstance(holder, dict):
            holder[rng.choice(NAMES)] = holder.pop(name)
        case "extra" if isinstance(holder, dict):
            holder[rng.choice(NAMES)] = copy.deepcopy(rng.choice(NASTY))
        case _:
            holder[name] = None


def wrong(rng: random.Random, document: Any, free: frozenset[str] = frozenset()) -> Any:
    """A copy with one leaf made into what no contract takes there; below a `free` field anything goes, so not there."""
    changed = copy.deepcopy(document)
    put(
        changed, rng.choice([path for path in leaves(changed) if path[0] not in free]), copy.deepcopy(rng.choice(NEVER))
    )
    return changed


def broken(rng: random.Random, document: Any, ways: Sequence[str] = BROKEN) -> bytes:
    """Bytes that are no JSON document by RFC 8259, made from one."""
    text = orjson.dumps(document)
    middle = rng.randrange(1, len(text))
    match rng.choice(ways):
        case "cut":
            return text[:middle]
        case "comma":
            return text[:-1] + b",}"
        case "nan":
            return text[:-1] + b',"x":NaN}'
        case "infinity":
            return text[:-1] + b',"x":-Infinity}'
        case "surrogate":
            return text[:-1] + b',"x":"\\ud800"}'
        case "utf8":
            return text[:-1] + b',"x":"\xc3\x28"}'
        case "bom":
            return b"\xef\xbb\xbf" + text
        case "quotes":
            return text.replace(b'"', b"'")
        case "comment":
            return b"/* */" + text
        case "two":
            return text + text
        case "deep":
            return b"[" * rng.choice((200, 1_100, DEPTH))
        case "digits":
            return text[:-1] + b',"x":' + b"0" * rng.choice((2, 5_000)) + b"}"
        case "control":
            return text[:-1] + b',"x":"\n\x01"}'
        case "escape":
            return text[:-1] + b',"x":"\\x41"}'
        case _:
            return rng.randbytes(rng.randrange(1, 60)) + b"\xff"
