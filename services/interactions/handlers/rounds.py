"""Records of many requests in one go: while one round is on its way to the broker, the next one gathers."""

import asyncio
from collections.abc import Sequence

from services.interactions.handlers.gateway import Sender
from shared.messaging import Outgoing

MOST_RECORDS = 5_000
Caller = tuple[Sequence[Outgoing], asyncio.Future[None]]


class Rounds:
    """A sender for many callers at once. Alone, a caller waits for nobody; together, they share a round trip.

    A round succeeds or fails for all its callers. That is safe: who is told of a failure sends again.
    """

    def __init__(self, sender: Sender, most_records: int = MOST_RECORDS) -> None:
        self._sender = sender
        self._most_records = most_records
        self._waiting: list[Caller] = []
        self._running: asyncio.Task[None] | None = None

    async def send(self, records: Sequence[Outgoing]) -> None:
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((records, acknowledged))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        await acknowledged

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._round(self._next())
        finally:
            self._running = None

    def _next(self) -> list[Caller]:
        taken, records = 0, 0
        while taken < len(self._waiting) and (not taken or records < self._most_records):
            records += len(self._waiting[taken][0])
            taken += 1
        callers, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return callers

    async def _round(self, callers: list[Caller]) -> None:
        records = [record for records, _ in callers for record in records]
        [failure] = await asyncio.gather(self._sender.send(records), return_exceptions=True)
        for _, acknowledged in callers:
            if acknowledged.done():
                continue  # its caller has gone
            if failure is None:
                acknowledged.set_result(None)
            else:
                acknowledged.set_exception(failure)
