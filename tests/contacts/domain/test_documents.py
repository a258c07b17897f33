"""What may be attached, and under which name."""

import io
import zipfile

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.documents import ALLOWED, MAX_NAME, NotAllowed, check_office, cleaned, type_of

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MAIN = f'<Override PartName="/word/document.xml" ContentType="{DOCX}.main+xml"/>'
MACRO = '<Override PartName="/word/x.bin" ContentType="application/vnd.ms-office.&#118;baProject"/>'


def office(*types: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f"<Types>{''.join(types)}</Types>")
        archive.writestr("word/document.xml", "<x/>")
    return buffer.getvalue()


TAKEN = [
    (b"%PDF-1.7\nabc\n", "a.pdf", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n" + bytes(30), "a", "image/png"),
    (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(20), "a.txt", "image/jpeg"),
    ("Grüße\n".encode(), "a.txt", "text/plain"),
    ("ü".encode() * 3 + b"\xc3", "a.txt", "text/plain"),
    (office(MAIN), "a.docx", DOCX),
]


@pytest.mark.parametrize(("head", "name", "type_"), TAKEN)
def test_the_bytes_say_what_it_is(head: bytes, name: str, type_: str) -> None:
    assert type_of(head, name) == type_


REFUSED = [
    (b"MZ\x90\0" + bytes(100), "a.pdf"),
    (b"<html><script>alert(1)</script>", "a.txt"),
    (b"  <svg xmlns='http://www.w3.org/2000/svg'/>", "a.png"),
    (office(MAIN), "a.zip"),
    (office(MAIN), "a"),
    (b"", "a.txt"),
    (b"\0\1\2", "a.txt"),
    ("<p>hallo".encode("utf-16"), "a.txt"),
]


@pytest.mark.parametrize(("head", "name"), REFUSED)
def test_what_somebody_would_run_or_nobody_knows_is_refused(head: bytes, name: str) -> None:
    with pytest.raises(NotAllowed):
        type_of(head, name)


def archive(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, content)
    return buffer.getvalue()


def test_an_archive_is_an_office_document_by_what_is_in_it() -> None:
    check_office(io.BytesIO(office(MAIN)), DOCX)
    list_of_parts = "[Content_Types].xml"
    for data in (
        office(),
        office(MAIN, MACRO),
        office(MAIN.replace("wordprocessingml.document", "spreadsheetml.sheet")),
        office('<Override ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/>'),
        archive("virus.exe", b"MZ"),
        archive(list_of_parts, b"<Types>" + b" " * (2 << 20) + b"</Types>"),
        archive(list_of_parts, b"<!DOCTYPE a [<!ENTITY x 'y'>]><Types>&x;</Types>"),
        archive(list_of_parts, b"\xff"),
        office(MAIN)[:-30],
        b"PK\3\4" + bytes(100),
    ):
        with pytest.raises(NotAllowed):
            check_office(io.BytesIO(data), DOCX)


@given(st.binary(max_size=300))
def test_whatever_comes_it_is_allowed_or_refused(head: bytes) -> None:
    try:
        assert type_of(head, "x.docx") in ALLOWED
    except NotAllowed:
        return


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\boot.ini", "boot.ini"),
        ('a"b;\r\nc.pdf', "a b c.pdf"),
        ("...", "document"),
        (".pdf", "pdf"),
        ("a" * 300 + ".pdf", "a" * 116 + ".pdf"),
        ("Straße \u202efdp.exe", "Straße fdp.exe"),
    ],
)
def test_a_name_is_one_that_everything_takes(name: str, clean: str) -> None:
    assert cleaned(name) == clean


@given(st.text(max_size=300))
def test_any_name_becomes_a_name(name: str) -> None:
    clean = cleaned(name)
    assert 0 < len(clean) <= MAX_NAME
    assert not set(clean) & set('/\\<>:"|?*;%\r\n\0')
