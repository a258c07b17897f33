"""Rows of a file, heard as reports: the same identity, the same latest said as of what channels tell."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.contacts.domain.fields import FIELD_REASONS
from services.contacts.domain.hearsay import only_a_lead
from services.contacts.domain.identities import Resolution, resolve
from services.contacts.domain.importing.drafting import Draft, Rejected
from services.contacts.domain.importing.judging import Judged, judged, news, outcome_of
from services.contacts.domain.survivorship import TooManyConsents, statement
from services.contacts.handlers.book import Book, Store, open_book
from services.contacts.handlers.catalogue import Catalogue
from shared.clock import Clock
from shared.contracts.fact import Identifier
from shared.ids import uuid7
from shared.messaging import TooLarge, Unit

NOT_A_SCHEME = "="
"""Of a customer's own id among identifiers: no channel can have it."""


@dataclass(frozen=True)
class Rows:
    """The use case. `country`: where telephone numbers are of that say none. `catalogue`: fields that the company has defined."""

    clock: Clock
    country: str | None = None
    catalogue: Catalogue = field(default_factory=Catalogue)

    async def take(
        self, unit: Unit, store: Store, drafts: Sequence[Draft], source: str, *, shown: bool = False
    ) -> list[Judged | Rejected]:
        """What becomes of each row, in their order. `shown`: with how each customer looked before and after it."""
        await self.catalogue.current()
        now = await self.clock.now(unit.session)
        known = await self._known(unit, store, drafts)
        unfit = self._unfit(drafts)
        wanted = [
            index
            for index, draft in enumerate(drafts)
            if index not in unfit and (draft.customer_id in known or draft.identifiers)
        ]
        owners = await store.owners({str(one) for index in wanted for one in drafts[index].identifiers}, unit.session)
        lists = [_who(drafts[index], known) for index in wanted]
        themselves = {str(_themselves(customer)): customer for customer in known}
        found = resolve(lists, {**owners, **themselves}, lambda: uuid7(now))
        book = await open_book(store, unit, set(found.customers), now, self.country)
        book.note(found.conflicts)
        taken: list[Judged | Rejected] = [
            unfit.get(index) or Rejected("unknown-customer", None, f"there is no contact {draft.customer_id}")
            for index, draft in enumerate(drafts)
        ]

        def hear() -> None:
            for place, index in enumerate(wanted):
                taken[index] = self._hear(book, found, place, drafts[index], source, shown)

        # Hundreds of contacts are folded here, and others wait for their answers meanwhile.
        await asyncio.to_thread(hear)
        await book.save(store)
        return taken

    async def _known(self, unit: Unit, store: Store, drafts: Sequence[Draft]) -> set[str]:
        """Which of the customers exist whom rows name by their own id."""
        named = {draft.customer_id for draft in drafts if draft.customer_id}
        return set(await store.load(named, unit.session)) if named else set()

    def _unfit(self, drafts: Sequence[Draft]) -> dict[int, Rejected]:
        """The rows with a value that its field does not take. Somebody can mend a file, so nothing of such a row is taken."""
        wrong = ((index, self.catalogue.wrong(draft.report.attributes)) for index, draft in enumerate(drafts))
        return {index: _misfit(*next(iter(reasons.items()))) for index, reasons in wrong if reasons}

    def _hear(
        self, book: Book, found: Resolution, place: int, draft: Draft, source: str, shown: bool
    ) -> Judged | Rejected:
        customer = found.customers[place]
        held = book.current.get(customer)
        before = book.current[book.root(customer)].published if held else None
        # What a form has said is not vouched for by a file that was exported here.
        own = held is None or (held.place.alone and not only_a_lead(held.contact))
        report = news(draft.report, before, alone=own)
        told = self.catalogue.placed(statement(report, source, identifiers=found.own(place, draft.identifiers)))
        try:
            after = book.hear(customer, [told])
        except TooManyConsents as error:
            return Rejected("too-many-consents", None, str(error))
        except TooLarge:
            return Rejected("too-large", None, "with it the contact would be larger than can be told")
        return judged(before, after) if shown else Judged(outcome_of(before, after), after.customer_id, [], {}, {})


def _misfit(name: str, reason: str) -> Rejected:
    return Rejected("invalid-value", f"attributes.{name}", f"attributes.{name} {FIELD_REASONS[reason]} ({reason})")


def _themselves(customer: str) -> Identifier:
    return Identifier.model_construct(scheme=NOT_A_SCHEME, value=customer)


def _who(draft: Draft, known: set[str]) -> list[Identifier]:
    """A customer's own id decides, before all that channels know them by."""
    if draft.customer_id in known:
        assert draft.customer_id is not None
        return [_themselves(draft.customer_id), *draft.identifiers]
    return draft.identifiers
