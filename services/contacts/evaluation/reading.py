"""A file of records, however it is written, as columns of text: CSV in any usual encoding and separator, or Parquet."""

import csv
import gzip
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.contacts.formats.delimited import delimiter_of


class Unreadable(Exception):
    """Nothing can be compared; the message says why, to the person at the terminal."""


@dataclass
class Records:
    """Columns by name, one text a record; `lines` is where each record ends in the file (its row, from 1, in Parquet)."""

    columns: dict[str, list[str]]
    lines: list[int]
    encoding: str = ""
    separator: str = ""
    warnings: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines)


def read_records(path: Path) -> Records:
    """All rows of a file. Raises Unreadable."""
    try:
        records = _parquet(path) if path.suffix.lower() in {".parquet", ".pq"} else _csv(path)
    except (OSError, EOFError) as error:
        raise Unreadable(f"{path} cannot be read: {error}") from None
    if not len(records):
        raise Unreadable(f"{path} has no records, only a header" if records.columns else f"{path} is empty")
    return records


def _csv(path: Path) -> Records:
    raw = gzip.decompress(path.read_bytes()) if path.suffix.lower() == ".gz" else path.read_bytes()
    text, encoding = _decoded(raw)
    if not text.strip():
        raise Unreadable(f"{path} is empty")
    if "\0" in text:
        raise Unreadable(f"{path} is no text: it has zero bytes in it")
    separator = delimiter_of(text[: 1 << 16].splitlines()[:50])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        return _rows(reader, lambda: reader.line_num, encoding, separator)
    except csv.Error as error:
        raise Unreadable(f"line {reader.line_num} of {path} is no CSV: {error}") from None


def _rows(reader: Iterable[list[str]], line: Callable[[], int], encoding: str, separator: str) -> Records:
    rows = iter(reader)
    header = _names(next((row for row in rows if any(row)), []))
    columns: list[list[str]] = [[] for _ in header]
    lines: list[int] = []
    uneven = 0
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        uneven += len(row) != len(header)
        padded = row + [""] * (len(header) - len(row))
        for column, cell in zip(columns, padded, strict=False):
            column.append(cell)
        lines.append(line())
    records = Records(dict(zip(header, columns, strict=True)), lines, encoding, separator)
    if uneven:
        records.warnings.append(f"{uneven:,} rows have more or fewer cells than the header has columns.")
    return records


def _names(header: list[str]) -> list[str]:
    """Distinct names: those without one are numbered, and so is a name that comes again."""
    found: list[str] = []
    for number, cell in enumerate(header, 1):
        name = cell.strip() or f"column {number}"
        found.append(name if name not in found else f"{name} {number}")
    return found


def _decoded(raw: bytes) -> tuple[str, str]:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace"), "utf-16"
    try:
        return raw.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        # What is not UTF-8 is almost always Windows' Western code page; its five holes are kept as question marks.
        return raw.decode("cp1252", errors="replace"), "cp1252"


def _parquet(path: Path) -> Records:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise Unreadable("Parquet files need pyarrow: pip install 'rapport[parquet]'") from None
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Unreadable(f"{path} is no Parquet file: {error}") from None
    columns = {name: [_text(cell) for cell in table.column(name).to_pylist()] for name in table.column_names}
    return Records(columns, list(range(1, table.num_rows + 1)), "parquet")


def _text(cell: Any) -> str:
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN is the one value that is not itself
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
