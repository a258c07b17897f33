"""A file's reader, by what the mapping says or by the file's first bytes."""

from collections.abc import Callable
from typing import IO

from services.contacts.formats.delimited import Delimited
from services.contacts.formats.jsonl import JsonLines
from services.contacts.formats.records import Layout, Reader, Unreadable
from services.contacts.formats.spreadsheet import Spreadsheet
from services.contacts.formats.vcard import Cards
from services.contacts.formats.xml import Elements

READERS: dict[str, Callable[[IO[bytes], Layout], Reader]] = {
    "csv": Delimited,
    "jsonl": JsonLines,
    "xlsx": Spreadsheet,
    "xml": Elements,
    "vcard": Cards,
}


def form_of(file: IO[bytes]) -> str:
    """`csv`, where nothing speaks for another form. Leaves the file at its beginning."""
    file.seek(0)
    start = file.read(512)
    file.seek(0)
    if start.startswith(b"PK\x03\x04"):
        return "xlsx"
    text = start.decode("utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig", "replace").lstrip()
    if text.startswith("<"):
        return "xml"
    if text[:11].upper() == "BEGIN:VCARD":
        return "vcard"
    return "jsonl" if text.startswith("{") else "csv"


def opened(file: IO[bytes], form: str | None, layout: Layout) -> Reader:
    """Raises Unreadable."""
    reader = READERS.get(form or form_of(file))
    if reader is None:
        raise Unreadable(f"there is no form {form!r}")
    file.seek(0)
    return reader(file, layout)
