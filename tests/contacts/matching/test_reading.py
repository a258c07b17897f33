"""Files as people have them."""

import csv
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.contacts.evaluation.reading import Unreadable, read_records

WANTED = {"name": ["Müller", "O'Neil, Ann"], "city": ["Köln", ""]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_usual_csv_is_read(tmp_path: Path, encoding: str, separator: str, end: str) -> None:
    lines = [("name", "city"), ("Müller", "Köln"), ('"O\'Neil, Ann"', ""), ("", "")]
    file = tmp_path / "people.csv"
    file.write_bytes(end.join(separator.join(line) for line in lines).encode(encoding))
    records = read_records(file)
    assert records.columns == WANTED
    assert records.separator == separator
    assert records.lines == [2, 3]


def test_compressed_csv_and_parquet_are_read(tmp_path: Path) -> None:
    packed, table = tmp_path / "people.csv.gz", tmp_path / "people.parquet"
    packed.write_bytes(gzip.compress(b'name,city\nM\xc3\xbcller,K\xc3\xb6ln\n"O\'Neil, Ann",\n'))
    pq.write_table(pa.table({"name": ["Müller", "O'Neil, Ann"], "city": ["Köln", None]}), table)
    assert read_records(packed).columns == read_records(table).columns == WANTED


def test_numbers_in_parquet_are_text_without_a_point(tmp_path: Path) -> None:
    pq.write_table(pa.table({"zip": [4223.0, None, float("nan")], "n": [1, 2, 3]}), tmp_path / "a.parquet")
    assert read_records(tmp_path / "a.parquet").columns == {"zip": ["4223", "", ""], "n": ["1", "2", "3"]}


def test_uneven_rows_are_filled_and_told(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a,b,a\n1\n1,2,3,4\n\n5,6,7\n")
    records = read_records(file)
    assert records.columns == {"a": ["1", "1", "5"], "b": ["", "2", "6"], "a 3": ["", "3", "7"]}
    assert records.lines == [2, 3, 5]
    assert "2 rows have more or fewer cells" in records.warnings[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n \n", "is empty"),
        (b"a,b\n", "only a header"),
        (b"a,b\n\0\0\0", "no text"),
        (b"a\n" + b"x" * 1_100_000, "is no CSV"),
    ],
)
def test_what_is_no_table_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    with pytest.raises(Unreadable, match=words):
        read_records(file)


def test_broken_archives_and_parquet_are_refused_in_words(tmp_path: Path) -> None:
    for name, words in (("a.csv.gz", "cannot be read"), ("a.parquet", "no Parquet file")):
        file = tmp_path / name
        file.write_bytes(b"this is neither")
        with pytest.raises(Unreadable, match=words):
            read_records(file)
    with pytest.raises(Unreadable, match="cannot be read"):
        read_records(tmp_path / "missing.csv")


def test_a_cell_without_an_end_is_refused_and_nobody_elses_limit_is_moved(tmp_path: Path) -> None:
    file = tmp_path / "open.csv"
    file.write_text('name\n"' + "x" * 200_000)
    limit = csv.field_size_limit()
    with pytest.raises(Unreadable, match="no CSV"):
        read_records(file)
    assert csv.field_size_limit() == limit
