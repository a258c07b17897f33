"""What a row of a file says, by a mapping; what a mapping may say; what is proposed for a file."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from services.contacts.domain.importing.cells import NotA, boolean, date, number
from services.contacts.domain.importing.drafting import Draft, Drafting, Rejected
from services.contacts.domain.importing.judging import news
from services.contacts.domain.importing.mapping import Column, Mapping, stored
from services.contacts.domain.importing.proposing import propose
from services.contacts.domain.survivorship import newcomer
from services.contacts.formats.opening import form_of, opened
from services.contacts.formats.records import Layout
from shared.contracts.channels import ContactReported
from shared.contracts.fact import Identifier
from shared.contracts.parties import Lifecycle
from shared.ids import uuid7

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NR = {"from": "nr", "to": "identifiers.shop"}


def mapping(*columns: dict[str, Any], **more: Any) -> Mapping:
    return Mapping.model_validate({"columns": [*columns, NR], **more})


def draft(row: dict[str, Any], *columns: dict[str, Any], **more: Any) -> Draft:
    return Drafting("m", mapping(*columns, **more), NOW, "DE").draft({"nr": "1", **row})


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ({"from": "a", "to": "nmae"}, "no field"),
        ({"from": "a", "to": "attributes.Shoe Size"}, "no field"),
        ({"from": "a", "to": "consents.ads"}, "no field"),
        ({"from": "a", "to": "name", "type": "json"}, "can be JSON"),
        ({"from": "a", "to": "addresses"}, "needs the type"),
        ({"from": "a", "to": "attributes.x", "type": "date", "format": "%Q"}, "no format"),
        ({"from": "a", "to": "attributes.x", "type": "date", "format": "%d.%d"}, "no format"),
        ({"to": "name"}, "from"),
        ({"from": "a", "constant": "b", "to": "name"}, "from"),
        ({"from": "a", "to": "name", "frm": "b"}, "frm"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused_with_the_reason(column: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        mapping(column)


def test_a_mapping_must_say_who_rows_are_about() -> None:
    name = [{"from": "name", "to": "name"}]
    with pytest.raises(ValidationError, match="who a row is about"):
        Mapping.model_validate({"columns": name})
    assert Mapping.model_validate({"columns": name, "row_key": "nr"}).identifies()


def test_a_mapping_reads_back_as_it_was_saved() -> None:
    one = mapping({"from": "a", "to": "phones", "purpose": "work", "values": {"x.y": "$z"}}, delimiter=";")
    assert Mapping.model_validate_json(stored(one)) == one


NUMBERS = [
    ("1.234,50", ",", 1234.5),
    ("1,234.50", ".", 1234.5),
    ("7", ",", 7),
    ("-0,5", ",", -0.5),
    ("1 234", ".", 1234),
    ("1e3", ".", 1000.0),
]


@pytest.mark.parametrize(("text", "decimal", "value"), NUMBERS)
def test_numbers_are_read_as_their_country_writes_them(text: str, decimal: Any, value: float) -> None:
    found = number(text, Column(source="a", to="attributes.x", decimal=decimal))
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", ["", "viel", "1,2,3", "1.2.3", "nan", "inf", "9" * 40, "٣", "0x10", "--1"])
def test_what_is_no_number_is_said(text: str) -> None:
    with pytest.raises(NotA):
        number(text, Column(source="a", to="attributes.x"))


def test_dates_and_answers_are_read() -> None:
    german = Column(source="a", to="attributes.x", type="date", format="%d.%m.%Y")
    assert date("31.12.1980", german) == "1980-12-31"
    assert [boolean(text, german) for text in ("Ja", "nein", "TRUE", "0")] == [True, False, True, False]
    for text, read in (("31.13.1980", date), ("1980-12-31", date), ("vielleicht", boolean)):
        with pytest.raises(NotA):
            read(text, german)


def test_a_row_becomes_the_report_that_it_is() -> None:
    found = draft(
        {
            "mail": " Ann@b.de ",
            "tel": "030 123456",
            "büro": "1;2",
            "str": "Weg 1",
            "plz": "10115",
            "news": "nein",
            "x": "",
        },
        {"from": "mail", "to": "email"},
        {"from": "tel", "to": "phone"},
        {"from": "büro", "to": "phones", "purpose": "work", "separator": ";"},
        {"from": "str", "to": "addresses.line", "purpose": "billing"},
        {"from": "plz", "to": "addresses.postal_code", "purpose": "billing"},
        {"from": "news", "to": "consents.news.email"},
        {"from": "x", "to": "attributes.x"},
    )
    report = found.report
    assert (report.email, report.phone, report.attributes) == ("Ann@b.de", "+4930123456", {})
    assert [(one.typed, one.purpose) for one in report.phones] == [("1", "work"), ("2", "work")]
    assert [(one.purpose, one.typed.lines, one.typed.postal_code) for one in report.addresses] == [
        ("billing", ["Weg 1"], "10115")
    ]
    assert [(one.purpose, one.status, one.given_at) for one in report.consents] == [("news", "denied", NOW)]
    assert [str(one) for one in found.identifiers] == ["shop:1", "email:ann@b.de", "phone:+4930123456"]


def test_what_cannot_identify_is_kept_to_be_judged() -> None:
    found = draft({"mail": "keine", "tel": "?"}, {"from": "mail", "to": "email"}, {"from": "tel", "to": "phone"})
    assert [str(one) for one in found.identifiers] == ["shop:1"]
    assert ([one.typed for one in found.report.emails], [one.typed for one in found.report.phones]) == (
        ["keine"],
        ["?"],
    )


@pytest.mark.parametrize(
    ("row", "column", "reason", "where"),
    [
        ({"nr": ""}, {"from": "a", "to": "name"}, "no-identity", None),
        ({"a": "x" * 201}, {"from": "a", "to": "name"}, "invalid-value", "a"),
        ({"a": "x" * 300}, {"from": "a", "to": "identifiers.card"}, "invalid-value", "a"),
        ({"a": "2099-01-01"}, {"from": "a", "to": "reported_at"}, "invalid-value", "a"),
        ({"a": "9999-99-99"}, {"from": "a", "to": "reported_at"}, "invalid-value", "a"),
        ({"a": "blau"}, {"from": "a", "to": "stage"}, "invalid-value", "a"),
        ({"a": "[1]"}, {"from": "a", "to": "identifiers", "type": "json"}, "invalid-value", "a"),
        ({"a": "{}"}, {"from": "a", "to": "phones", "type": "json"}, "invalid-value", "a"),
        ({"a": '[{"typed":1}]'}, {"from": "a", "to": "phones", "type": "json"}, "invalid-value", "a"),
        ({"a": '{"x":[1]}'}, {"from": "a", "to": "attributes", "type": "json"}, "invalid-value", "a"),
        ({"a": "z"}, {"from": "a", "to": "stage", "values": {"x": "lead"}}, "invalid-value", "a"),
    ],
)
def test_a_row_that_says_nothing_we_can_take_names_column_and_reason(
    row: dict[str, Any], column: dict[str, Any], reason: str, where: str | None
) -> None:
    with pytest.raises(Rejected) as rejected:
        draft(row, column)
    assert (rejected.value.reason, rejected.value.column) == (reason, where)
    assert rejected.value.detail


def test_rows_are_known_by_their_key_where_nothing_else_names_them() -> None:
    one = Mapping.model_validate({"columns": [{"from": "name", "to": "name"}], "row_key": "nr"})
    found = Drafting("list", one, NOW).draft({"nr": "7", "name": "Ann"})
    assert [str(each) for each in found.identifiers] == ["import.list:7"]


PROPOSED: list[tuple[bytes, dict[str, str]]] = [
    (
        b"Kundennr;Nachname;Vorname;E-Mail;Telefon;Mobil;PLZ;Ort;Geburtsdatum\n1;a;b;a@b.de;1;2;3;c;1.1.1980\n",
        {
            "Kundennr": "identifiers.customer-number", "Nachname": "name_parts.family", "Vorname": "name_parts.given",
            "E-Mail": "email", "Telefon": "phone", "Mobil": "phones", "PLZ": "address.postal_code", "Ort": "address.city",
            "Geburtsdatum": "attributes.birthday",
        },
    ),
    (
        b"id,first_name,last_name,email,phone,city,country,language\n1,a,b,a@b.de,1,c,DE,de\n",
        {
            "id": "identifiers.customer-number", "first_name": "name_parts.given", "last_name": "name_parts.family",
            "email": "email", "phone": "phone", "city": "address.city", "country": "address.country", "language": "language",
        },
    ),
    (b"BEGIN:VCARD\nUID:1\nFN:Ann\nTEL;TYPE=work:1\nEND:VCARD\n", {"UID": "identifiers.vcard-uid", "FN": "name", "phones": "phones"}),
    (b"<a><b><mail>a@b.de</mail><name>x</name></b></a>", {"mail": "email", "name": "name"}),
    (b"x,y\n1,2\n", {}),
]  # fmt: skip


@pytest.mark.parametrize(("data", "wanted"), PROPOSED)
def test_a_mapping_is_proposed_by_what_columns_are_called(data: bytes, wanted: dict[str, str]) -> None:
    form = form_of(io.BytesIO(data))
    proposal = propose(form, opened(io.BytesIO(data), form, Layout()))
    assert {one.source: one.to for one in proposal.mapping.columns if one.source} == wanted
    if not wanted:
        assert proposal.left_out == {"x": "1", "y": "2"}
        assert proposal.mapping.row_key == "x"


def test_a_stage_that_follows_from_more_than_was_said_is_not_said_by_repeating_it() -> None:
    """Else a purchase that is cancelled later would leave a customer behind whom nobody has called one."""
    cycle = Lifecycle(stage="lapsed", since=NOW, reason="gone")
    held = newcomer(uuid7(NOW), NOW).contact.model_copy(update={"stage": "customer", "lifecycle": cycle})
    report = ContactReported(customer=[Identifier(scheme="crm", value="1")], reported_at=NOW, stage="customer")
    assert news(report, held).stage is None
    assert news(report.model_copy(update={"stage": "lead"}), held).stage == "lead"
    plain = held.model_copy(update={"lifecycle": None})
    assert news(report, plain).stage == "customer"
    assert news(report, plain, alone=False).stage is None, "it may be another part's"


@pytest.mark.parametrize(
    ("row", "columns", "where"),
    [
        ({"n": "An\x01n"}, [{"from": "n", "to": "name"}], "n"),
        ({"n": "a\x1fb"}, [{"from": "n", "to": "attributes.note", "type": "exact"}], "n"),
        ({"n": '{"note": "\\u0002"}'}, [{"from": "n", "to": "attributes", "type": "json"}], "n"),
        ({"n": "Ann", "nr": "1\x7f1"}, [{"from": "n", "to": "name"}], "nr"),
    ],
)
def test_a_row_with_control_characters_is_not_taken_and_says_where(
    row: dict[str, Any], columns: list[dict[str, Any]], where: str
) -> None:
    with pytest.raises(Rejected) as rejected:
        draft(row, *columns)
    assert (rejected.value.reason, rejected.value.column) == ("invalid-value", where)
    assert "control character" in rejected.value.detail


def test_a_cell_of_several_lines_is_a_text() -> None:
    told = draft({"n": "a\tb\r\nc"}, {"from": "n", "to": "attributes.note", "type": "exact"})
    assert told.report.attributes == {"note": "a\tb\r\nc"}
