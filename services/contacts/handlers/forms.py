"""Leads from forms on the web: kept with the transaction that answers, so that none is lost while Kafka is away."""

from collections.abc import Mapping as Map, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from services.contacts.domain import forms
from services.contacts.domain.forms import Form
from services.contacts.domain.identities import resolve
from services.contacts.domain.importing.drafting import Draft
from services.contacts.domain.survivorship import Statement, TooManyConsents, statement
from services.contacts.handlers.book import Store, open_book
from services.contacts.handlers.catalogue import Catalogue
from services.contacts.handlers.confirming import Confirming, TooManyWaiting
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
        country: str | None = None,
        catalogue: Catalogue | None = None,
        confirming: Confirming | None = None,
    ) -> None:
        self.store = store
        self.limiter = limiter
        self.clock = clock
        self.transact = transact
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
        await self.catalogue.current()
        now = await self.clock.now(unit.session)
        owners = await self.store.owners({str(one) for one in draft.identifiers}, unit.session)
        found = resolve([draft.identifiers], owners, lambda: uuid7(now))
        [customer] = found.customers
        book = await open_book(self.store, unit, {customer}, now, self.country)
        report, own, waiting = draft.report, draft.identifiers, draft.report.consents if confirm else []
        if waiting:
            report = report.model_copy(update={"consents": []})
        if customer in book.current:
            # Nobody becomes somebody else by naming their address: a customer whom we know gets no new identifiers.
            report, own = forms.of_known(report, book.current[book.root(customer)].published), []
        try:
            book.hear(customer, [self._said(report, source, own)])
        except TooManyConsents:
            book.hear(customer, [self._said(report.model_copy(update={"consents": []}), source, own)])
        await book.save(self.store)
        if waiting and self.confirming:
            with suppress(TooManyWaiting):
                await self.confirming.ask(unit, [customer, *book.parts(customer)], waiting, source)

    def _said(self, report: ContactReported, source: str, own: list[Identifier]) -> Statement:
        """What does not fit its field is kept out, as of a channel: who has sent it is gone."""
        return self.catalogue.placed(statement(report, source, identifiers=own))
