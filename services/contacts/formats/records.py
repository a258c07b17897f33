"""What every reader of a file gives: records, one at a time, each with its line, or with the reason why it is none."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, NamedTuple, Protocol

Cell = str | list[str]
"""What stands under a name; several texts where the name comes several times."""

MAX_RECORD = 1_000_000
"""Characters of one record, as of one event: what is longer is no contact, and would be held in memory."""
MAX_COLUMNS = 1_000
NUL = "\0"


class Unreadable(Exception):
    """Nothing more of this file can be read; the message says why, to the person who sent it."""


class Record(NamedTuple):
    """One record of a file."""

    line: int
    """Where it begins, from 1; in XML and vCard where it ends."""
    cells: dict[str, Cell]
    fault: str | None = None
    """Why it cannot be read. `cells` then holds what can be shown of it."""


@dataclass(frozen=True)
class Layout:
    """How a file is written, as far as the caller knows; None: to be found out."""

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    record: str | None = None
    """XML: the path of the element that is a record, such as `/customers/customer`."""


class Reader(Protocol):
    """Opens a file and iterates over it. Both raise Unreadable."""

    columns: list[str]
    """The names in the file's own order; empty where it has no header."""

    def __iter__(self) -> Iterator[Record]: ...


@dataclass
class Lines:
    """Lines of a text file, none longer than `limit`: of a longer one comes what fits, and `cut` says so."""

    file: IO[str]
    limit: int = MAX_RECORD
    cut: bool = False
    seen: list[str] = field(default_factory=list)
    """Since it was last cleared: what a record that cannot be read looked like."""

    def __iter__(self) -> Iterator[str]:
        while line := self._next():
            if len(line) == self.limit and not line.endswith("\n"):
                self.cut = True
                while (rest := self._next()) and not rest.endswith("\n"):
                    """Skip the rest of it, a piece at a time."""
            self.seen.append(line)
            yield line

    def _next(self) -> str:
        """Raises Unreadable: of most encodings single characters are wrong, of some what follows is lost."""
        try:
            return self.file.readline(self.limit)
        except UnicodeError:
            raise Unreadable("the file is not of the encoding that the mapping names") from None


def shown(lines: list[str], limit: int = 2_000) -> str:
    """The beginning of a record that cannot be read, for the person who has to mend it."""
    text = "".join(line[:limit] for line in lines[:20])
    return text[:limit].rstrip("\r\n").replace(NUL, "\N{SYMBOL FOR NULL}")


def has_odd_characters(text: str) -> bool:
    """Bytes that were not of the encoding, read as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
