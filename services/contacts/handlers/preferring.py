"""The preference centre: links for customers, what they show, and what the customer says there."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from services.contacts.domain.access import Rows, Sensitive
from services.contacts.domain.changes import Author
from services.contacts.domain.preferences import (
    ONE_CLICK,
    SOURCE,
    Place,
    Preferences,
    Wishes,
    claims,
    news,
    preferences,
    spoken_last,
    unsubscribed,
)
from services.contacts.domain.signing import BadToken, KeyRing, Token, read, sign
from services.contacts.domain.survivorship import Known, Statement, after_all_said, consent
from services.contacts.handlers.book import Book, Store, open_book, open_seen
from shared.clock import Clock
from shared.contracts.contacts import Contact
from shared.messaging import Unit
from shared.mongo import Session

Ring = Callable[[], Awaitable[KeyRing]]


class Links(Protocol):
    """Whose link a number is. Each customer has one number, however many links."""

    async def number(self, customer: str, session: Session | None) -> bytes:
        """A new one, if there is none yet."""
        ...

    async def customer(self, number: bytes, session: Session | None) -> str | None: ...

    async def revoke(self, customer: str, session: Session | None) -> None: ...


@dataclass(frozen=True)
class Link:
    """For the customer, and nobody else."""

    token: str
    expires_at: datetime


class Preferring:
    """The use cases. Links live by the wall's clock; what is said there is said now."""

    def __init__(
        self, store: Store, links: Links, clock: Clock, ring: Ring, sensitive: Sensitive, country: str | None
    ) -> None:
        self.store = store
        self.links = links
        self.clock = clock
        self.ring = ring
        self.sensitive = sensitive
        self.country = country

    async def link(self, unit: Unit, customer: str, days: int, about: Place | None, rows: Rows) -> Link:
        """A link for the customer. Raises NoSuchContact."""
        await self._seen(unit, customer, rows)
        number = await self.links.number(customer, unit.session)
        expires_at = (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)
        return Link(sign(await self.ring(), Token("preferences", number, expires_at, about)), expires_at)

    async def revoke(self, unit: Unit, customer: str, rows: Rows) -> None:
        """All links of the customer, whoever has them, and of all whom they were found to be. Raises NoSuchContact."""
        for one in (await self._seen(unit, customer, rows)).parts(customer):
            await self.links.revoke(one, unit.session)

    async def show(self, text: str) -> Preferences:
        """Raises BadToken, TokenExpired."""
        token, customer = await self._whose(text, None)
        contact = await self.store.contact(customer)
        if contact is None:
            raise BadToken
        return await self._offered(contact, token)

    async def say(self, unit: Unit, text: str, wishes: Wishes) -> Preferences:
        """The customer says so. What stands so already is not said again. Raises BadToken, TokenExpired, NotOffered."""
        token, customer = await self._whose(text, unit.session)
        return await self._say(unit, customer, token, lambda _: wishes, SOURCE)

    async def unsubscribe(self, unit: Unit, text: str) -> Preferences:
        """One click (RFC 8058): no to what the link is about. Raises BadToken, TokenExpired."""
        token, customer = await self._whose(text, unit.session)
        return await self._say(unit, customer, token, unsubscribed, ONE_CLICK)

    async def _say(
        self, unit: Unit, customer: str, token: Token, of: Callable[[Preferences], Wishes], evidence: str
    ) -> Preferences:
        book = await open_book(self.store, unit, {customer}, await self.clock.now(unit.session), self.country)
        if customer not in book.current:
            raise BadToken
        before = book.current[book.root(customer)].published
        offered = await self._offered(before, token)
        wishes = news(offered, of(offered))
        if wishes == Wishes():
            return offered
        told = _statement(before, book.parts(customer).values(), wishes, evidence, book.now)
        book.hear(customer, [told], author=Author(SOURCE))
        await book.save(self.store)
        return await self._offered(book.current[book.root(customer)].published, token)

    async def _offered(self, contact: Contact, token: Token) -> Preferences:
        hidden = {code for code in contact.interests if code in self.sensitive}
        return preferences(contact, hidden, token.about, await self.clock.now())

    async def _whose(self, text: str, session: Session | None) -> tuple[Token, str]:
        token = read(await self.ring(), text, "preferences", datetime.now(UTC))
        customer = await self.links.customer(token.number, session)
        if customer is None:
            raise BadToken
        return token, customer

    async def _seen(self, unit: Unit, customer: str, rows: Rows) -> Book:
        return await open_seen(self.store, unit, customer, rows, await self.clock.now(unit.session), self.country)


def _statement(contact: Contact, parts: Iterable[Known], wishes: Wishes, evidence: str, now: datetime) -> Statement:
    """A customer speaks last, of each thing by itself."""
    at = spoken_last(contact, wishes.consents, now)
    consents = [consent(claim, SOURCE) for claim in claims(contact, wishes, evidence, at)]
    fields = {"language": wishes.language} if wishes.language else {}
    said_at = after_all_said(parts, now)
    return Statement(SOURCE, said_at, fields=fields, interests=dict(wishes.interests), consents=consents)
