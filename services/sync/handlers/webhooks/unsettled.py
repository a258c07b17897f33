"""What deliveries have left behind and the database does not know of yet.

Customers change more than once within a second: first what they do, then what it is worth. Settled once a second, a receipt is
written once for both, and most batches need no transaction of their own. A crash sends again what was not settled, a
second's at most, under the same ids, to receivers that drop what they know.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.sync.domain.outgoing import Receipt, Retry
from services.sync.domain.positions import Cursor
from services.sync.handlers.webhooks.outcome import Outcome

MOST = 1_000
"""Receipts of one settlement: some 50 ms of the database's time."""


@dataclass
class Unsettled:
    """Of one channel, since the last settlement was begun."""

    generation: int = 0
    cursor: Cursor = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    retries: Mapping[str, Retry | None] = field(default_factory=dict)
    since: float | None = None
    """When the oldest of it came to be, by this process's monotonic clock; None: there is nothing."""

    def add(self, generation: int, came: Outcome) -> None:
        """What came of a batch, after all others. Who is tried again must not have a receipt here."""
        if generation != self.generation:
            self.generation, self.cursor = generation, {}  # the channel was started over: its old place is void
        self.cursor |= came.cursor
        for customer, receipt in came.receipts.items():
            before = self.receipts.get(customer)
            self.receipts[customer] = after(before, receipt) if before else receipt
        self.retries = {**self.retries, **came.retries}
        if self.since is None:
            self.since = time.monotonic()

    def waits(self, seconds: float) -> float | None:
        """How long it may still wait if it may for so many seconds in all; None: there is nothing to settle."""
        if self.since is None:
            return None
        return 0.0 if len(self.receipts) >= MOST else self.since + seconds - time.monotonic()


def after(before: Receipt, receipt: Receipt) -> Receipt:
    """The newer of two receipts of the same customer, neither of which is settled."""
    return receipt._replace(first_at=before.first_at or before.at, times=max(before.times, 1) + max(receipt.times, 1))
