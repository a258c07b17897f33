"""vCard 3.0 and 4.0 (RFC 2426, RFC 6350), a card at a time.

Read here because the libraries for Python (vobject) know no 4.0, hold a whole file in memory and stop at the first bad line.

A property comes under its name, and once more with each of its types: `TEL`, `TEL[work]`. Names and addresses come in
their parts (`N.family`, `ADR[home].city`); numbers, e-mail and postal addresses also as whole lists (`phones`, JSON).
"""

import re
from collections.abc import Iterator
from typing import IO, Any

import orjson

from services.contacts.formats.jsonl import flatten
from services.contacts.formats.records import MAX_RECORD, NUL, Cell, Layout, Lines, Record, has_odd_characters, shown
from services.contacts.formats.text import as_text

NAME = ("family", "given", "middle", "title", "suffix")
ADDRESS = ("box", "extended", "street", "city", "region", "postal_code", "country")
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
SPLIT = re.compile(r"(?<!\\)((?:\\\\)*);")
PROPERTY = re.compile(r'^(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+(?:=(?:"[^"]*"|[^":;])*)?)*):')
PARAMETER = re.compile(r';([A-Za-z0-9-]+)(?:=((?:"[^"]*"|[^":;])*))?')
PURPOSES = {"home": "home", "work": "work", "cell": "mobile", "fax": "fax", "pager": "pager"}
OURS = "X-RAPPORT"
MAX_LINES = 10_000
"""Of one card; a picture in it has a thousand."""
MAX_TYPES = 20
"""Of one property, each of which names it once more."""


class Cards:
    """A file of vCards."""

    def __init__(self, file: IO[bytes], layout: Layout) -> None:
        self._lines = Lines(as_text(file, layout.encoding))
        self.columns: list[str] = []

    def __iter__(self) -> Iterator[Record]:
        card: list[str] | None = None
        size = 0
        for number, line in enumerate(self._lines, 1):
            self._lines.seen.clear()
            mark = line.strip().upper()
            if mark == "BEGIN:VCARD":
                if card is not None:
                    yield Record(number - 1, {"card": _shown(card)}, "the card has no end")
                card, size = [], 0
            elif mark == "END:VCARD" and card is not None:
                yield _record(number, card, size)
                card = None
            elif card is not None:
                size += MAX_RECORD + 1 if self._lines.cut else len(line)
                self._lines.cut = False
                if size <= MAX_RECORD and len(card) < MAX_LINES:
                    card.append(line.rstrip("\r\n"))
                else:
                    size = MAX_RECORD + 1
        if card is not None:
            yield Record(number, {"card": _shown(card)}, "the card has no end")


def _shown(card: list[str]) -> str:
    return shown([line + "\n" for line in card]).encode("utf-8", "replace").decode()


def _record(line: int, card: list[str], size: int) -> Record:
    if size > MAX_RECORD:
        return Record(line, {"card": _shown(card)}, "it is longer than a record can be")
    text = "\n".join(card)
    if NUL in text or has_odd_characters(text) or "\ufffd" in text:
        return Record(line, {"card": _shown(card)}, "it is not of the file's encoding, or has zero bytes")
    cells: dict[str, list[str]] = {}
    lists: dict[str, list[dict[str, Any]]] = {}
    ours: dict[str, Cell] = {}
    # A long line is continued on the next, after a blank (RFC 6350, 3.2).
    for one in re.sub(r"\n[ \t]", "", text).split("\n"):
        if not one.strip():
            continue
        found = PROPERTY.match(one)
        if found is None:
            return Record(line, {"card": _shown(card)}, "one of its lines is no property")
        if found[1].upper() == OURS:
            ours.update(_ours(one[found.end() :]))
        else:
            _take(found[1].upper(), found[2], one[found.end() :], cells, lists)
    whole: dict[str, Cell] = {name: orjson.dumps(listed).decode() for name, listed in lists.items()}
    named: dict[str, Cell] = {name: listed[0] if len(listed) == 1 else listed for name, listed in cells.items()}
    return Record(line, whole | named | ours)


def _ours(value: str) -> dict[str, Cell]:
    """What our exports say beside the properties: a whole contact, as one JSON object."""
    try:
        found = orjson.loads(ESCAPED.sub(_unescaped, value))
    except ValueError:
        return {}
    cells: dict[str, Cell] = {}
    try:
        flatten({OURS: found} if isinstance(found, dict) else {}, "", cells)
    except orjson.JSONEncodeError:
        return {}
    return cells


def _take(
    name: str, told: str, value: str, cells: dict[str, list[str]], lists: dict[str, list[dict[str, Any]]]
) -> None:
    parameters = _parameters(told)
    kinds = [kind for kind in parameters.get("TYPE", []) if kind not in {"pref", "internet", "voice"}]
    claim: dict[str, Any] = {"purpose": _purpose(kinds)}
    said = _said(name, value)
    for place in (name, *(f"{name}[{kind}]" for kind in list(dict.fromkeys(kinds))[:MAX_TYPES])):
        for part, text in said.items():
            cells.setdefault(place + part, []).append(text)
    match name:
        case "TEL" if plain := _plain(value).removeprefix("tel:"):
            lists.setdefault("phones", []).append({"typed": plain, **claim})
        case "EMAIL" if plain := _plain(value).removeprefix("mailto:"):
            lists.setdefault("emails", []).append({"typed": plain, **claim})
        case "ADR" if typed := _address(value):
            lists.setdefault("addresses", []).append({"typed": typed, **claim})


def _said(name: str, value: str) -> dict[str, str]:
    """What a property says, by its part: `.city` of an address; of most there is one part, without a name."""
    if name not in {"N", "ADR"}:
        told = {"": _plain(value)}
    else:
        parts = (f".{part}" for part in (NAME if name == "N" else ADDRESS))
        told = dict(zip(parts, map(_plain, SPLIT.sub("\\1\n;", value).split("\n;")), strict=False))
    return {part: text for part, text in told.items() if text}


def _parameters(told: str) -> dict[str, list[str]]:
    """In vCard 2.1 and many a 3.0 types stand alone: `TEL;WORK:`."""
    found: dict[str, list[str]] = {}
    for name, values in PARAMETER.findall(told):
        if values:
            found.setdefault(name.upper(), []).extend(one.strip('" ') for one in values.split(","))
        else:
            found.setdefault("TYPE", []).append(name)
    found["TYPE"] = [one.lower() for one in found.get("TYPE", [])]
    return found


def _purpose(kinds: list[str]) -> str:
    return next((PURPOSES[kind] for kind in kinds if kind in PURPOSES), "any")


def _address(value: str) -> dict[str, Any]:
    parts = dict(zip(ADDRESS, map(_plain, SPLIT.sub("\\1\n;", value).split("\n;")), strict=False))
    lines = [line for name in ("street", "extended", "box") for line in parts.get(name, "").split("\n") if line]
    found: dict[str, Any] = {"lines": lines} if lines else {}
    country = parts.get("country", "")
    found |= {name: parts[name] for name in ("city", "region", "postal_code") if parts.get(name)}
    if re.fullmatch(r"[A-Za-z]{2}", country):
        found["country"] = country.upper()
    elif country:
        found.setdefault("lines", []).append(country)
    return found


def _plain(text: str) -> str:
    return ESCAPED.sub(_unescaped, text).strip()


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] in "nN" else found[1]
