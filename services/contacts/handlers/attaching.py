"""Attaching documents to contacts: streamed in, held against what is allowed, scanned, and read again."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import structlog

from services.contacts.domain.documents import (
    HEAD,
    MAX_DOCUMENTS,
    Document,
    Scan,
    check_office,
    cleaned,
    is_office,
    type_of,
)
from services.contacts.handlers.book import Store
from services.contacts.handlers.errors import NoSuchContact
from shared.ids import uuid7
from shared.messaging import Transact, Unit
from shared.mongo import Session

log = structlog.get_logger(__name__)


class TooLarge(ValueError):
    """A document of more bytes than may be; the message says how many may."""


class TooManyDocuments(ValueError):
    """The contact has as many documents as it may."""


class Infected(ValueError):
    """The scanner has found something; the message names it."""


class ScannerAway(ConnectionError):
    """The scanner does not answer, or not as one."""


class NoSuchDocument(LookupError):
    """The contact has no document of this id."""


class Upload(Protocol):
    async def write(self, data: bytes) -> None: ...

    async def close(self) -> None: ...

    async def abort(self) -> None: ...


class Documents(Protocol):
    """Where documents are kept."""

    def upload(self, document_id: str) -> Upload: ...

    def read(self, document_id: str) -> AsyncIterator[bytes]: ...

    async def forget_bytes(self, document_id: str) -> None: ...

    async def save(self, document: Document, session: Session | None) -> None: ...

    async def of(self, customers: Collection[str], session: Session | None = None) -> list[Document]: ...

    async def mark(self, document_id: str, session: Session | None, *, sensitive: bool) -> None: ...

    async def remove(self, document_id: str, session: Session | None) -> None: ...

    async def touch(self, customer: str, session: Session | None) -> None: ...


class Scanner(Protocol):
    async def found(self, chunks: AsyncIterator[bytes]) -> str | None:
        """What was found in the bytes, by its name; None: nothing. Raises ScannerAway."""
        ...


@dataclass(frozen=True)
class Attachment:
    """What is said of a document that is sent, by whom."""

    name: str
    source: str
    title: str | None = None
    kind: str | None = None
    sensitive: bool = False


class Intake:
    """What is learnt of bytes as they come: type, size, SHA-256."""

    def __init__(self, name: str, max_bytes: int) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self.type = ""
        self._name = name
        self._max_bytes = max_bytes
        self._head = b""

    def take(self, chunk: bytes) -> None:
        """Raises TooLarge, NotAllowed."""
        self.size += len(chunk)
        if self.size > self._max_bytes:
            raise TooLarge(self._max_bytes)
        self.digest.update(chunk)
        if len(self._head) < HEAD:
            self._head = (self._head + chunk)[:HEAD]
            if len(self._head) == HEAD:
                self.end()

    def end(self) -> None:
        """All is there that tells the type. Raises NotAllowed."""
        self.type = self.type or type_of(self._head, self._name)


class Attaching:
    """The use cases of documents. A document stays with the part of a customer that it was attached to."""

    def __init__(
        self, documents: Documents, store: Store, transact: Transact[Document], max_bytes: int, scanner: Scanner | None
    ) -> None:
        self.documents = documents
        self.store = store
        self.transact = transact
        self.max_bytes = max_bytes
        self.scanner = scanner

    async def attach(self, customer: str, said: Attachment, chunks: AsyncIterator[bytes], now: datetime) -> Document:
        """The same bytes under the same name again are the document that is there.

        Raises NoSuchContact, TooLarge, NotAllowed, TooManyDocuments, Infected, ScannerAway.
        """
        await self._check_room(await self._parts(customer, None), None)
        document_id, name = uuid7(now), cleaned(said.name)
        try:
            taken = await self._receive(document_id, name, chunks)
            if is_office(taken.type):
                await self._look_into(document_id, taken.type)
            scan = await self._scan(document_id)
        except BaseException:
            await self.documents.forget_bytes(document_id)
            raise
        sha256 = taken.digest.hexdigest()
        told = (said.title, said.kind, taken.type, taken.size, sha256, scan, said.source, now, said.sensitive)
        document = Document(document_id, customer, name, *told)
        try:
            kept = await self.transact(lambda unit: self._keep(unit, document))
        except (NoSuchContact, TooManyDocuments):
            # After any other error it may be known all the same; if it is not, its bytes are swept away.
            await self.documents.forget_bytes(document_id)
            raise
        if kept != document:
            await self.documents.forget_bytes(document_id)
            return kept
        log.info("document_attached", customer_id=customer, document_id=document_id, scan=scan)
        return document

    async def _receive(self, document_id: str, name: str, chunks: AsyncIterator[bytes]) -> "Intake":
        """What is too large or not allowed is left as soon as that is seen."""
        upload, intake = self.documents.upload(document_id), Intake(name, self.max_bytes)
        try:
            async for chunk in chunks:
                intake.take(chunk)
                await upload.write(chunk)
            intake.end()
            await upload.close()
        except BaseException:
            await upload.abort()
            raise
        return intake

    async def _look_into(self, document_id: str, type_: str) -> None:
        """An archive says at its end what is in it, so only when all of it is there. Raises NotAllowed."""
        with tempfile.TemporaryFile() as file:
            async for piece in self.documents.read(document_id):
                await asyncio.to_thread(file.write, piece)
            await asyncio.to_thread(check_office, file, type_)

    async def _scan(self, document_id: str) -> Scan:
        if self.scanner is None:
            return "unscanned"
        if found := await self.scanner.found(self.documents.read(document_id)):
            log.warning("document_infected", document_id=document_id)
            raise Infected(found)
        return "clean"

    async def _keep(self, unit: Unit, document: Document) -> Document:
        """Keep it, unless it is there: sent twice, it is one."""
        parts = await self._parts(document.customer_id, unit.session)
        for there in await self.documents.of(parts, unit.session):
            if (there.sha256, there.name) == (document.sha256, document.name):
                return await self._marked(there, unit, sensitive=there.sensitive or document.sensitive)
        await self._check_room(parts, unit.session)
        # Of two uploads that would both be the last, or are the same, the later is run again and sees the first.
        await self.documents.touch(document.customer_id, unit.session)
        await self.documents.save(document, unit.session)
        return document

    async def _marked(self, document: Document, unit: Unit, *, sensitive: bool) -> Document:
        if document.sensitive == sensitive:
            return document
        await self.documents.mark(document.document_id, unit.session, sensitive=sensitive)
        return replace(document, sensitive=sensitive)

    async def _check_room(self, parts: Sequence[str], session: Session | None) -> None:
        if len(await self.documents.of(parts, session)) >= MAX_DOCUMENTS:
            raise TooManyDocuments(MAX_DOCUMENTS)

    async def listed(self, customer: str) -> list[Document]:
        """Those of all parts, the earliest first. Raises NoSuchContact."""
        return await self.documents.of(await self._parts(customer, None))

    async def find(self, customer: str, document_id: str) -> Document:
        """Raises NoSuchContact, NoSuchDocument."""
        for document in await self.listed(customer):
            if document.document_id == document_id:
                return document
        raise NoSuchDocument(document_id)

    async def mark(self, unit: Unit, customer: str, document_id: str, *, sensitive: bool) -> Document:
        """Say whether it is sensitive. Raises NoSuchContact, NoSuchDocument."""
        for document in await self.documents.of(await self._parts(customer, unit.session), unit.session):
            if document.document_id == document_id:
                return await self._marked(document, unit, sensitive=sensitive)
        raise NoSuchDocument(document_id)

    async def remove(self, customer: str, document_id: str) -> None:
        """For good. Raises NoSuchContact, NoSuchDocument."""
        document = await self.find(customer, document_id)
        await self.documents.remove(document.document_id, None)
        await self.documents.forget_bytes(document.document_id)

    async def _parts(self, customer: str, session: Session | None) -> list[str]:
        loaded = await self.store.load([customer], session)
        if customer not in loaded:
            raise NoSuchContact(customer)
        root = loaded[customer].place.root
        place = (await self.store.load([root], session))[root].place if root else loaded[customer].place
        return [root or customer, *place.members]
