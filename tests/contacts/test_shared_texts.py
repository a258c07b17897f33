"""What of a spreadsheet is held: of the texts that cells share where each begins, of a sheet one row."""

import io
import re
import tracemalloc
import zipfile

import pytest

from services.contacts.formats import shared_texts, sheets
from services.contacts.formats.opening import opened
from services.contacts.formats.records import MAX_RECORD, Layout, Unreadable
from services.contacts.formats.shared_texts import SharedTexts
from tests.contacts.test_formats import bomb, cells, readable, sheet as inline

BEGIN = b'<x:sst xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
END = b"</x:sst>"


TABLE = "xl/sharedStrings.xml"
INLINE = re.compile(rb't="inlineStr"><is><t>([^<]*)</t></is>')
LISTED = (
    b'<Override PartName="/xl/sharedStrings.xml" '
    b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)
ROWS = ("name", "town"), ("Ann", "Bonn"), ("Bob", "Bonn"), ("Bonn", "Ann")


def sheet(*rows: tuple[str, ...], table: bytes | None = None) -> bytes:
    """An XLSX whose cells share their texts, as Excel writes it and openpyxl does not. `table`: in place of those texts."""
    shared: list[bytes] = []

    def number(cell: re.Match[bytes]) -> bytes:
        if cell[1] not in shared:
            shared.append(cell[1])
        return b't="s"><v>%d</v>' % shared.index(cell[1])

    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(inline(*rows))) as plain,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for name in plain.namelist():
            told = INLINE.sub(number, plain.read(name))
            made.writestr(name, told.replace(b"</Types>", LISTED + b"</Types>"))
        own = b"".join(b"<x:si><x:t>%s</x:t></x:si>" % text for text in shared)
        made.writestr(TABLE, table or BEGIN + own + END)
    return out.getvalue()


def texts(*told: bytes) -> list[str]:
    found = SharedTexts(io.BytesIO(BEGIN + b"".join(told) + END))
    return [found[number] for number in range(len(found))]


def test_texts_are_read_with_their_runs_and_without_how_they_are_pronounced() -> None:
    assert texts(
        "<x:si><x:t>Jürgen</x:t></x:si>".encode(),
        b'<x:si><x:r><x:rPr><x:b/></x:rPr><x:t>a</x:t></x:r><x:r><x:t xml:space="preserve"> &amp; b</x:t></x:r></x:si>',
        b"<x:si/>",
        b"<x:si><x:t>kanji</x:t><x:rPh sb='0' eb='1'><x:t>kana</x:t></x:rPh></x:si>",
    ) == ["Jürgen", "a & b", "", "kanji"]
    assert texts() == []


def test_a_sheet_reads_them_by_their_number() -> None:
    assert cells(sheet(*ROWS)) == [dict(zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]
    table = b"".join(b"<x:si><x:t>%d</x:t></x:si>" % n for n in range(6))
    assert cells(sheet(*ROWS, table=BEGIN + table + END))[-1] == {"0": "3", "1": "2"}


@pytest.mark.parametrize("number", [-1, 1, 1 << 70])
def test_a_number_that_there_is_not_is_a_fault_of_the_sheet(number: int) -> None:
    found = SharedTexts(io.BytesIO(BEGIN + b"<x:si><x:t>a</x:t></x:si>" + END))
    with pytest.raises(ValueError, match="not there"):
        found[number]


@pytest.mark.parametrize(
    "told",
    [
        b"<x:si>" * 60,
        b"<x:si><x:t>" + b"a" * (MAX_RECORD + 1) + b"</x:t></x:si>",
        b"<x:si>" + b"<x:r><x:t>abcdefgh</x:t></x:r>" * (MAX_RECORD // 8 + 1) + b"</x:si>",
    ],
)
def test_what_no_cell_can_be_is_not_read(told: bytes) -> None:
    with pytest.raises(Unreadable):
        texts(told)


def test_of_more_than_can_be_counted_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_texts, "MAX_TEXTS", 3)
    assert texts(b"<x:si/>" * 3) == ["", "", ""]
    with pytest.raises(Unreadable, match="send it as CSV"):
        texts(b"<x:si/>" * 4)


@pytest.mark.parametrize("told", [b"<x:si>", b"<y>", b"&a;", b"<x:si><x:t>name</x:t></x:si>" + END])
def test_what_is_broken_is_an_unreadable_file(told: bytes) -> None:
    assert readable(sheet(*ROWS, table=BEGIN + told), "xlsx") == []


def test_a_document_type_is_refused() -> None:
    laughs = b'<!DOCTYPE a [<!ENTITY a "ha">]>' + BEGIN + b"<x:si><x:t>&a;</x:t></x:si>" + END
    with pytest.raises(Unreadable):
        list(opened(io.BytesIO(sheet(*ROWS, table=laughs)), "xlsx", Layout()))


def test_very_many_of_them_are_not_held_in_memory() -> None:
    """openpyxl's own table has 100 bytes and more for each, however short; this has four."""
    count, long = 150_000, b"<x:si><x:t>" + b"y" * 100_000 + b"</x:t></x:si>"
    source = io.BytesIO(BEGIN + b"<x:si><x:t>a</x:t></x:si>" * count + long * 200 + END)
    tracemalloc.start()
    try:
        found = SharedTexts(source)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (len(found), found[count - 1], len(found[count])) == (count + 200, "a", 100_000)
    assert peak < 4 << 20


SHEET = "xl/worksheets/sheet1.xml"
ROW = b'<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>'
DATA = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>' + ROW


@pytest.mark.parametrize("told", [b"<row>" + b"<c/>" * 200_000, b"</sheetData>" + b"<a/>" * 200_000])
def test_a_row_without_an_end_is_not_held(told: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_TAGS", 20_000)
    data = bomb(SHEET, DATA + told, 1)
    tracemalloc.start()
    try:
        records = readable(data, "xlsx")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert records == []
    assert peak < 12 << 20
    with pytest.raises(Unreadable, match="wider than any"):
        list(opened(io.BytesIO(data), "xlsx", Layout()))


def test_many_rows_are_read_however_much_they_are_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_TAGS", 20_000)
    row = b'<row><c t="inlineStr"><is><t>Ann</t></is></c></row>'
    data = bomb(SHEET, DATA + row * 10_000 + b"</sheetData></worksheet>", 1)
    assert [one["name"] for one in cells(data)] == ["Ann"] * 10_000
