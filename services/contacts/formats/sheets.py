"""Workbooks as openpyxl reads them, with an end to what it holds at a time: texts that cells share, and one row."""

from collections.abc import Iterator
from typing import IO, Any, Self, cast

from openpyxl.reader.excel import ExcelReader
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.xml.constants import SHARED_STRINGS

from services.contacts.formats.records import Unreadable
from services.contacts.formats.shared_texts import SharedTexts

MAX_TAGS, MAX_BYTES = 1_000_000, 64 << 20
"""Of what lies between two rows, and behind the last: it is held as a tree. The widest row of Excel's has 16,384 cells."""


def workbook(file: IO[bytes]) -> Any:
    """Its sheets have `rows_alone`. Raises Unreadable, and whatever openpyxl raises."""
    reader = _Workbook(file, read_only=True, data_only=True, keep_links=False)
    reader.read()
    return reader.wb


class _Workbook(ExcelReader):
    """openpyxl's own would hold all texts that cells share, each several times as large as it is in the file."""

    def read_strings(self) -> None:
        if part := cast("Any", self.package).find(SHARED_STRINGS):
            with self.archive.open(part.PartName[1:]) as source:
                self.shared_strings = cast("Any", SharedTexts(source))

    def read_worksheets(self) -> None:
        for sheet, rel in self.parser.find_sheets():
            if rel.target in self.valid_files and "chartsheet" not in rel.Type:
                cast("Any", self.wb)._sheets.append(_Sheet(self.wb, sheet.name, rel.target, self.shared_strings))  # noqa: SLF001 - as its super does


class _Sheet(ReadOnlyWorksheet):
    """Counts what is read between two rows."""

    def rows_alone(self) -> Iterator[tuple[Any, ...]]:
        """The values of each row. Raises Unreadable."""
        self._read = _Read()
        for row in cast("Any", self).iter_rows(values_only=True):
            self._read.tags = self._read.bytes = 0
            yield row

    def _get_size(self) -> None:
        """It is not believed; and where a sheet does not say it, all of it would be read to find it out."""

    def _get_source(self) -> Any:
        self._read.source = super()._get_source()  # type: ignore[misc] # its stubs leave out what is not for everybody
        return self._read


class _Read:
    """A part of the archive, as it is read."""

    source: Any

    def __init__(self) -> None:
        self.tags = self.bytes = 0

    def read(self, size: int) -> bytes:
        """Raises Unreadable."""
        piece: bytes = self.source.read(size)
        self.tags += piece.count(b"<")
        self.bytes += len(piece)
        if self.tags > MAX_TAGS or self.bytes > MAX_BYTES:
            raise Unreadable("the sheet has a row in it that is wider than any can be, or too much behind its rows")
        return piece

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.source.close()
