"""Whose an e-mail address or a number is that a form names: of who is known by it, and of who is reached there by others' word."""

from collections.abc import Collection, Sequence
from typing import Protocol

from services.contacts.domain.hearsay import only_a_lead, reached_at
from services.contacts.domain.survivorship import Known
from services.contacts.handlers.book import Store
from shared.contracts.contacts import Contact
from shared.contracts.fact import Identifier
from shared.mongo import Session

MOST = 50
"""Contacts with one address that are looked at: strangers can make any number of leads with one. Beyond, it counts as somebody's."""


class Addresses(Protocol):
    """Where it is kept who has which address."""

    async def having(self, place: Identifier, limit: int, session: Session | None) -> Sequence[Known]:
        """Contacts, each by itself, of whom anybody has said that they are reached there; so many at most, in no order."""
        ...

    async def leads(
        self, places: Collection[str], but: Collection[str], limit: int, session: Session | None
    ) -> Sequence[str]:
        """Others than `but`, each by itself, who have any of these (`scheme:value`) and of whom a form has spoken."""
        ...


class Reaching:
    """The questions that forms and the links of their confirmations ask."""

    def __init__(self, store: Store, addresses: Addresses) -> None:
        self.store = store
        self.addresses = addresses

    async def known(self, places: Collection[Identifier], session: Session | None) -> set[str]:
        """The schemes of those of these that are somebody's."""
        owners = await self.store.owners({str(one) for one in places}, session)
        return {one.scheme for one in places if str(one) in owners or await self._is_somebodys(one, session)}

    async def _is_somebodys(self, place: Identifier, session: Session | None) -> bool:
        found = await self.addresses.having(place, MOST, session)
        return len(found) == MOST or any(reached_at(one.contact, place) for one in found)

    async def owner(self, place: Identifier, session: Session | None) -> str | None:
        """Who is known by it, else the only one who is reached there."""
        if owner := (await self.store.owners({str(place)}, session)).get(str(place)):
            return owner
        reached = await self._reached(place, session)
        return reached[0] if len(reached) == 1 else None

    async def _reached(self, place: Identifier, session: Session | None) -> list[str]:
        found = await self.addresses.having(place, MOST, session)
        reached = (one for one in found if reached_at(one.contact, place))
        return list(dict.fromkeys(one.place.root or one.contact.customer_id for one in reached))

    async def approached(self, customer: str, place: Identifier) -> list[Contact]:
        """Whom a link is for that is sent there, a lead first, and all whose address it is. Nobody, if the link is over."""
        lead = await self.store.contact(customer)
        if lead is None:
            return []
        owners = [*(await self.store.owners({str(place)}, None)).values(), *await self._reached(place, None)]
        others = [await self.store.contact(one) for one in dict.fromkeys(owners)]
        found = [one for one in others if one]
        alone = lead.customer_id == customer and not lead.absorbed and only_a_lead(lead)
        # Of who was merged with somebody the sender would be told under that one's name.
        return [lead, *found] if alone or any(reached_at(one, place) for one in found) else []
