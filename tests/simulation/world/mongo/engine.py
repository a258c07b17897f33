"""The server's side: documents, transactions over snapshots, the oplog. Nothing here waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bson import Timestamp
from pymongo.errors import OperationFailure

from tests.simulation.world.clock import EPOCH, wall
from tests.simulation.world.loop import Loop, settle
from tests.simulation.world.mongo.queries import Document

WRITE_CONFLICT = 112
NO_SUCH_TRANSACTION = 251
HISTORY_LOST = 286
LIFETIME_SECONDS = 5.0
"""After which the server ends a transaction, as `rapport up` sets it."""
TRANSIENT = {"errorLabels": ["TransientTransactionError"]}


class Table:
    """A collection. A stored document is replaced, never changed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.documents: dict[Any, Document] = {}
        self.locks: dict[Any, Transaction] = {}
        self.watchers: list[asyncio.Future[None]] = []


@dataclass(slots=True)
class Entry:
    """One change in the oplog. All changes of a transaction have one time."""

    time: Timestamp
    table: Table
    kind: str
    document: Document


class Transaction:
    """One transaction of one session. Its snapshot is taken with its first operation."""

    def __init__(self, engine: Engine, tables: dict[str, Table], session: bytes, number: int) -> None:
        self.session = session
        self.number = number
        self.began = engine.now
        self.worked = 0
        self.ended = False
        self.committed = False
        self._engine = engine
        self._view = {table: table.documents.copy() for table in tables.values()}
        self._locked: list[tuple[Table, Any]] = []
        self._writes: list[tuple[Table, str, Any, Document | None]] = []
        engine.loop.outside_at(engine.loop.now + LIFETIME_SECONDS, self.abort)

    def documents(self, table: Table) -> dict[Any, Document]:
        if self.ended:
            raise OperationFailure("the transaction has been aborted", NO_SUCH_TRANSACTION, TRANSIENT)
        self.worked += 1
        return self._view.setdefault(table, {})

    def write(self, table: Table, kind: str, key: Any, document: Document | None) -> None:
        mine = self.documents(table)
        if table.locks.get(key) is not self:
            if key in table.locks or table.documents.get(key) is not mine.get(key):
                self.abort()
                raise OperationFailure("write conflict", WRITE_CONFLICT, TRANSIENT)
            table.locks[key] = self
            self._locked.append((table, key))
        if document is None:
            mine.pop(key, None)
        else:
            mine[key] = document
        self._writes.append((table, kind, key, document))

    def commit(self) -> None:
        if self.committed:
            return
        if self.ended:
            raise OperationFailure("the transaction has been aborted", NO_SUCH_TRANSACTION, TRANSIENT)
        self.committed = True
        self._release()
        time = self._engine.tick()
        for table, kind, key, document in self._writes:
            self._engine.apply(time, table, kind, key, document)

    def abort(self) -> None:
        if not self.ended:
            self._release()

    def _release(self) -> None:
        self.ended = True
        for table, key in self._locked:
            del table.locks[key]
        self._locked.clear()


@dataclass
class Engine:
    """One replica set with its databases. All of it is majority-committed at once."""

    loop: Loop
    databases: dict[str, dict[str, Table]] = field(default_factory=dict)
    oplog: list[Entry] = field(default_factory=list)
    forgotten: int = 0
    """So many of the oplog's first entries are gone."""
    away_until: float = 0.0
    elections: int = 0
    open: list[Transaction] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.last = Timestamp(int(EPOCH.timestamp()), 1)

    @property
    def now(self) -> datetime:
        """The server's clock."""
        return wall(self.loop)

    def table(self, database: str, name: str) -> Table:
        tables = self.databases.setdefault(database, {})
        if name not in tables:
            tables[name] = Table(name)
        return tables[name]

    def begin(self, database: str, session: bytes, number: int) -> Transaction:
        transaction = Transaction(self, self.databases.setdefault(database, {}), session, number)
        self.open = [*(one for one in self.open if not one.ended), transaction]
        return transaction

    def tick(self) -> Timestamp:
        """The time of the next write."""
        second = int(self.now.timestamp())
        same = second <= self.last.time
        self.last = Timestamp(self.last.time, self.last.inc + 1) if same else Timestamp(second, 1)
        return self.last

    def apply(self, time: Timestamp, table: Table, kind: str, key: Any, document: Document | None) -> None:
        if document is None:
            table.documents.pop(key, None)
        else:
            table.documents[key] = document
        self.oplog.append(Entry(time, table, kind, document or {"_id": key}))
        watchers, table.watchers = table.watchers, []
        for watcher in watchers:
            settle(watcher)

    def place_of(self, start: Timestamp) -> int:
        """Where in the oplog everything from a time on begins. Raises if it no longer reaches back so far."""
        place = len(self.oplog)
        while place > 0 and self.oplog[place - 1].time >= start:
            place -= 1
        self.check_place(place)
        return place

    def check_place(self, place: int) -> None:
        if place < self.forgotten:
            raise OperationFailure("the oplog does not reach back", HISTORY_LOST)

    def open_transactions(self) -> list[Document]:
        """Of `$currentOp`, what is looked at."""
        return [
            {
                "type": "idleSession",
                "appName": "rapport-simulated",
                "lsid": {"id": one.session},
                "transaction": {
                    "parameters": {"txnNumber": one.number},
                    "startWallClockTime": one.began.isoformat(),
                    "timeActiveMicros": one.worked,
                },
            }
            for one in self.open
            if not one.ended
        ]

    def kill_sessions(self, ids: Sequence[bytes]) -> None:
        for one in self.open:
            if one.session in ids:
                one.abort()

    # Faults

    def elect(self, seconds: float) -> None:
        """The primary is gone, and with it all open transactions; there is another one some seconds later."""
        self.away_until = self.loop.now + seconds
        self.elections += 1
        for transaction in self.open:
            transaction.abort()

    def forget(self) -> None:
        """The oplog is full, and begins anew."""
        self.forgotten = len(self.oplog)
