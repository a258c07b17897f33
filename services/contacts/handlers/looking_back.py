"""The history of a contact, and its record as of any moment."""

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Protocol

from services.contacts.domain.changes import Change, NotKnownThen, Rewinding, Then, shown
from services.contacts.domain.survivorship import Known
from services.contacts.handlers.errors import NoSuchContact
from shared.contracts.contacts import Contact
from shared.mongo import Session


class Records(Protocol):
    """The records of today."""

    async def load(self, customers: Collection[str], session: Session | None) -> dict[str, Known]: ...

    async def contact(self, customer: str) -> Contact | None: ...


class History(Protocol):
    """What is kept of changes."""

    async def changes_of(
        self, customers: Collection[str], before: tuple[datetime, str] | None, limit: int
    ) -> list[tuple[str, Change]]: ...

    def under(self, customer: str) -> AsyncIterator[Change]: ...


class LookingBack:
    """The use cases of history."""

    def __init__(self, records: Records, history: History) -> None:
        self.records = records
        self.history = history

    async def changes(
        self, contact: Contact, before: tuple[datetime, str] | None, limit: int
    ) -> list[tuple[str, Change]]:
        """Of a contact and all who are one with it now, the newest first, each with its place."""
        members = {contact.customer_id, *contact.absorbed}
        return [
            (place, shown(change, members)) for place, change in await self.history.changes_of(members, before, limit)
        ]

    async def as_of(self, customer: str, moment: datetime) -> Contact:
        """The record that was answered for this id at that moment, whoever answered for it then.

        What counts is when a statement was recorded, not as of when it was said: what came late was not known yet.
        Raises NoSuchContact, NotKnownThen, HistoryErased.
        """
        asked: set[str] = set()
        while customer not in asked:
            asked.add(customer)
            then = await self._then(customer, moment)
            if then.contact:
                return then.contact
            assert then.into is not None, "who has no record was part of somebody"
            customer = then.into
        raise NotKnownThen(customer)

    async def _then(self, customer: str, moment: datetime) -> Then:
        known = (await self.records.load([customer], None)).get(customer)
        if known is None:
            raise NoSuchContact(customer)
        place = known.place
        rewinding = Rewinding(None if place.root else known.published, moment)
        async for change in self.history.under(customer):
            if answer := rewinding.back(change):
                return answer
        merged_before = place.since is not None and place.since <= moment
        return rewinding.at_the_beginning(customer, place.into if merged_before else None)
