"""Files are read however they are written, and what cannot be read is counted and named."""

from datetime import date
from pathlib import Path

import pytest

from services.scoring.evaluation.dates import read_dates
from services.scoring.evaluation.reading import Columns, SetAside, Unreadable, read_sales
from tests.scoring.evaluation.files import COLUMNS, day, sales_of, written


def test_rows_that_cannot_be_read_are_counted_with_their_first_lines(tmp_path: Path) -> None:
    rows = [
        "a,2024-01-01,5",
        "a,yesterday,5",
        "b,2024-01-02,nan",
        "b,2024-01-02,1e300",
        "c,2024-01-09",
        ",2024-01-01,3",
    ]
    sales = sales_of(tmp_path, rows)
    assert sales.set_aside == (
        SetAside("row without all three columns", 1, [6]),
        SetAside("no customer", 1, [7]),
        SetAside("unreadable date", 1, [3]),
        SetAside("unreadable amount", 2, [4, 5]),
    )
    assert (sales.rows, len(sales.day)) == (6, 1)


def test_lines_are_counted_as_an_editor_does_even_after_a_line_break_within_a_field(tmp_path: Path) -> None:
    assert sales_of(tmp_path, ['"a\nb",2024-01-01,5', "", "a,never,5"]).set_aside[0].first_lines == [5]


@pytest.mark.parametrize(
    ("texts", "pattern", "first"),
    [
        (["2024-03-01", "2024-03-02 17:00:01"], "ISO 8601", "2024-03-01"),
        (["2024-03-01T23:30:00-05:00", "2024-03-02T08:00:00Z"], "ISO 8601", "2024-03-02"),
        (["20240301", "20241231"], "%Y%m%d", "2024-03-01"),
        (["01/03/2024 08:26", "31/12/2024 09:00"], "%d/%m/%Y", "2024-03-01"),
        (["3/1/2024 8:26", "12/31/2024 9:00"], "%m/%d/%Y", "2024-03-01"),
        (["01.03.2024", "31.12.2024"], "%d.%m.%Y", "2024-03-01"),
    ],
)
def test_the_way_in_which_a_file_writes_dates_is_found(texts: list[str], pattern: str, first: str) -> None:
    dates = read_dates(texts)
    assert (dates.pattern, dates.ambiguous_with) == (pattern, None)
    assert dates.days[texts[0]] == day(first)


def test_dates_that_could_be_read_in_two_ways_are_told_and_a_format_settles_it() -> None:
    texts = ["03/04/2024", "05/06/2024"]
    assert read_dates(texts).ambiguous_with == "%m/%d/%Y"
    assert read_dates(texts, "%m/%d/%Y").days["03/04/2024"] == day("2024-03-04")


def test_semicolons_bring_decimal_commas(tmp_path: Path) -> None:
    sales = sales_of(tmp_path, ["a;2024-01-01;5,50", "b;2024-01-02;7"], header="customer;date;amount")
    assert sales.amount.tolist() == [5.5, 7.0]


def test_rows_that_repeat_another_are_counted_and_kept(tmp_path: Path) -> None:
    sales = sales_of(
        tmp_path, ["a,2024-01-01,5,x", "a,2024-01-01,5,x", "a,2024-01-01,5,y"], "customer,date,amount,bill"
    )
    assert (sales.duplicates, len(sales.day)) == (1, 3)


def test_identifiers_in_another_encoding_stay_apart(tmp_path: Path) -> None:
    file = tmp_path / "latin.csv"
    file.write_bytes(b"customer,date,amount\nJos\xe9,2024-01-01,5\nJos\xe8,2024-01-01,5\n")
    assert len(set(read_sales(file, COLUMNS).customer.tolist())) == 2


def test_a_missing_column_is_named_beside_those_that_are_there(tmp_path: Path) -> None:
    file = written(tmp_path, ["a,2024-01-01,5"])
    with pytest.raises(Unreadable, match=r"no column 'buyer'; its header says: 'customer', 'date', 'amount'"):
        read_sales(file, Columns("buyer", "date", "amount"))


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\xfe" * 99, b'customer,date,amount\n"' + b"x" * 200_000, b"\x1f\x8b\n"]
)
@pytest.mark.parametrize("name", ["purchases.csv", "purchases.csv.gz"])
def test_what_is_no_csv_is_refused_in_words(tmp_path: Path, content: bytes, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(Unreadable):
        read_sales(file, COLUMNS)


@pytest.mark.parametrize("rows", [[], ["a,x,y", "b,,"]])
def test_without_one_row_that_can_be_used_there_is_no_period(tmp_path: Path, rows: list[str]) -> None:
    with pytest.raises(Unreadable, match="none of the file's"):
        sales_of(tmp_path, rows).period(date(2024, 1, 1), None)
