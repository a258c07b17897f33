"""Contacts as files, piece by piece: what was written is let go of at once. Each piece is given by a call of its own, in a thread."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Protocol

import orjson

from services.contacts.formats.cards import CardWriter
from services.contacts.formats.cells import Row, cell, nested, xml
from services.contacts.formats.safe import harmless
from services.contacts.formats.workbook import SheetWriter

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson",
    "xml": "application/xml",
    "vcard": "text/vcard; charset=utf-8",
}
ENDINGS = {"csv": "csv", "xlsx": "xlsx", "jsonl": "jsonl", "xml": "xml", "vcard": "vcf"}


class Writer(Protocol):
    """One file."""

    def begin(self) -> bytes: ...

    def rows(self, rows: Iterable[Row]) -> bytes: ...

    def end(self) -> bytes: ...


class CsvWriter:
    """With a header, every cell in quotes, nothing that a spreadsheet would run."""

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = fields

    def begin(self) -> bytes:
        return self._written([self.fields])

    def rows(self, rows: Iterable[Row]) -> bytes:
        return self._written([harmless(cell(row.get(name))) for name in self.fields] for row in rows)

    def end(self) -> bytes:
        return b""

    @staticmethod
    def _written(rows: Iterable[Sequence[str]]) -> bytes:
        out = io.StringIO(newline="")
        csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
        return out.getvalue().encode()


class JsonWriter:
    """An object a line, its parts within each other."""

    def begin(self) -> bytes:
        return b""

    def rows(self, rows: Iterable[Row]) -> bytes:
        return b"".join(orjson.dumps(nested(row), option=orjson.OPT_APPEND_NEWLINE) for row in rows)

    def end(self) -> bytes:
        return b""


class XmlWriter:
    """`<contacts>` of `<contact>`s, a field an element."""

    def begin(self) -> bytes:
        return b'<?xml version="1.0" encoding="UTF-8"?>\n<contacts>\n'

    def rows(self, rows: Iterable[Row]) -> bytes:
        return "".join(
            "<contact>"
            + "".join(f"<{name}>{xml(cell(value))}</{name}>" for name, value in row.items())
            + "</contact>\n"
            for row in rows
        ).encode()

    def end(self) -> bytes:
        return b"</contacts>\n"


def writer(form: str, fields: Sequence[str]) -> Writer:
    match form:
        case "csv":
            return CsvWriter(fields)
        case "xlsx":
            return SheetWriter(fields)
        case "jsonl":
            return JsonWriter()
        case "xml":
            return XmlWriter()
        case "vcard":
            return CardWriter()
    raise ValueError(f"there is no form {form}")
