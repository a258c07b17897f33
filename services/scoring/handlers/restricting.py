"""Customers whose data are kept and not used (GDPR, article 18): what comes is stored, and nothing is made of it until it is lifted."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import structlog

from shared.contracts.contacts import ContactRestricted
from shared.erasing import Erasing
from shared.links import Tree
from shared.messaging import Received, Unit

log = structlog.get_logger()
PAGE_CUSTOMERS = 200
"""Customers whose scores are withdrawn in one transaction."""


class Restricted(Exception):
    """What is known of the customer must not be used at present."""


class Restrictions(Protocol):
    async def put(self, customers: Mapping[str, bool], session: Any) -> None: ...

    async def among(self, customers: Collection[str], session: Any = None) -> set[str]: ...

    async def page(self, after: str | None, limit: int) -> list[str]:
        """The next of all of them."""
        ...

    async def all_hidden(self) -> bool:
        """Whether it has been put down that nothing is scored of any of them."""
        ...

    async def put_down_all_hidden(self) -> None: ...


class Links(Protocol):
    async def tree(self, customer: str) -> Tree: ...


class Scored(Protocol):
    """Where it is kept what is scored of whom."""

    async def reconsider(self, unit: Unit, customers: Collection[str], cause: Received | None = None) -> None: ...

    async def shown(self, customers: Collection[str]) -> set[str]:
        """Those of them who are scored as if nobody were restricted."""
        ...


class Transactions(Protocol):
    async def transact(self, change: Callable[[Unit], Awaitable[None]]) -> None: ...


@dataclass
class Restricting:
    restrictions: Restrictions
    links: Links
    scored: Scored
    erasing: Erasing

    async def hear(self, unit: Unit, events: Sequence[Received]) -> None:
        """Who is restricted, and who no more, in the order in which contacts has told it.

        With each change the customer's own document is written, so that a sale that is counted at the same moment conflicts, and
        is looked at again.
        """
        facts: list[ContactRestricted] = [event.fact for event in events]
        told = {fact.customer_id: fact.restricted for fact in facts}
        await self.restrictions.put(told, unit.session)
        await self.scored.reconsider(unit, told, events[-1])

    async def root(self, customer_id: str) -> str:
        """Who answers for a customer: nearly always they themselves. Raises Restricted, also of whoever is one with somebody who is."""
        tree = await self.links.tree(customer_id)
        if await self.restrictions.among(tree.members):
            raise Restricted(customer_id)
        return tree.root

    async def catch_up(self, transactions: Transactions) -> None:
        """Whoever is restricted and scored all the same is so no more: heard of before this was withdrawn, or made anew since.

        Later starts do not look, once one has found nobody. Whoever is found by one may not be the last: beside it an instance
        of an earlier release may still hear of restrictions.
        """
        if await self.restrictions.all_hidden():
            return
        after, found = None, 0
        while page := await self.restrictions.page(after, PAGE_CUSTOMERS):
            if shown := sorted(await self.scored.shown(page)):
                await transactions.transact(partial(self.scored.reconsider, customers=shown))
                found += len(shown)
            after = page[-1]
        if found:
            log.info("restricted_withdrawn", customers=found)
        else:
            await self.restrictions.put_down_all_hidden()
