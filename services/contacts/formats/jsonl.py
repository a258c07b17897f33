"""JSON, an object a line: names by their path (`address.city`), lists of objects as JSON again."""

from collections.abc import Iterator
from typing import IO, Any

import orjson

from services.contacts.formats.records import NUL, Cell, Layout, Lines, Record, shown
from services.contacts.formats.text import as_text

MAX_DEPTH = 20


class JsonLines:
    """A file of JSON objects, one a line."""

    def __init__(self, file: IO[bytes], layout: Layout) -> None:
        self._lines = Lines(as_text(file, layout.encoding))
        self.columns: list[str] = []

    def __iter__(self) -> Iterator[Record]:
        for number, line in enumerate(self._lines, 1):
            self._lines.seen.clear()
            if not line.strip():
                continue
            yield Record(number, *self._read(line))
            self._lines.cut = False

    def _read(self, line: str) -> tuple[dict[str, Cell], str | None]:
        if self._lines.cut:
            return {"line": shown([line])}, "it is longer than a record can be"
        try:
            found = orjson.loads(line)
        except ValueError:
            return {"line": shown([line]).encode("utf-8", "replace").decode()}, "it is not JSON"
        if not isinstance(found, dict):
            return {"line": shown([line])}, "it is no JSON object"
        cells: dict[str, Cell] = {}
        try:
            flatten(found, "", cells)
        except orjson.JSONEncodeError:
            return {"line": shown([line])}, "it is nested too deeply"
        if "\\u0000" in line and any(NUL in str(cell) for cell in cells.values()):
            return {name: str(cell).replace(NUL, "") for name, cell in cells.items()}, "it has zero bytes"
        return cells, None


def flatten(found: dict[str, Any], prefix: str, cells: dict[str, Cell], depth: int = 1) -> None:
    """Every object both as a whole, as JSON, and by its parts. Raises JSONEncodeError: what can be read is deeper than can be written."""
    for name, value in found.items():
        place = prefix + name
        match value:
            case None:
                pass
            case dict() if value:
                cells[place] = orjson.dumps(value).decode()
                if depth < MAX_DEPTH:
                    flatten(value, f"{place}.", cells, depth + 1)
            case list() if value and all(isinstance(one, str) for one in value):
                cells[place] = value
            case dict() | list():
                cells[place] = orjson.dumps(value).decode()
            case str():
                cells[place] = value
            case _:
                cells[place] = orjson.dumps(value).decode()
