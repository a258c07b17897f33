"""Views made anew (`rapport rebuild sync`): folded in silence, and shown when they are whole, above all that anybody has of them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, Protocol

from shared.contracts.sync import CUSTOMERS, CustomerChanged
from shared.messaging import Received, Unit
from shared.messaging.outbox import Outgoing
from shared.messaging.subscription import Apply

SPARE = 1_000
"""So many versions a database may have delivered before it was lost, and not told yet."""
PIECE = 500
"""Views stored and told in one transaction."""


class Shown(NamedTuple):
    """A view as it is told."""

    customer_id: str
    view: bytes
    """As JSON."""


class Rebuilt(Protocol):
    """The views that are being made anew, and what is known of the old ones."""

    async def above(self) -> int:
        """The highest version that was stored or delivered."""

    async def erased(self, customers: Collection[str]) -> Mapping[str, str]:
        """Of those of them who were erased and have no view, the erasure."""

    async def awaited(self) -> Mapping[str, str]:
        """The same of all whom a channel has still to erase."""

    async def bury(self, erased: Mapping[str, str], version: int, session: Any) -> None:
        """Store of each of them the last version, with nothing in it, for the channels that had any."""

    async def lift(self, after: str, version: int, session: Any) -> Sequence[Shown]:
        """Store the next views behind a customer's, by id, at this version, as changed by Rapport; none: that was all."""


def in_silence(fold: Apply) -> Apply:
    """The same, but that views are not told: before all has come they are half of the truth."""

    async def apply(unit: Unit, events: Sequence[Received]) -> None:
        await fold(unit, events)
        unit.outgoing[:] = [told for told in unit.outgoing if told.topic != CUSTOMERS.name]

    return apply


class Showing:
    """What ends a rebuild: every view is told, in one version that is newer than any that was ever told or delivered."""

    def __init__(self, views: Rebuilt, transact: Callable[[Callable[[Unit], Awaitable[Any]]], Awaitable[Any]]) -> None:
        self.views = views
        self.transact = transact

    async def show(self, told: AsyncIterator[Mapping[str, int | None]]) -> None:
        """`told`: in pieces and in order, the versions of views on `crm.customers` by customer; None is a tombstone. Who has one
        there, was erased and has no view any more was erased while sync knew nothing of them: the log and the channels hear
        of it now.
        """
        highest, gone = await self.views.above(), dict[str, str]()
        async for versions in told:
            alive = {customer: version for customer, version in versions.items() if version is not None}
            highest = max([highest, *alive.values()])
            gone = {one: erasure for one, erasure in gone.items() if one in alive or one not in versions}
            gone |= await self.views.erased(alive)
        gone |= await self.views.awaited()
        version = highest + SPARE
        left = iter(gone.items())
        while buried := dict(islice(left, PIECE)):
            await self.transact(partial(self._bury, buried, version))
        last = ""
        while shown := await self.transact(partial(self._show, last, version)):
            last = shown[-1].customer_id

    async def _bury(self, gone: Mapping[str, str], version: int, unit: Unit) -> None:
        await self.views.bury(gone, version, unit.session)
        for customer in gone:
            unit.forward(Outgoing(CUSTOMERS.name, customer.encode(), None, ()))

    async def _show(self, after: str, version: int, unit: Unit) -> Sequence[Shown]:
        shown = await self.views.lift(after, version, unit.session)
        for one in shown:
            unit.tell(CUSTOMERS, CustomerChanged.TYPE, b'{"view":%s}' % one.view, key=one.customer_id)
        return shown
