"""XML, an element at a time: its parts by their path (`name/family`, `phone/@type`, `phone[@type=work]`).

Document types, and with them entities, are refused (defusedxml); a text without an end is, too.
"""

from collections.abc import Iterator
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from services.contacts.formats.records import MAX_RECORD, Cell, Layout, Record, Unreadable

MAX_DEPTH = 50
MAX_PARTS = 5_000
"""Elements and attributes of one record."""
MAX_ALIKE = 20
"""Attributes of one element, each of which names it once more."""
MAX_WORD = 100
"""Characters of such an attribute: `work` names an element, a text does not."""


class Guarded:
    """A file in which no text or tag is longer than a record may be: the parser would hold all of it in memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._run = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        first, last = piece.find(b"<"), piece.rfind(b"<")
        if first < 0:
            self._run += len(piece)
        else:
            self._check(self._run + first)
            self._run = len(piece) - last
        self._check(self._run)
        return piece

    @staticmethod
    def _check(run: int) -> None:
        if run > 4 * MAX_RECORD:
            raise Unreadable("the file has a text in it that is longer than a record can be")


class Elements:
    """An XML file of records. Without a path in the layout, a record is whatever the root holds."""

    def __init__(self, file: IO[bytes], layout: Layout) -> None:
        self._file = file
        self._path = layout.record.strip("/").split("/") if layout.record else None
        self.columns: list[str] = []

    def __iter__(self) -> Iterator[Record]:
        try:
            yield from self._records()
        except DefusedXmlException:
            raise Unreadable("the file has a document type or entities in it, and those are refused") from None
        except ParseError as error:
            raise Unreadable(f"the file is no well-formed XML: {error}") from None
        except (UnicodeError, LookupError, ValueError) as error:
            raise Unreadable(f"the file is no XML that can be read: {type(error).__name__}") from None

    def _records(self) -> Iterator[Record]:
        path: list[Element] = []
        number = parts = 0
        for event, element in iterparse(Guarded(self._file), events=("start", "end"), forbid_dtd=True):
            if event == "start":
                path.append(element)
                parts += 1 + len(element.attrib)
                if len(path) > MAX_DEPTH or parts > MAX_PARTS:
                    raise Unreadable(f"a record has more than {MAX_PARTS} parts, or lies deeper than {MAX_DEPTH}")
                continue
            if self._is_record(path):
                number += 1
                yield Record(number, *_read(element))
            path.pop()
            if path and not self._in_record(path):
                # What has been read is let go of, or the whole file would stay in memory.
                path[-1].remove(element)
                parts = len(path)

    def _is_record(self, path: list[Element]) -> bool:
        if self._path is None:
            return len(path) == 2
        return len(path) == len(self._path) and self._in_record(path)

    def _in_record(self, path: list[Element]) -> bool:
        if self._path is None:
            return len(path) >= 2
        wanted = len(self._path)
        return len(path) >= wanted and [_name(one.tag) for one in path[:wanted]] == self._path


def _read(record: Element) -> tuple[dict[str, Cell], str | None]:
    found: dict[str, list[str]] = {}
    _flatten(record, [""], found)
    cells: dict[str, Cell] = {name: listed[0] if len(listed) == 1 else listed for name, listed in found.items()}
    long = sum(len(text) for listed in found.values() for text in listed) > MAX_RECORD
    return cells, "it is longer than a record can be" if long else None


def _flatten(element: Element, places: list[str], found: dict[str, list[str]]) -> None:
    """`places`: the paths that lead here, with and without what the attributes say."""
    text = element.text if element.text and element.text.strip() else ""
    for place in places:
        if text:
            found.setdefault(place or ".", []).append(text)
        for name, value in element.attrib.items():
            found.setdefault(f"{place}/@{_name(name)}".lstrip("/"), []).append(value)
    for part in element:
        name = _name(part.tag)
        words = [(key, value) for key, value in part.attrib.items() if len(value) <= MAX_WORD]
        alike = [f"[@{_name(key)}={value}]" for key, value in words[:MAX_ALIKE]]
        # Only the last step may be told by its attributes: paths would multiply with the depth.
        _flatten(part, [f"{places[0]}/{name}".lstrip("/") + end for end in ("", *alike)], found)


def _name(tag: Any) -> str:
    """Without the namespace, which says who defined the name and not what it means."""
    return str(tag).rpartition("}")[2]
