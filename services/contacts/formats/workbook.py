"""XLSX, written row by row (Office Open XML, ECMA-376)."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

from services.contacts.formats.cells import Row, cell, xml

SHEET_ROWS = 1_048_576
"""That a sheet of Excel's has."""


class SheetWriter:
    """XLSX, as it is written: openpyxl would give nothing before the last row, and take minutes for a million.

    Texts stand within their cells: they are never run as formulas. A full sheet begins another.
    """

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = fields
        self.sheets = 0
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._sheet: Any = None
        self._left = 0

    def begin(self) -> bytes:
        self._next_sheet()
        return self._sink.taken()

    def rows(self, rows: Iterable[Row]) -> bytes:
        for row in rows:
            if self._left == 0:
                self._next_sheet()
            self._row([cell(row.get(name)) for name in self.fields])
        return self._sink.taken()

    def end(self) -> bytes:
        self._close_sheet()
        for name, text in _around(self.sheets).items():
            self._zip.writestr(name, text)
        self._zip.close()
        return self._sink.taken()

    def _next_sheet(self) -> None:
        self._close_sheet()
        self.sheets += 1
        self._left = SHEET_ROWS
        self._sheet = self._zip.open(f"xl/worksheets/sheet{self.sheets}.xml", "w", force_zip64=True)
        self._sheet.write(f'{XML}<worksheet xmlns="{MAIN}"><sheetData>'.encode())
        self._row(self.fields)

    def _close_sheet(self) -> None:
        if self._sheet is not None:
            self._sheet.write(b"</sheetData></worksheet>")
            self._sheet.close()

    def _row(self, cells: Sequence[str]) -> None:
        told = "".join(
            f'<c t="inlineStr"><is><t xml:space="preserve">{xml(text)}</t></is></c>' if text else "<c/>"
            for text in cells
        )
        self._sheet.write(f"<row>{told}</row>".encode())
        self._left -= 1


class _Sink(io.RawIOBase):
    """Where the zip goes: it can only be written to, so that the zip never goes back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _around(sheets: int) -> dict[str, str]:
    """What makes the sheets a workbook."""
    numbers = range(1, sheets + 1)
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{TYPES}.worksheet+xml"/>' for n in numbers
    )
    named = "".join(f'<sheet name="Contacts{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    targets = "".join(
        f'<Relationship Id="rId{n}" Type="{DOCUMENT}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    return {
        "[Content_Types].xml": f'{XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{TYPES}.sheet.main+xml"/>{parts}</Types>',
        "_rels/.rels": f'{XML}<Relationships xmlns="{RELATIONS}">'
        f'<Relationship Id="rId1" Type="{DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{DOCUMENT}"><sheets>{named}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{XML}<Relationships xmlns="{RELATIONS}">{targets}</Relationships>',
    }
