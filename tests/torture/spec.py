"""What a run is made of. A spec and the code of its commit say all that there is to say; only chance of timing is left."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.load import Mix

TAG = "torture"
MOST_FAMILIES = 1_000
BATCH = 500
"""Views that sync settles in one transaction: what one fault can cut off from its settlement, for each channel."""
SETTINGS = {
    "RAPPORT_SYNC_RETRY_SCHEDULE": json.dumps([1, 2, 3, *[5] * 60]),
    "RAPPORT_SYNC_LONGEST_PAUSE": "5",
    "RAPPORT_SYNC_WEBHOOK_TIMEOUT": "5",
    "RAPPORT_SYNC_LEASE_SECONDS": "12",
    "RAPPORT_SYNC_WEBHOOK_BATCH": str(BATCH),
}
"""Retries by the minute instead of by the day; everything else is as in production."""


@dataclass(frozen=True)
class Spec:
    """One run. Times are seconds."""

    seed: int = 1
    events: int = 24_000
    rate: float = 100.0
    customers: int = 4_000
    skew: float = 0.6
    contacts: float = 0.15
    duplicates: float = 0.02
    reordered: float = 0.05
    poison: float = 0.01
    faults: int = 20
    kinds: tuple[str, ...] = ()
    """Kinds of faults to draw from; empty: all."""
    decided: float = 0.01
    """Families of customers who are merged, parted and erased meanwhile, as a share of all events; a thousand at most."""
    settle: float = 75.0
    """After which a service looks for the erased once more and says that it is done: longer than a transaction lives."""
    misbehaviour: int = 3
    """How often a receiver behaves badly for a while."""
    instances: int = 2
    partitions: int = 4
    warm_up: float = 5.0
    """Before the first fault."""
    patience: float = 240.0
    """For draining, without any progress."""
    recovery: float = 240.0
    """Within which everything must move again after a fault, other faults or not."""
    planted: str | None = None
    settings: Mapping[str, str] = field(default_factory=lambda: dict(SETTINGS))

    @property
    def seconds(self) -> float:
        """How long the load lasts."""
        return self.events / self.rate

    @property
    def families(self) -> int:
        return min(MOST_FAMILIES, int(self.decided * self.events))

    @property
    def mix(self) -> Mix:
        return Mix(
            customers=self.customers,
            skew=self.skew,
            contacts=self.contacts,
            duplicates=self.duplicates,
            reordered=self.reordered,
            poison=self.poison,
            tag=TAG,
        )

    @property
    def replay(self) -> str:
        """The command that runs it again."""
        defaults = Spec()
        told = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "settings"}
        always = {"rate", "customers"}
        words = [
            f"--{name.replace('_', '-')} {text(value)}"
            for name, value in told.items()
            if name in always or value != getattr(defaults, name)
        ]
        return " ".join(["python -m tests.torture", *words])

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def text(value: object) -> str:
    return f"'{','.join(value)}'" if isinstance(value, tuple) else str(value)
