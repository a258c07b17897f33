"""The words that webhooks and streams share: what a batch of deliveries leaves behind, and who keeps it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from services.sync.domain.outgoing import Changed, Progress, Receipt, Retry, Trouble
from services.sync.domain.positions import Cursor

DeliveryStatus = Literal["delivered", "retrying", "failed"]


class LostLease(Exception):
    """Another instance delivers to the channel now, or the channel has been started over meanwhile."""


@dataclass(frozen=True)
class Settlement:
    """What a batch leaves behind. It is stored whole or not at all."""

    channel_id: str
    generation: int | None
    """The generation that must still be the present one; None where it does not matter."""
    owner: str | None
    """Whoever must still hold the lease; None where there is none."""
    cursor: Cursor
    receipts: Sequence[Receipt] = ()
    retries: Mapping[str, Retry | None] = field(default_factory=dict)
    """By customer; None takes away a retry that has become pointless. Where there is no word of one, it stays: somebody may have
    asked for that customer again meanwhile."""
    trouble: Trouble | None = None
    reach: Cursor = field(default_factory=dict)
    """Up to where the channel may be sent anything from now on, in partitions where that changes."""


class ChangeStore(Protocol):
    """The views in the order in which they have changed."""

    async def beyond(self, cursor: Cursor, tails: Mapping[int, int], limit: int) -> list[Changed]: ...

    async def these(self, customer_ids: Sequence[str]) -> list[Changed]: ...


class DeliveryStore(Protocol):
    """Receipts, retries and progress."""

    async def progress(self, channel_id: str) -> Progress: ...

    async def receipts(self, channel_id: str, customer_ids: Iterable[str]) -> dict[str, Receipt]: ...

    async def due(self, channel_id: str, now: datetime, limit: int) -> list[Receipt]: ...

    async def settle(self, settlement: Settlement, session: Any) -> None: ...

    async def reach(self, channel_id: str, owner: str, ends: Cursor) -> None:
        """Put on record how far the channel may be sent anything. Raises LostLease."""
