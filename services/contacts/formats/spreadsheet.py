"""XLSX, a row at a time: values as the spreadsheet last worked them out, never formulas."""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from openpyxl.utils.exceptions import InvalidFileException

from services.contacts.formats.delimited import distinct
from services.contacts.formats.records import MAX_COLUMNS, NUL, Cell, Layout, Record, Unreadable
from services.contacts.formats.safe import as_written
from services.contacts.formats.sheets import workbook
from services.contacts.formats.xml import Guarded

MAX_UNPACKED = 8 << 30
"""Of sheets, which are read piece by piece: a million rows of 30 columns have about 3 GB."""
MAX_BESIDE = 256 << 20
"""Of all else, above all the texts that cells share, which lie in a file of ours. What is beyond it is sent as CSV."""
MAX_TREES = 8 << 20
"""Of parts that are held as trees, some twenty times as large: what makes the sheets a workbook, and how they look."""
BOOK = "xl/workbook.xml"
TREES = ("[Content_Types].xml", "xl/styles.xml", "docProps/")
MAX_MEMBERS = 1_000
MAX_ROWS = 1_048_576
"""That a sheet of Excel's has; a row said to be further away is a trap."""
PIECE = 1 << 20


class Spreadsheet:
    """The rows of one sheet. Raises Unreadable if it has no header."""

    def __init__(self, file: IO[bytes], layout: Layout) -> None:
        try:
            _check(file)
            book = workbook(file)
            sheet = book[layout.sheet] if layout.sheet else book.worksheets[0]
            self._rows = enumerate(sheet.rows_alone(), 1)
            self.columns = self._header()
        except KeyError:
            raise Unreadable(f"the file has no sheet {layout.sheet!r}, or is no XLSX") from None
        except IndexError:
            raise Unreadable("the file has no sheet") from None
        except DefusedXmlException:
            raise Unreadable("the file has a document type or entities in it, and those are refused") from None
        except (zipfile.BadZipFile, InvalidFileException, ParseError, ValueError, TypeError, AttributeError, EOFError,
                NotImplementedError, RuntimeError) as error:  # fmt: skip
            raise Unreadable(f"the file is no XLSX that can be read: {type(error).__name__}") from None

    def _header(self) -> list[str]:
        for number, row in self._rows:
            cells = [_text(cell) for cell in row]
            if any(cell.strip() for cell in cells):
                while not cells[-1].strip():
                    cells.pop()
                if len(cells) > MAX_COLUMNS:
                    raise Unreadable(f"the header has more than {MAX_COLUMNS} columns")
                return distinct(cells)
            if number >= MAX_ROWS:
                break
        raise Unreadable("the sheet is empty")

    def __iter__(self) -> Iterator[Record]:
        try:
            for number, row in self._rows:
                if number > MAX_ROWS:
                    raise Unreadable(f"the sheet has more than {MAX_ROWS:,} rows")
                if any(cell is not None for cell in row):
                    yield self._record(number, row)
        except (
            zipfile.BadZipFile,
            ParseError,
            ValueError,
            TypeError,
            AttributeError,
            EOFError,
            OverflowError,
        ) as error:
            raise Unreadable(
                f"the sheet is broken after row {getattr(self, 'line', 1)}: {type(error).__name__}"
            ) from None

    def _record(self, number: int, row: tuple[Any, ...]) -> Record:
        self.line = number
        width = len(self.columns)
        cells: dict[str, Cell] = {
            name: as_written(_text(cell)) for name, cell in zip(self.columns, row[:width], strict=False)
        }
        if any(cell is not None and cell != "" for cell in row[width:]):
            return Record(number, cells, f"it has more cells than the header, which has {width}")
        if any(NUL in str(cell) for cell in cells.values()):
            return Record(
                number, {name: str(cell).replace(NUL, "") for name, cell in cells.items()}, "it has zero bytes"
            )
        return Record(number, cells)


def _check(file: IO[bytes]) -> None:
    """Before anything is unpacked: what is declared is also the most that is read of each part."""
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        sheets = sum(one.file_size for one in parts if one.filename.startswith("xl/worksheets/"))
        others = sum(one.file_size for one in parts) - sheets
        if len(parts) > MAX_MEMBERS or sheets > MAX_UNPACKED or others > MAX_BESIDE or _trees(archive) > MAX_TREES:
            raise Unreadable("the file unpacks to more than a table of contacts can be; send it as CSV")
        # Whatever they are called: any part can be said to be a sheet.
        for one in parts:
            with archive.open(one) as part:
                guarded = Guarded(part)
                while guarded.read(PIECE):
                    """Only to see that no text in it is without an end."""
    file.seek(0)


def _trees(archive: zipfile.ZipFile) -> int:
    """How much is held as trees. Which part is the workbook is said in the list of types, and it can be any."""
    held = sum(
        one.file_size for one in archive.infolist() if one.filename.startswith(TREES) or one.filename.endswith(".rels")
    )
    if held > MAX_TREES:
        return held
    types = fromstring(archive.read(TREES[0]), forbid_dtd=True)
    books = {one.get("PartName", "")[1:] for one in types if one.get("ContentType", "").endswith("main+xml")}
    return held + sum(one.file_size for one in archive.infolist() if one.filename in {BOOK, *books})


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)
