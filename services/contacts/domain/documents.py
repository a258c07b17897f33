"""Documents attached to a contact: what may be attached, and under which name. Pure."""

import re
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Literal
from xml.etree.ElementTree import ParseError

import puremagic
from defusedxml.ElementTree import fromstring

HEAD = 8192
"""So much of the beginning tells a type."""
MAX_DOCUMENTS = 100
"""Of one contact. More is an archive, and wants a system of its own."""
MAX_NAME = 120
Scan = Literal["clean", "unscanned"]
ALLOWED = frozenset(
    {
        "application/pdf",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/tiff",
        "image/webp",
        "text/plain",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    }
)
"""What people attach to customers: papers, pictures, office documents without macros. Nothing that a browser would run."""
OFFICE = {".docx": "wordprocessingml.document", ".xlsx": "spreadsheetml.sheet", ".pptx": "presentationml.presentation"}
PARTS, MAX_PARTS = "[Content_Types].xml", 1 << 20
"""Where an office document says of which types its parts are; unpacked, in bytes."""
MACROS = ("vba", "macro")
CONTROL = frozenset(range(32)) - {9, 10, 12, 13}


@dataclass(frozen=True)
class Document:
    """A document, without its bytes. `sha256` in hex; `size` in bytes; `type`: as its bytes say."""

    document_id: str
    customer_id: str
    name: str
    title: str | None
    kind: str | None
    type: str
    size: int
    sha256: str
    scan: Scan
    source: str
    attached_at: datetime
    sensitive: bool = False
    """Whether only keys that may see sensitive fields may read it. Nobody knows what a paper says, so somebody has to say it."""


class NotAllowed(ValueError):
    """Bytes of a type that is not attached; the message says which."""


def type_of(head: bytes, name: str) -> str:
    """The media type of a document that begins so. Raises NotAllowed.

    Bytes decide; the name only between the office documents, which are all archives of the same kind.
    """
    try:
        matches = puremagic.magic_string(head)
        surest = max((match.confidence for match in matches), default=0)
        found: set[str] = {match.mime_type for match in matches if match.confidence == surest}
    except (puremagic.PureError, ValueError):
        found = {"text/plain"} if _is_text(head) else set()
    if any(one.endswith(tuple(OFFICE.values())) for one in found):
        wanted = OFFICE.get(name[name.rfind(".") :].lower()) if "." in name else None
        found = {one for one in found if wanted and one.endswith(wanted)}
    if found == {"text/plain"} and not _is_text(head):
        found = set()
    if len(found & ALLOWED) == 1:
        return next(iter(found & ALLOWED))
    raise NotAllowed(", ".join(sorted(found)) or "of no type that is known")


def is_office(type_: str) -> bool:
    """Whether the beginning has told no more than that it is an archive, and `check_office` has to look into it."""
    return type_.endswith(tuple(OFFICE.values()))


def check_office(file: IO[bytes], type_: str) -> None:
    """That an archive is the office document that it is called, without macros. Raises NotAllowed."""
    try:
        with zipfile.ZipFile(file) as archive:
            told = archive.read(PARTS) if archive.getinfo(PARTS).file_size <= MAX_PARTS else b""
        types = [one.get("ContentType", "").lower() for one in fromstring(told, forbid_dtd=True)]
    except (zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, EOFError, NotImplementedError,
            RuntimeError) as error:  # fmt: skip
        raise NotAllowed("an archive that is no office document") from error
    if f"{type_}.main+xml" not in types:
        raise NotAllowed("an archive of another kind than its name says")
    if any(word in one for one in types for word in MACROS):
        raise NotAllowed("an office document with macros")


def _is_text(head: bytes) -> bool:
    """Whether it is UTF-8 without control characters, cut anywhere; and is no markup, which browsers guess."""
    if not head.strip() or CONTROL & set(head) or head.lstrip().startswith((b"<", b"\xef\xbb\xbf<")):
        return False
    for cut in range(4):
        try:
            head[: len(head) - cut].decode()
            return True
        except UnicodeDecodeError:
            continue
    return False


def cleaned(name: str) -> str:
    """A file's name that no file system and no header takes amiss: without folders, control and reserved characters."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(" " if one in '<>:"|?*;%' else one for one in last if unicodedata.category(one)[0] != "C")
    kept = re.sub(r"\s+", " ", kept).strip(" .")
    stem, dot, end = kept.rpartition(".")
    if dot and len(end) <= 10:
        return f"{stem[: MAX_NAME - len(end) - 1]}.{end}" if stem else f"document.{end}"
    return kept[:MAX_NAME] or "document"
