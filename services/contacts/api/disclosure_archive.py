"""The export as an archive to hand over: the data, a page to read, and the documents that are attached."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from services.contacts.api.disclosure_forms import Form, Json
from services.contacts.api.disclosure_page import Link, Page
from services.contacts.domain.documents import Document
from services.contacts.handlers.disclosing import Documents, Event, Told
from shared.contracts.contacts import Contact

PIECE = 256 * 1024
"""Bytes of the page that are read back at a time."""
DOCUMENTS = "documents"
"""The section that names them, the folder that has them, and what is missing where their bytes could not be read."""


class _Sink:
    """A file in which nobody can go back, so that what was written can be sent."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """What was written can still be taken."""

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


class Archive:
    """A ZIP, in pieces as they come. One that breaks off cannot be opened, as what is in it stands at its end.

    Documents come first, so that the data can say which of them are there. The page is made of the same answers as the data,
    and waits meanwhile in a file without a name. Packing is done in threads.
    """

    def __init__(self, contact: Contact, now: datetime) -> None:
        self._forms: tuple[Form, Form] = Json(contact, now), Page(contact, now)
        self._now = now
        self._sink = _Sink()
        self._zip = ZipFile(self._sink, "w", ZIP_DEFLATED)
        self._paths: dict[str, str] = {}

    async def written(
        self, events: AsyncIterator[Event], documents: Sequence[Document], kept: Documents
    ) -> AsyncIterator[bytes]:
        for number, document in enumerate(documents, 1):
            async for piece in self._document(number, document, kept.read(document.document_id)):
                yield piece
        with tempfile.TemporaryFile() as page:
            async for piece in self._all(events, page):
                yield piece
            page.seek(0)
            with self._zip.open(_entry("index.html", self._now), "w") as entry:
                while piece := await asyncio.to_thread(page.read, PIECE):
                    await asyncio.to_thread(entry.write, piece)
                    yield self._sink.take()
        self._zip.close()
        yield self._sink.take()

    async def _document(self, number: int, document: Document, read: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        # The name is clean: without folders, and without what file systems take amiss.
        path, size = f"{DOCUMENTS}/{number:03} {document.name}", 0
        with self._zip.open(_entry(path, document.attached_at), "w") as entry:
            async for piece in read:
                size += len(piece)
                await asyncio.to_thread(entry.write, piece)
                yield self._sink.take()
        if size == document.size:
            self._paths[document.document_id] = path

    async def _all(self, events: AsyncIterator[Event], page: IO[bytes]) -> AsyncIterator[bytes]:
        data, html = self._forms
        with self._zip.open(_entry("data.json", self._now), "w") as entry:
            await asyncio.to_thread(entry.write, data.head())
            page.write(html.head())
            async for event in events:
                told = self._enclosing(event)
                await asyncio.to_thread(entry.write, data.of(told))
                await asyncio.to_thread(page.write, html.of(told))
                yield self._sink.take()
            entry.write(data.foot())
            page.write(html.foot())
        yield self._sink.take()

    def _enclosing(self, event: Event) -> Event:
        """Documents with where they lie in the archive. One without has come, or gone, while it was written."""
        if not isinstance(event, Told) or event.section != DOCUMENTS:
            return event
        items = [_placed(item, self._paths.get(item["id"])) for item in event.items]
        if lost := sum("file" not in item for item in items):
            for form in self._forms:
                form.missing[DOCUMENTS] = f"{lost} of them could not be enclosed"
        return replace(event, items=items)


def _placed(item: Mapping[str, object], path: str | None) -> Mapping[str, object]:
    return item if path is None else {**item, "file": Link(path)}


def _entry(path: str, at: datetime) -> ZipInfo:
    entry = ZipInfo(path, at.timetuple()[:6])
    entry.compress_type = ZIP_DEFLATED
    return entry
