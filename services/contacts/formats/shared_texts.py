"""The texts that the cells of an XLSX share, in a file of our own: in memory stands where each begins, and nothing else."""

import mmap
import tempfile
from array import array
from collections.abc import Callable
from functools import partial
from typing import IO
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.sax import parse

from services.contacts.formats.records import MAX_RECORD, Unreadable

MAX_TEXTS = 16_000_000
"""Four bytes of memory each. A file has at most 256 MB of them, and a text that is empty takes five."""
MAX_DEPTH = 50
IN_TEXT = (["si"], ["si", "r"])
"""Where the text of a `t` counts: of the whole, and of each run of it that looks alike."""


class SharedTexts:
    """Read once from beginning to end, then asked for by number as a list is. Raises Unreadable, or ValueError if it is no XML."""

    def __init__(self, source: IO[bytes]) -> None:
        self._ends = array("I", [0])
        with tempfile.TemporaryFile() as file:
            try:
                parse(source, _Texts(partial(self._add, file)), forbid_dtd=True)
            except SAXParseException as error:
                raise ValueError("the shared texts are broken") from error
            file.flush()
            # It holds the file by itself, and lets go of it with this.
            self._texts = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self._ends[-1] else b""

    def _add(self, file: IO[bytes], text: str) -> None:
        if len(self._ends) > MAX_TEXTS:
            raise Unreadable(f"the file has more than {MAX_TEXTS:,} texts that cells share; send it as CSV")
        self._ends.append(self._ends[-1] + file.write(text.encode()))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        """Raises ValueError, if there is none: the sheet is broken then."""
        if not 0 <= number < len(self):
            raise ValueError("a cell shares a text that is not there")
        return self._texts[self._ends[number] : self._ends[number + 1]].decode()


class _Texts(ContentHandler):
    """Gives the text of each `si`: its own, or that of its runs, but not how it is pronounced (`rPh`)."""

    def __init__(self, add: Callable[[str], None]) -> None:
        super().__init__()
        self._add = add
        self._path: list[str] = []
        self._text: list[str] = []
        self._length = 0

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: ARG002, N802 - SAX calls it so
        self._path.append(name.rpartition(":")[2])
        if len(self._path) > MAX_DEPTH:
            raise Unreadable("the texts that cells share are nested too deeply")

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802
        if self._path.pop() == "si":
            self._add("".join(self._text).replace("x005F_", ""))
            self._text, self._length = [], 0

    def characters(self, content: str) -> None:
        if self._path[-1] == "t" and self._path[1:-1] in IN_TEXT:
            self._length += len(content)
            if self._length > MAX_RECORD:
                raise Unreadable("the file has a text in it that is longer than a record can be")
            self._text.append(content)
