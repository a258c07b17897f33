"""Readers of files, however hostile the file: what can be read is read, what cannot is told, nothing grows without end."""

import io
import tracemalloc
import zipfile
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, strategies as st
from openpyxl import Workbook

from services.contacts.formats.opening import form_of, opened
from services.contacts.formats.records import MAX_RECORD, Cell, Layout, Record, Unreadable
from services.contacts.formats.safe import as_written, harmless
from services.contacts.formats.workbook import SheetWriter
from services.contacts.formats.writing import CsvWriter

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;">]>
<contacts><contact><name>&lol2;</name></contact></contacts>"""
OUTSIDE = b"""<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><b><name>&x;</name></b></a>"""


def read(data: bytes, form: str | None = None, **layout: Any) -> list[Record]:
    return list(opened(io.BytesIO(data), form, Layout(**layout)))


def cells(data: bytes, form: str | None = None, **layout: Any) -> list[dict[str, Cell]]:
    records = read(data, form, **layout)
    assert not [one.fault for one in records if one.fault]
    return [one.cells for one in records]


def readable(data: bytes, form: str) -> list[Record]:
    """What comes before the file proves unreadable, if it does."""
    records: list[Record] = []
    with suppress(Unreadable):
        records.extend(opened(io.BytesIO(data), form, Layout()))
    return records


def sheet(*rows: tuple[Any, ...]) -> bytes:
    book, out = Workbook(write_only=True), io.BytesIO()
    table = book.create_sheet()
    for row in rows:
        table.append(row)
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_is_read_in_any_usual_encoding_and_delimiter(encoding: str, delimiter: str) -> None:
    text = f'Name{delimiter}Stadt\r\nJürgen{delimiter}"Köln{delimiter} Süd"\r\n\r\nBob{delimiter}"a\nb"\r\n'
    data = text.encode(encoding)
    assert form_of(io.BytesIO(data)) == "csv"
    assert cells(data) == [
        {"Name": "Jürgen", "Stadt": f"Köln{delimiter} Süd"},
        {"Name": "Bob", "Stadt": "a\nb"},
    ]
    assert [one.line for one in read(data)] == [2, 4]


def test_a_byte_that_is_not_utf8_late_in_the_file_makes_all_of_it_western() -> None:
    data = b"name\n" + b"Ann\n" * 500_000 + "Jürgen\n".encode("cp1252")
    assert read(data)[-1].cells == {"name": "Jürgen"}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (b"a,b,c\n", "3 cells"),
        (b"a\n", "1 cells"),
        (b'a,"b\n' + b"c\n" * 100_000, "quotation mark"),
        (b"a,b\0c\n", "zero bytes"),
        (b"J\xfcrgen,b\n", "encoding"),
        (b"a," + b"x" * (MAX_RECORD + 5) + b"\n", "endless"),
    ],
)
def test_a_row_that_cannot_be_read_is_told_and_the_others_are_read(row: bytes, why: str) -> None:
    records = read(b"x,y\n1,2\n" + row + b"3,4\n", encoding="utf-8")
    assert records[0].cells == {"x": "1", "y": "2"}
    assert why in (records[1].fault or "")
    assert records[1].line == 3
    if "quotation" not in why:
        assert records[-1].cells == {"x": "3", "y": "4"}


def test_a_line_without_an_end_is_held_only_in_part(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    with path.open("wb") as file:
        file.write(b"x\n")
        for _ in range(64):
            file.write(b"y" * (1 << 20))
        file.write(b"\nz\n")
    with path.open("rb") as file:
        tracemalloc.start()
        try:
            records = list(opened(file, "csv", Layout()))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert [one.fault is None for one in records] == [False, True]
    assert peak < 32 << 20


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"\0\0\0", b",,\n,,\n"])
@pytest.mark.parametrize("form", ["csv", "xlsx", "xml", "vcard", "jsonl"])
def test_a_file_of_nothing_has_no_records(form: str, data: bytes) -> None:
    assert all(record.fault for record in readable(data, form))


@given(st.binary(max_size=300), st.sampled_from(["csv", "xlsx", "xml", "vcard", "jsonl"]))
@example(b"\x00\x8d", "csv")  # not of the encoding, and zero bytes
def test_any_bytes_are_records_or_unreadable(data: bytes, form: str) -> None:
    for start in (b"", b"BEGIN:VCARD\n", b"PK\x03\x04", b"<a><b>", b'{"a":'):
        for record in readable(start + data, form):
            assert all(isinstance(cell, str | list) for cell in record.cells.values())
            assert "".join(str(cell) for cell in record.cells.values()).encode() is not None


def test_xlsx_gives_values_never_formulas() -> None:
    data = sheet(("name", "born", "size", "vip", "sum"), ("Ann", date(1980, 1, 2), 38.0, True, "=1+1"))
    assert form_of(io.BytesIO(data)) == "xlsx"
    [row] = cells(data)
    assert row == {"name": "Ann", "born": "1980-01-02", "size": "38", "vip": "true", "sum": ""}


def bomb(name: str, content: bytes, times: int, called: str | None = None) -> bytes:
    """An XLSX in which one part unpacks to very much. `called`: it is so everywhere, in place of `name`."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(sheet(("name",), ("Ann",)))) as good,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        for one in good.namelist():
            if one != name:
                last, instead = (path.rpartition("/")[2].encode() for path in (name, called or name))
                bad.writestr(one, good.read(one).replace(last, instead))
        with bad.open(called or name, "w") as part:
            for _ in range(times):
                part.write(content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "times"),
    [
        ("xl/sharedStrings.xml", b"<t>a</t>" * (1 << 17), 300),  # 300 MB that would be held in memory
        ("xl/worksheets/sheet1.xml", b"a" * (1 << 20), 64),  # one text without an end
        ("xl/worksheets/sheet1.xml", LAUGHS, 1),
        ("xl/styles.xml", LAUGHS, 1),
        ("xl/styles.xml", b"<a/>" * (1 << 18), 20),  # 20 MB that would be a tree of 400
        ("xl/workbook.xml", b"<a/>" * (1 << 18), 20),
    ],
)
def test_a_zip_bomb_is_refused_before_it_is_unpacked(name: str, content: bytes, times: int) -> None:
    refuses(bomb(name, content, times))


def test_a_zip_bomb_by_another_name_is_refused_as_well() -> None:
    refuses(bomb("xl/worksheets/sheet1.xml", b"a" * (1 << 20), 64, called="xl/worksheets/sheet1.dat"))
    refuses(bomb("xl/workbook.xml", b"<a/>" * (1 << 18), 20, called="xl/worksheets.xml"))


def refuses(data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable):
            read(data, "xlsx")
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_a_row_said_to_be_far_away_is_no_endless_loop() -> None:
    far = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>'
        b'<row r="900000000000"><c t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>'
    )
    with pytest.raises(Unreadable):
        read(bomb("xl/worksheets/sheet1.xml", far, 1), "xlsx")


@pytest.mark.parametrize("data", [LAUGHS, OUTSIDE])
def test_entities_and_document_types_are_refused(data: bytes) -> None:
    with pytest.raises(Unreadable, match="document type"):
        read(data, "xml")


def test_xml_names_its_parts_by_their_path_and_their_attributes() -> None:
    data = b"""<export><head><made>today</made></head><people>
        <person nr="7"><name>Ann</name><phone type="work">1</phone><phone type="home">2</phone><at><city>Bonn</city></at></person>
        <person nr="8"><name>Bob</name></person></people></export>"""
    assert form_of(io.BytesIO(data)) == "xml"
    ann, bob = cells(data, record="/export/people/person")
    assert (ann["@nr"], ann["name"], ann["phone"]) == ("7", "Ann", ["1", "2"])
    assert (ann["phone[@type=home]"], ann["at/city"]) == ("2", "Bonn")
    assert bob == {"@nr": "8", "name": "Bob"}


@pytest.mark.parametrize(
    "data",
    [
        b"<a>" * 100_000,
        b"<a><b>" + b"<c/>" * 100_000 + b"</b></a>",
        b"<a><b>" + b"x" * (5 * MAX_RECORD) + b"</b></a>",
        b"<a><b>x</b>",
        b'<?xml version="1.0" encoding="nonsense"?><a><b/></a>',
        b"<a><b><c " + b" ".join(b'a%d="1"' % n for n in range(6_000)) + b"/></b></a>",
    ],
)
def test_xml_that_goes_too_far_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(data, "xml")


def test_long_xml_is_read_with_flat_memory() -> None:
    class Endless(io.RawIOBase):
        left = 30_000

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            return b"<c><name>%d</name></c>" % self.left * 100 if self.left > 0 else b""

        def seek(self, *_: int) -> int:
            return 0

    class Rooted(Endless):
        begun = False

        def read(self, size: int = -1) -> bytes:
            begun, self.begun = self.begun, True
            return super().read(size) if begun else b"<a>"

    tracemalloc.start()
    try:
        reader = iter(opened(Rooted(), "xml", Layout()))  # type: ignore[arg-type]
        for _ in range(20_000):
            next(reader)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


CARDS = b"""BEGIN:VCARD\r
VERSION:3.0\r
N:van der Berg;Ann;;Dr.;\r
FN:Dr. Ann van der Berg\r
item1.TEL;TYPE=WORK,VOICE:+49 30 123456\r
EMAIL;TYPE=home:ann@b.de\r
ADR;TYPE=work:;;Hauptstr. 1\\, Hof;Berlin;;10115;DE\r
NOTE:long li\r
 ne\r
END:VCARD\r
BEGIN:VCARD\r
no property at all\r
END:VCARD\r
BEGIN:VCARD\r
VERSION:4.0\r
FN:Bob\r
TEL;VALUE=uri;TYPE="home,cell":tel:+1-999\r
END:VCARD\r
"""


def test_vcards_of_both_versions_are_read_and_a_bad_one_is_told() -> None:
    assert form_of(io.BytesIO(CARDS)) == "vcard"
    ann, bad, bob = read(CARDS)
    assert ann.cells["N.family"] == "van der Berg"
    assert ann.cells["N.title"] == "Dr."
    assert ann.cells["TEL[work]"] == "+49 30 123456"
    assert ann.cells["ADR[work].street"] == "Hauptstr. 1, Hof"
    assert ann.cells["NOTE"] == "long line"
    assert ann.cells["phones"] == '[{"typed":"+49 30 123456","purpose":"work"}]'
    assert "no property" in (bad.fault or "")
    assert bob.cells["phones"] == '[{"typed":"+1-999","purpose":"home"}]'
    [open_card] = read(b"BEGIN:VCARD\nFN:x\n", "vcard")
    assert open_card.fault == "the card has no end"


def test_json_lines_name_objects_whole_and_by_their_parts() -> None:
    [row] = cells(
        b'{"name":"Ann","address":{"city":"Bonn","lines":["a","b"]},"n":5,"no":null,"phones":[{"typed":"1"}]}\n'
    )
    assert row["address.city"] == "Bonn"
    assert row["address.lines"] == ["a", "b"]
    assert (row["n"], row["phones"]) == ("5", '[{"typed":"1"}]')
    assert "no" not in row
    assert [one.fault for one in read(b"{}\n[1]\n{\n", "jsonl")] == [None, "it is no JSON object", "it is not JSON"]


@given(st.text(max_size=20))
def test_what_is_made_harmless_reads_back_as_it_was(text: str) -> None:
    assert as_written(harmless(text)) == text
    assert harmless(text)[:1] not in {"=", "+", "-", "@", "\t", "\r"}


def test_exported_formulas_are_texts_in_every_spreadsheet() -> None:
    row = {"name": '=HYPERLINK("http://evil","x")', "phone": "+493012345"}
    writer = CsvWriter(["name", "phone"])
    data = writer.begin() + writer.rows([row])
    assert b"\"'=HYPERLINK" in data
    assert cells(data) == [row]
    book = SheetWriter(["name", "phone"])
    data = book.begin() + book.rows([row]) + book.end()
    assert cells(data) == [row]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_types_of_a_property_do_not_multiply_what_it_says() -> None:
    types = b",".join(b"t%d" % n for n in range(50_000))
    card = b"BEGIN:VCARD\nADR;TYPE=" + types + b":;;;" + b"x" * 400_000 + b";\nEND:VCARD\n"
    tracemalloc.start()
    try:
        [found] = cells(card, "vcard")
        assert found["ADR[t1].city"] == found["ADR.city"] == "x" * 400_000
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    [cut] = read(card.replace(b"x;", b"x" * MAX_RECORD + b";"), "vcard")
    assert cut.fault == "it is longer than a record can be"


def test_attributes_of_an_element_do_not_multiply_either() -> None:
    told = " ".join(f'a{n}="{"x" * 2_000}"' for n in range(20)) + " " + " ".join(f'b{n}="1"' for n in range(60))
    [found] = cells(f'<a><b><c {told} type="work">7</c></b></a>'.encode(), "xml")
    assert (found["c"], found["c/@b7"], found["c[@b7=1]"]) == ("7", "1", "7")
    assert sum(len(name) for name in found) < 64_000


@pytest.mark.parametrize("form", ["jsonl", "vcard"])
def test_json_that_cannot_be_written_again_spoils_one_record_only(form: str) -> None:
    deep = b'{"x":' + b"[" * 300 + b"]" * 300 + b"}"
    card = b"BEGIN:VCARD\nFN:%s\n%s\nEND:VCARD\n"
    lines = {
        "jsonl": b'{"FN": "Ann"}\n' + deep + b'\n{"FN": "Bob"}\n',
        "vcard": card % (b"Ann", b"X-RAPPORT:" + deep) + card % (b"Bob", b"NOTE:x"),
    }
    records = read(lines[form], form)
    assert [one.cells["FN"] for one in records if not one.fault] == ["Ann", "Bob"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-7", "idna", "unicode_escape", "undefined"])
def test_a_file_that_is_of_another_encoding_than_is_said_is_unreadable_at_worst(encoding: str) -> None:
    for data in (b"a,b\n1,2\n" + b"x" * 70 + b".b,1\n", b"a,b\n\\x,1\n", b"a,b\n+AA-,\xff\n"):
        with suppress(Unreadable):
            read(data, "csv", encoding=encoding)
