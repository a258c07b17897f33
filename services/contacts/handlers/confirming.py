"""Double opt-in: a grant that waits, told to nobody and in force nowhere, until whoever has the address says that it was them.

Sending the link is others' business: they ask which links are to be sent, and say which they have sent.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

from services.contacts.domain.barring import CHANNELS
from services.contacts.domain.changes import Author
from services.contacts.domain.hearsay import only_a_lead, reached_at
from services.contacts.domain.preferences import spoken_last
from services.contacts.domain.signing import BadToken, KeyRing, Token, read, sign
from services.contacts.domain.survivorship import Statement, consent, milliseconds
from services.contacts.handlers.book import Book, Store, open_book
from services.contacts.handlers.reaching import Reaching
from shared.clock import Clock
from shared.consent import barred
from shared.contracts.channels import ConsentClaim
from shared.contracts.contacts import Contact
from shared.contracts.fact import Identifier
from shared.ids import uuid7
from shared.messaging import Unit
from shared.mongo import Session

Ring = Callable[[], Awaitable[KeyRing]]
MAX_EVIDENCE = 300
"""Of what was said about it before: with how it was confirmed it stays below what a claim holds."""
MAX_WAITING = 20
"""Of one customer. Whoever sends a form again and again fills neither the database nor somebody's mailbox."""


class TooManyWaiting(ValueError):
    """More than a customer can be asked to confirm at a time."""


class NoSuchConfirmation(LookupError):
    """None has this id, or it is over."""


@dataclass(frozen=True)
class Confirmation:
    """Grants of a customer that wait for their confirmation, or are confirmed."""

    confirmation_id: str
    customer_id: str
    claims: tuple[ConsentClaim, ...]
    source: str
    asked_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None = None
    to: Identifier | None = None
    """Where the link is to be sent, which nobody has shown to be the customer's; None: wherever the customer is reached."""

    @property
    def places(self) -> frozenset[tuple[str, str]]:
        return frozenset((one.purpose, one.channel) for one in self.claims)


@dataclass(frozen=True)
class ToSend:
    """A link that its customer does not have yet, and whom it is for."""

    confirmation: Confirmation
    token: str
    contact: Contact


class Confirmations(Protocol):
    """Where they are kept."""

    async def confirmation(self, confirmation_id: str, session: Session | None) -> Confirmation | None: ...

    async def waiting_of(
        self, customers: Collection[str], now: datetime, session: Session | None
    ) -> Sequence[Confirmation]: ...

    async def add(self, one: Confirmation, session: Session | None) -> None: ...

    async def confirmed(self, confirmation_id: str, at: datetime, session: Session | None) -> None: ...

    async def sent(self, confirmation_id: str) -> bool: ...

    async def unsent(self, after: str, now: datetime, limit: int) -> Sequence[Confirmation]: ...

    async def restricted(self, roots: Collection[str]) -> Collection[str]:
        """Those of these customers whose data must not be used."""
        ...


class Confirming:
    """The use cases. Links live by the wall's clock; a grant is given when it is confirmed."""

    def __init__(
        self,
        store: Store,
        reaching: Reaching,
        kept: Confirmations,
        clock: Clock,
        ring: Ring,
        life: timedelta,
        country: str | None,
    ) -> None:
        self.store = store
        self.reaching = reaching
        self.kept = kept
        self.clock = clock
        self.ring = ring
        self.life = life
        self.country = country

    async def ask(
        self,
        unit: Unit,
        customers: Sequence[str],
        claims: Sequence[ConsentClaim],
        source: str,
        to: Identifier | None = None,
    ) -> Confirmation:
        """Let grants of the first of these customers, who are one, wait. What waits already is not asked again. `to`: whoever
        confirms has this address, whether it is the customer's or not. Raises TooManyWaiting.
        """
        now = datetime.now(UTC)
        places = {(one.purpose, one.channel) for one in claims}
        waiting = await self.kept.waiting_of(customers, now, unit.session)
        if same := next((one for one in waiting if one.places >= places), None):
            return same
        if len(waiting) >= MAX_WAITING:
            raise TooManyWaiting(MAX_WAITING)
        asked_at, expires_at = milliseconds(now), (now + self.life).replace(microsecond=0)
        one = Confirmation(uuid7(now), customers[0], tuple(claims), source, asked_at, expires_at, to=to)
        await self.kept.add(one, unit.session)
        return one

    async def to_send(self, after: str, limit: int) -> tuple[list[ToSend], str | None]:
        """Links that nobody has said to have sent; behind which id others follow.

        A link is an approach, too, and a form can ask for one in anybody's name: who must not be approached gets none.
        """
        now = datetime.now(UTC)
        found = await self.kept.unsent(after, now, limit)
        ring = await self.ring()
        approached = [(one, await self._approached(one)) for one in found]
        everybody = {contact.customer_id for _, contacts in approached for contact in contacts}
        restricted = set(await self.kept.restricted(everybody))
        items = [
            ToSend(one, sign(ring, _token(one)), reachable)
            for one, contacts in approached
            if not any(contact.customer_id in restricted for contact in contacts)
            and (reachable := _reachable(one, contacts, now))
        ]
        return items, found[-1].confirmation_id if len(found) == limit else None

    async def _approached(self, one: Confirmation) -> list[Contact]:
        """Whom a link is for, and whose the address is that it is sent to. Nobody, if there is nothing to send."""
        if one.to:
            return await self.reaching.approached(one.customer_id, one.to)
        contact = await self.store.contact(one.customer_id)
        return [contact] if contact else []

    async def sent(self, confirmation_id: str) -> None:
        """It is not to be sent again. Raises NoSuchConfirmation."""
        if not await self.kept.sent(confirmation_id):
            raise NoSuchConfirmation(confirmation_id)

    async def read(self, text: str, session: Session | None = None) -> Confirmation:
        """What a link asks. Raises BadToken, TokenExpired."""
        token = read(await self.ring(), text, "confirmation", datetime.now(UTC))
        one = await self.kept.confirmation(str(UUID(bytes=token.number)), session)
        if one is None:
            raise BadToken
        return one

    async def language(self, one: Confirmation) -> str | None:
        """In which the customer is to be spoken to. Whoever asked by a form: as the form said, and not as of whom it was merged with."""
        if one.to is None:
            contact = await self.store.contact(one.customer_id)
            return contact.language if contact else None
        lead = (await self.store.load({one.customer_id}, None)).get(one.customer_id)
        return lead.contact.language if lead else None

    async def confirm(self, unit: Unit, text: str) -> Confirmation:
        """The grants hold from now on. Again it changes nothing. Raises BadToken, TokenExpired, TooManyConsents."""
        one = await self.read(text, unit.session)
        if one.confirmed_at is not None:
            return one
        owner = await self.reaching.owner(one.to, unit.session) if one.to else None
        customers = {one.customer_id, owner or one.customer_id}
        book = await open_book(self.store, unit, customers, await self.clock.now(unit.session), self.country)
        if one.customer_id not in book.current:
            raise BadToken
        customer = _who(book, one, owner)
        at = spoken_last(book.current[book.root(customer)].published, one.places, book.now)
        grants = [consent(_confirmed(claim, one, at), one.source) for claim in one.claims]
        told = Statement(one.source, at, consents=grants)
        if one.to and customer != owner:
            known_by = [] if owner else [one.to]
            told = replace(told, identifiers=known_by, fields={one.to.scheme: one.to.value})
        book.hear(customer, [told], author=Author(one.source))
        await book.save(self.store)
        await self.kept.confirmed(one.confirmation_id, milliseconds(datetime.now(UTC)), unit.session)
        return one


def _who(book: Book, one: Confirmation, owner: str | None) -> str:
    """Whose word it is: of whom we reach at the address, else of the lead that it was given for. Raises BadToken.

    Somebody who was known by it may have another by now. And who has merged the lead with somebody has not said whose it is.
    """
    if one.to is None:
        return one.customer_id
    if owner and reached_at(book.current[book.root(owner)].published, one.to):
        return owner
    lead = book.current[one.customer_id]
    if not (lead.place.alone and only_a_lead(lead.contact)):
        raise BadToken
    return one.customer_id


def _reachable(one: Confirmation, contacts: Sequence[Contact], now: datetime) -> Contact | None:
    """Whom a link is for, without the addresses at which nobody may approach one of them; None: at none."""
    if not contacts:
        return None
    contact = contacts[0]
    if one.to:
        contact = contact.model_copy(update={"email": None, "phone": None, one.to.scheme: one.to.value})
    bars = [bar for each in contacts for bar in each.do_not_contact]
    barred_at = [channel for channel in CHANNELS if barred(bars, channel, now)]
    left = contact.model_copy(update=dict.fromkeys(barred_at))
    return left if left.email or left.phone or not barred_at else None


def _token(one: Confirmation) -> Token:
    return Token("confirmation", UUID(one.confirmation_id).bytes, one.expires_at)


def _confirmed(claim: ConsentClaim, one: Confirmation, at: datetime) -> ConsentClaim:
    """With how it was asked and confirmed. From where is not kept: who has the link has the address, and that is what it shows."""
    asked = one.asked_at.isoformat(timespec="seconds")
    how = f"double opt-in: asked {asked}, confirmed {at.isoformat(timespec='seconds')} ({one.confirmation_id})"
    before = f"{claim.evidence[:MAX_EVIDENCE]}; " if claim.evidence else ""
    return claim.model_copy(update={"given_at": at, "evidence": before + how})
