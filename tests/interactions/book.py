"""The use case of recording over a store in memory, fed as the core feeds it."""

from collections.abc import Iterable, Sequence

from services.interactions.domain import Identity, identity_of
from services.interactions.handlers.identities import Identities
from services.interactions.handlers.recording import Recording
from shared.contracts.fact import Identifier
from shared.messaging import Received, Unit
from tests.interactions.facts import ANNA, BEN
from tests.interactions.memory import HistoryInMemory
from tests.interactions.units import unit

CUSTOMERS = {"pos:N-1": ANNA, "pos:N-2": BEN}


class AllKnown(Identities):
    """Everybody is known; it remembers who was asked for."""

    def __init__(self) -> None:
        self.asked: set[Identity] = set()

    async def resolve(self, customers: Iterable[Sequence[Identifier]]) -> dict[Identity, str]:
        wanted = {identity_of(identifiers) for identifiers in customers}
        self.asked |= wanted
        return {identity: CUSTOMERS[identity[0]] for identity in wanted}


class Book:
    """What was recorded, and what each batch tells."""

    def __init__(self) -> None:
        self.history = HistoryInMemory()
        self.identities = AllKnown()
        self.recording = Recording(self.history, self.identities, "USD")

    async def take(self, *events: Received) -> Unit:
        work = unit(await self.recording.resolve(events))
        await self.recording.record(work, events)
        return work
