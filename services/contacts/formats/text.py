"""Bytes as text: the encoding of a whole file, found by reading it once, in pieces."""

import codecs
import io
from typing import IO, cast

from services.contacts.formats.records import Unreadable

PIECE = 1 << 20


class Borrowed(io.BufferedIOBase):
    """A file that is whoever gave it's to close; a text around it would close it, and complain."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        return self._file.read(-1 if size is None else size)

    def read1(self, size: int = -1, /) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def encoding_of(file: IO[bytes]) -> str:
    """By its mark, else UTF-8 if all of it is, else Windows' Western code page, which what is left almost always is.

    Leaves the file at its beginning.
    """
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := file.read(PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    finally:
        file.seek(0)
    return "utf-8-sig"


def as_text(file: IO[bytes], encoding: str | None) -> IO[str]:
    """The file as text. What is not of the encoding comes as lone surrogates, or as U+FFFD where that is not possible.

    Raises Unreadable if there is no such encoding.
    """
    name = encoding or encoding_of(file)
    try:
        plain = codecs.lookup(name).name
    except (LookupError, ValueError):
        raise Unreadable(f"there is no encoding {name!r}") from None
    wide = plain.startswith(("utf-16", "utf-32"))
    file.seek(0)
    try:
        return io.TextIOWrapper(
            cast("IO[bytes]", Borrowed(file)), plain, errors="replace" if wide else "surrogateescape", newline=""
        )
    except LookupError:
        raise Unreadable(f"{name!r} is no encoding of text") from None
