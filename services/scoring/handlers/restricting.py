"""Customers whose data are kept and not used (GDPR, article 18): nothing is decided about them and nothing offered to them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.contracts.contacts import ContactRestricted
from shared.erasing import Erasing
from shared.messaging import Received, Unit


class Restricted(Exception):
    """What is known of the customer must not be used at present."""


class Restrictions(Protocol):
    async def set(self, customer_id: str, *, restricted: bool, session: Any) -> None: ...

    async def any_of(self, customers: Collection[str]) -> bool: ...


class Links(Protocol):
    async def members(self, customer: str) -> set[str]: ...


async def anybody(_: str) -> None:
    """Nobody is restricted."""


@dataclass
class Restricting:
    restrictions: Restrictions
    links: Links
    erasing: Erasing

    async def hear(self, unit: Unit, events: Sequence[Received]) -> None:
        """Who is restricted, and who no more, in the order in which contacts has told it."""
        for event in events:
            fact: ContactRestricted = event.fact
            await self.restrictions.set(fact.customer_id, restricted=fact.restricted, session=unit.session)

    async def require_usable(self, customer_id: str) -> None:
        """Raises Restricted, also of who is one with somebody restricted."""
        if await self.restrictions.any_of(await self.links.members(customer_id)):
            raise Restricted(customer_id)
