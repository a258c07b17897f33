"""Rows of the CSV files."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

Row = dict[str, str]


def rows(folder: Path, name: str, share: float) -> Iterator[Row]:
    """Of a share of the households."""
    for row in every_row(folder, name):
        if zlib.crc32(row["household_id"].encode()) < share * 2**32:
            yield row


def every_row(folder: Path, name: str) -> Iterator[Row]:
    with gzip.open(folder / f"{name}.csv.gz", "rt", newline="") as file:
        yield from csv.DictReader(file)
