"""All that the platform holds on a customer, from every service, as it comes."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from services.contacts.domain.documents import Document
from shared.contracts.contacts import Contact
from shared.held import Held, HeldPage

log = structlog.get_logger(__name__)
ITEMS_A_PAGE = 500


class NoAnswer(Exception):
    """A service does not say what it holds. The text says why, without personal data."""


class Asked(Protocol):
    """A service that is asked."""

    service: str

    def pages(self, customers: Sequence[str], purpose: str | None) -> AsyncIterator[HeldPage]: ...


class Documents(Protocol):
    """Where documents that are attached to contacts are kept."""

    async def of(self, customers: Collection[str]) -> list[Document]: ...

    def read(self, document_id: str) -> AsyncIterator[bytes]:
        """The bytes, piece by piece; none if they are gone."""


@dataclass(frozen=True)
class Began:
    """A service's part begins."""

    service: str


@dataclass(frozen=True)
class Told:
    """Items of one section. `about`: the section in a sentence."""

    section: str
    about: str
    items: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Ended:
    """A service's part ends: all of it is there, or why not."""

    service: str
    missing: str | None = None


Event = Began | Told | Ended


class Disclosing:
    """The use case of access and portability."""

    def __init__(self, own: Held, others: Sequence[Asked], documents: Documents) -> None:
        self.own = own
        self.others = others
        self.documents = documents

    async def all_of(self, contact: Contact, purpose: str | None) -> AsyncIterator[Event]:
        """Everything under all ids of a customer, service by service, in pieces. What one cannot tell is said to be missing."""
        customers = [contact.customer_id, *contact.absorbed]
        for service, pages in self._sources(customers, purpose):
            yield Began(service)
            missing = None
            empty: dict[str, str] | None = None
            try:
                async for page in pages:
                    empty = dict(page.about) if empty is None else empty
                    for section, items in _sections(page):
                        empty.pop(section, None)
                        yield Told(section, page.about.get(section, ""), items)
            except NoAnswer as error:
                missing = str(error)
                log.warning("export_incomplete", of=service, why=missing)
            for section, about in (empty or {}).items() if missing is None else ():
                yield Told(section, about, [])
            yield Ended(service, missing)

    def _sources(self, customers: Sequence[str], purpose: str | None) -> list[tuple[str, AsyncIterator[HeldPage]]]:
        others = [(one.service, one.pages(customers, purpose)) for one in self.others]
        return [(self.own.service, self._own(customers)), *others]

    async def _own(self, customers: Sequence[str]) -> AsyncIterator[HeldPage]:
        cursor: str | None = None
        while True:
            page = await self.own.page(customers, cursor, ITEMS_A_PAGE)
            yield page
            if page.next is None:
                return
            cursor = page.next


def _sections(page: HeldPage) -> list[tuple[str, list[Mapping[str, Any]]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for item in page.items:
        found.setdefault(item.section, []).append(item.data)
    return list(found.items())
