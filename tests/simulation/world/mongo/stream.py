"""A change stream: from a place in the oplog on, in batches, with tokens to go on from."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

from pymongo.errors import AutoReconnect

from tests.simulation.world.loop import settle
from tests.simulation.world.modelled import Modelled, NotModelled
from tests.simulation.world.mongo.engine import Table
from tests.simulation.world.mongo.queries import Document

if TYPE_CHECKING:
    from tests.simulation.world.mongo.client import Line

MOST = 6
"""Changes in one batch, so that rounds end in the middle of what there is."""


class SimulatedStream(Modelled):
    """What `watch` returns, as far as it is used: asked again and again, and told nothing that does not concern it."""

    def __init__(self, line: Line, table: Table, pipeline: Sequence[Document], patience: float) -> None:
        self._line = line
        self._table = table
        self._patience = patience
        self._kinds = _kinds(pipeline)
        self._elections = line.engine.elections
        self._next = 0
        self._buffer: deque[tuple[int, Document]] = deque()
        self._cursor = SimpleNamespace(_data=self._buffer)
        self.resume_token: Document | None = None

    async def opened(self, token: Document | None, start: Any) -> Self:
        def place() -> int:
            if token is None:
                return len(self._line.engine.oplog) if start is None else self._line.engine.place_of(start)
            self._line.engine.check_place(token["_data"])
            return int(token["_data"])

        self._next = await self._line.call(place)
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._buffer.clear()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Document:
        while (change := await self.try_next()) is None:
            continue
        return change

    async def try_next(self) -> Document | None:
        """The next change; None if none came for a while."""
        if not self._buffer:
            await self._fetch()
        if not self._buffer:
            return None
        place, change = self._buffer.popleft()
        # After the last of a batch the server's token counts, which may be further on.
        self.resume_token = {"_data": place + 1 if self._buffer else self._next}
        return change

    async def _fetch(self) -> None:
        engine = self._line.engine
        await self._line.travel()
        if self._elections != engine.elections or self._line.weather.strikes("mongo.stream-broken"):
            raise AutoReconnect("the cursor is gone")
        engine.check_place(self._next)
        self._scan()
        if not self._buffer:
            await self._wait()
            engine.check_place(self._next)
            self._scan()
        if not self._buffer:
            self.resume_token = {"_data": self._next}

    async def _wait(self) -> None:
        """For the table's next change, or as long as one waits."""
        loop = self._line.loop
        future: asyncio.Future[None] = asyncio.Future(loop=loop.asyncio)
        self._table.watchers.append(future)
        timer = loop.call_later(self._patience, settle, future)
        await future
        timer.cancel()

    def _scan(self) -> None:
        oplog = self._line.engine.oplog
        most = self._line.chance.randint(1, MOST)
        while self._next < len(oplog) and len(self._buffer) < most:
            entry = oplog[self._next]
            if entry.table is self._table and (self._kinds is None or entry.kind in self._kinds):
                change = {
                    "_id": {"_data": self._next},
                    "operationType": entry.kind,
                    "documentKey": {"_id": entry.document["_id"]},
                    "clusterTime": entry.time,
                    "fullDocument": dict(entry.document),
                }
                self._buffer.append((self._next, change))
            self._next += 1


def _kinds(pipeline: Sequence[Document]) -> set[str] | None:
    """Which operations the pipeline lets through; None: all."""
    kinds: set[str] | None = None
    for stage in pipeline:
        [(operator, what)] = stage.items()
        if operator == "$match" and set(what) == {"operationType"}:
            wanted = what["operationType"]
            kinds = {wanted} if isinstance(wanted, str) else set(wanted["$in"])
        elif operator != "$project":
            raise NotModelled(f"pipeline stage {stage}")
    return kinds
