"""Leads from forms on the web: kept with the transaction that answers, so that none is lost while Kafka is away."""

from collections.abc import Mapping as Map, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from services.contacts.domain import forms
from services.contacts.domain.forms import Form
from services.contacts.domain.hearsay import LEAD, names_of_leads, only_a_lead
from services.contacts.domain.importing.drafting import Draft
from services.contacts.domain.survivorship import Statement, TooManyConsents, statement
from services.contacts.handlers.book import Book, Store, open_book
from services.contacts.handlers.catalogue import Catalogue
from services.contacts.handlers.confirming import Confirming, TooManyWaiting
from services.contacts.handlers.reaching import Reaching
from shared.clock import Clock
from shared.contracts.channels import ContactReported
from shared.contracts.fact import Identifier
from shared.ids import uuid7
from shared.messaging import Transact, Unit

Values = Map[str, str | Sequence[str]]


@dataclass(frozen=True)
class Registered:
    """A form, and what signs when it was opened."""

    name: str
    form: Form
    secret: bytes


class Limiter(Protocol):
    """Counts what comes from where."""

    async def allows(self, form: str, address: str, per_minute: int) -> bool: ...


class Forms(Protocol):
    """Where forms are kept."""

    async def form(self, name: str) -> Registered | None: ...


class Lead(NamedTuple):
    """Whom a form speaks of."""

    customer: str
    new: list[Identifier]
    """What they are known by from now on."""


class TooOften(Exception):
    """An address sends more than the form takes."""


class Leads:
    """The use case."""

    def __init__(
        self,
        store: Store,
        limiter: Limiter,
        clock: Clock,
        transact: Transact[None],
        reaching: Reaching,
        country: str | None = None,
        catalogue: Catalogue | None = None,
        confirming: Confirming | None = None,
    ) -> None:
        self.store = store
        self.limiter = limiter
        self.clock = clock
        self.transact = transact
        self.reaching = reaching
        self.country = country
        self.catalogue = catalogue or Catalogue()
        self.confirming = confirming

    async def receive(self, registered: Registered, values: Values, address: str) -> None:
        """Raises TooOften, Refused, Rejected. What a program has sent is dropped without a word, for it would learn."""
        form, name = registered.form, registered.name
        if not await self.limiter.allows(name, address, form.per_minute):
            raise TooOften
        if form.honeypot and values.get(form.honeypot):
            return
        # The wall's clock, which also signs: how long a person takes has nothing to do with a history that is played.
        given = values.get(forms.TOKEN, "")
        forms.check_time(form, name, registered.secret, given if isinstance(given, str) else "", datetime.now(UTC))
        draft = forms.draft(form, name, values, await self.clock.now(), self.country)
        await self.transact(lambda unit: self._take(unit, draft, f"/forms/{name}", confirm=form.confirm))

    async def _take(self, unit: Unit, draft: Draft, source: str, *, confirm: bool = False) -> None:
        """Whoever is known stays as they are, and what is ticked in their name waits until they have confirmed it."""
        await self.catalogue.current()
        now = await self.clock.now(unit.session)
        places = forms.places(draft.report)
        known, asked_at = await self.reaching.known([*draft.identifiers, *places], unit.session), places[0]
        book, (customer, own) = await self._lead(unit, names_of_leads(asked_at), now)
        held = book.current[customer].contact if customer in book.current else None
        # By this address alone: whoever gets an answer there learns nothing of whose the rest is.
        waiting = draft.report.consents if confirm or asked_at.scheme in known else []
        report = forms.as_hearsay(draft.report, known, held)
        if waiting:
            report = report.model_copy(update={"consents": []})
        if held:
            report = forms.said_again(report, held)
        try:
            book.hear(customer, [self._said(report, source, own)])
        except TooManyConsents:
            book.hear(customer, [self._said(report.model_copy(update={"consents": []}), source, own)])
        await book.save(self.store)
        if waiting and self.confirming:
            with suppress(TooManyWaiting):
                await self.confirming.ask(unit, [customer], waiting, source, asked_at)

    async def _lead(self, unit: Unit, names: Sequence[Identifier], now: datetime) -> tuple[Book, Lead]:
        """The lead that an address has by now, or a new one: who was a lead and is more than that is spoken of by no form."""
        owners = await self.store.owners({str(one) for one in names}, unit.session)
        book = await open_book(self.store, unit, set(owners.values()), now, self.country)
        for one in names:
            owner = owners.get(str(one))
            if owner is None:
                return book, Lead(uuid7(now), [one])
            held = book.current.get(owner)
            if held and held.place.alone and only_a_lead(held.contact):
                return book, Lead(owner, [])
        # So many leads of one address have become somebody that there is no name left to find another by.
        customer = uuid7(now)
        return book, Lead(customer, [Identifier(scheme=LEAD, value=customer)])

    def _said(self, report: ContactReported, source: str, own: list[Identifier]) -> Statement:
        """What does not fit its field is kept out, as of a channel: who has sent it is gone."""
        return self.catalogue.placed(statement(report, source, identifiers=own))
