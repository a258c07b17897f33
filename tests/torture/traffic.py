"""The load on its way into a stage: handed over on schedule, whatever happens, and held back only when asked to."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from tests.load import Lateness, Pacer, Roads, Schedule
from tests.torture.ledger import Ledger
from tests.torture.sendings import Marked, load
from tests.torture.spec import Spec

TOLERATED = 0.5
"""Seconds by which a message may leave late: this test claims effects at a rate, not microseconds."""
SOON = 0.5


class Traffic:
    """One run's load. Is a `Sender` of the stage: it can be asked to wait while an operator works."""

    def __init__(self, spec: Spec, ledger: Ledger, roads: Roads) -> None:
        self._spec, self._ledger, self._roads = spec, ledger, roads
        self.lateness = Lateness(tolerated=TOLERATED)
        self.schedule = Schedule(time.monotonic() + SOON, spec.rate)
        self._held: deque[Marked] | None = None
        roads.on_accepted = ledger.accept  # type: ignore[assignment]

    async def run(self) -> None:
        messages = load(self._spec.mix, self._spec.events, self._spec.seed)
        await Pacer(self.schedule, self._hand, self.lateness).run(messages)

    def _hand(self, messages: list[Marked]) -> None:
        self._ledger.hand(messages, self.schedule)
        if self._held is None:
            self._roads.hand(messages)
        else:
            self._held.extend(messages)

    async def pause(self) -> None:
        """What is due from now on waits; returns when all before it has been taken."""
        self._held = deque() if self._held is None else self._held
        await self._roads.drained(self._spec.patience)

    async def resume(self) -> None:
        held, self._held = self._held, None
        self._roads.hand(held or ())

    async def finished(self) -> None:
        """Until everything is accepted. Raises TimeoutError, or what a road has failed with."""
        async with asyncio.timeout(self._spec.patience):
            while self._ledger.sendings_accepted < self._spec.events:
                await self._roads.drained(self._spec.patience)
                await asyncio.sleep(0.1)
