"""Who is one with whom, as contacts tells it. The history stays under the ids it came under; only reading joins it."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from shared.circles import Among, nobody
from shared.contracts.merges import Link, LinkFact
from shared.links import without
from shared.messaging import Received, Unit


class Links(Protocol):
    """Where links are kept."""

    async def take(self, facts: Iterable[LinkFact], session: Any) -> list[Link]: ...


class Merging:
    """Follows merges and their undoing."""

    def __init__(self, links: Links, erased: Among = nobody) -> None:
        self.links = links
        self.erased = erased

    async def follow(self, unit: Unit, events: Sequence[Received]) -> None:
        await self.links.take(without(self.erased, [event.fact for event in events]), unit.session)
