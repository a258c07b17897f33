"""CSV in any usual encoding and delimiter, a record at a time."""

import csv
from collections.abc import Iterator
from itertools import islice
from typing import IO

from services.contacts.formats.records import (
    MAX_COLUMNS,
    NUL,
    Cell,
    Layout,
    Lines,
    Record,
    Unreadable,
    has_odd_characters,
    shown,
)
from services.contacts.formats.safe import as_written
from services.contacts.formats.text import as_text

DELIMITERS = ",;\t|"
LOOKED_AT = 50
"""Lines by which the delimiter is told."""


class Delimited:
    """A CSV file. Raises Unreadable if it has no header."""

    def __init__(self, file: IO[bytes], layout: Layout) -> None:
        self.text = as_text(file, layout.encoding)
        delimiter = layout.delimiter or self._delimiter()
        self._lines = Lines(self.text)
        self._reader = csv.reader(self._lines, delimiter=delimiter, skipinitialspace=True)
        self.columns = distinct(self._header())

    def _delimiter(self) -> str:
        found = delimiter_of([line.replace(NUL, "") for line in islice(Lines(self.text, 10_000), LOOKED_AT)])
        self.text.seek(0)
        return found

    def _header(self) -> list[str]:
        try:
            for cells in self._reader:
                if any(cell.strip() for cell in cells):
                    break
                self._lines.seen.clear()
            else:
                raise Unreadable("the file is empty")
        except csv.Error as error:
            raise Unreadable(f"the header is no CSV: {error}") from None
        if self._lines.cut or len(cells) > MAX_COLUMNS:
            raise Unreadable(f"the header has more than {MAX_COLUMNS} columns, or is no header")
        if any(NUL in cell for cell in cells):
            raise Unreadable("the file is no text: its header has zero bytes in it")
        if any(has_odd_characters(cell) for cell in cells):
            raise Unreadable("the header is not of the encoding that the mapping names")
        return cells

    def __iter__(self) -> Iterator[Record]:
        while True:
            self._lines.seen.clear()
            self._lines.cut = False
            line = self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error:
                yield self._broken(line, "a quotation mark is opened and not closed, or a value is endless")
                continue
            if any(cells):
                yield self._record(line, cells)

    def _record(self, line: int, cells: list[str]) -> Record:
        if self._lines.cut:
            return self._broken(line, "it is longer than a record can be")
        if len(cells) != len(self.columns):
            return self._broken(line, f"it has {len(cells)} cells, and the header {len(self.columns)}")
        named: dict[str, Cell] = dict(zip(self.columns, map(as_written, cells), strict=True))
        whole = "".join(cells)
        if not whole.isascii() and (has_odd_characters(whole) or "\ufffd" in whole):
            return self._broken(line, "it is not of the file's encoding")
        if NUL in whole:
            return Record(line, {name: str(cell).replace(NUL, "") for name, cell in named.items()}, "it has zero bytes")
        return Record(line, named)

    def _broken(self, line: int, why: str) -> Record:
        raw = shown(self._lines.seen).encode("utf-8", "replace").decode()
        return Record(line, {self.columns[0]: raw}, why)


def distinct(header: list[str]) -> list[str]:
    """Distinct names: those without one are numbered, and so is a name that comes again."""
    found: dict[str, None] = {}
    for number, cell in enumerate(header, 1):
        name = cell.strip() or f"column {number}"
        found[name if name not in found else f"{name} {number}"] = None
    if len(found) < len(header):
        raise Unreadable("the header has a column twice, under names that cannot be told apart")
    return list(found)


def delimiter_of(lines: list[str]) -> str:
    """The one that cuts the first lines into the most cells, all into as many; of those alike the more usual."""
    told = [line for line in lines if line.strip()]

    def evenness(delimiter: str) -> tuple[float, int]:
        cells = [len(row) for row in csv.reader(told, delimiter=delimiter)]
        wanted = cells[0] if cells else 1
        return (sum(count == wanted for count in cells) / max(len(cells), 1) if wanted > 1 else 0.0, wanted)

    try:
        return max(DELIMITERS, key=evenness)
    except csv.Error:
        return ","
