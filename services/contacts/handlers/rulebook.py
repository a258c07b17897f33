"""The rules of survivorship, as an instance knows them."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.contacts.domain.ruling import NEWEST, Rule, Rules, in_force

STALE_SECONDS = 3.0
"""It is read every second; `ruling.CURRENT` is longer by what a transaction takes."""


@dataclass(frozen=True)
class Kept:
    """A rule: who has set it and when, and the contacts that are still to be judged by it, from which one on, not before when."""

    rule: Rule = NEWEST
    source: str = ""
    by: str | None = None
    """The name of the key that `source` is."""
    set_at: datetime | None = None
    work: bool = False
    after: str = ""
    due: datetime | None = None


class Rulebook:
    """The rules that are in force, by the place that a field has in a contact."""

    def __init__(self, read: Callable[[], Awaitable[Mapping[str, Kept]]] | None = None) -> None:
        self.rules: Rules = {}
        self._read = read
        self._learnt_at = 0.0

    async def current(self) -> Rules:
        """Read again what is too old to judge by: after a pause of this process nobody can say what was set meanwhile."""
        if self._read is not None and time.monotonic() - self._learnt_at > STALE_SECONDS:
            self.learn(await self._read())
        return self.rules

    def learn(self, kept: Mapping[str, Kept]) -> None:
        self.rules = in_force({field: one.rule for field, one in kept.items()})
        self._learnt_at = time.monotonic()
