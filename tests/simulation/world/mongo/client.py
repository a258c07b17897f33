"""The driver's side: what a client, a session and a database do, with the answers that get lost on the way."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar, cast

from pymongo import UpdateOne
from pymongo.errors import AutoReconnect, InvalidOperation, NotPrimaryError, PyMongoError

from shared.mongo import Client, Database
from tests.simulation.world.loop import Loop
from tests.simulation.world.modelled import Modelled, NotModelled
from tests.simulation.world.mongo.collection import SimulatedCollection, SimulatedCursor
from tests.simulation.world.mongo.engine import Engine, Transaction
from tests.simulation.world.mongo.queries import Document, ordered
from tests.simulation.world.weather import Weather

T = TypeVar("T")
LAG = (0.0005, 0.006)
SLOW, SLOWER = 0.03, 40.0
"""A few calls take so many times as long, so that others get in between."""


def labelled(error: PyMongoError, label: str) -> PyMongoError:
    error._add_error_label(label)
    return error


@dataclass
class Line:
    """The way from a client to the server: every call goes through here, takes its time and may fail."""

    engine: Engine
    chance: random.Random
    weather: Weather

    @property
    def loop(self) -> Loop:
        return self.engine.loop

    async def travel(self) -> None:
        lag = self.chance.uniform(*LAG)
        await self.loop.lag(lag * SLOWER if self.chance.random() < SLOW else lag)
        if self.loop.now < self.engine.away_until:
            raise NotPrimaryError("there is no primary")

    async def call(self, work: Callable[[], T]) -> T:
        """An operation outside of transactions; it may have been done although it seems to have failed."""
        await self.travel()
        if self.weather.strikes("mongo.lost-before"):
            raise AutoReconnect("the connection was lost")
        answer = work()
        if self.weather.strikes("mongo.lost-after"):
            raise AutoReconnect("the connection was lost")
        return answer


class SimulatedSession(Modelled):
    """A session as the drivers keep it: its states are theirs, also after a commit of unknown outcome."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._state = "none"
        self._transaction: Transaction | None = None
        self._id = line.chance.randbytes(16)
        self._number = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.in_transaction:
            await self.abort_transaction()

    @property
    def in_transaction(self) -> bool:
        return self._state in {"starting", "in progress"}

    async def start_transaction(self, **_: Any) -> None:
        if self.in_transaction:
            raise InvalidOperation("Transaction already in progress")
        self._state, self._transaction = "starting", None
        self._number += 1

    async def work(self, database: str, work: Callable[[Transaction], T]) -> T:
        """One operation in the transaction."""
        if not self.in_transaction:
            raise InvalidOperation("no transaction is in progress")
        self._state = "in progress"
        try:
            await self._line.travel()
        except PyMongoError as error:
            raise labelled(error, "TransientTransactionError") from None
        if self._transaction is None:
            self._transaction = self._line.engine.begin(database, self._id, self._number)
        if self._line.weather.strikes("mongo.transaction-aborted"):
            self._transaction.abort()
            raise labelled(AutoReconnect("the connection was lost"), "TransientTransactionError")
        try:
            return work(self._transaction)
        except Exception:
            self._transaction.abort()  # the server ends a transaction at its first error
            raise

    async def abort_transaction(self) -> None:
        if not self.in_transaction:
            raise InvalidOperation("there is no transaction to abort")
        self._state = "aborted"
        if self._transaction is not None:
            # The drivers ignore it if this fails; then the server ends the transaction after its time.
            if not self._line.weather.strikes("mongo.lost-before"):
                self._transaction.abort()
            await self._line.loop.lag(LAG[0])

    async def commit_transaction(self) -> None:
        if self._state in {"none", "aborted"}:
            raise InvalidOperation("there is no transaction to commit")
        if self._state == "starting":
            self._state = "committed empty"
        if self._state == "committed empty":
            return
        self._state = "in progress"
        try:
            await self._commit()
        finally:
            self._state = "committed"

    async def _commit(self) -> None:
        weather, transaction = self._line.weather, self._transaction
        try:
            await self._line.travel()
        except PyMongoError as error:
            raise labelled(error, "UnknownTransactionCommitResult") from None
        if weather.strikes("mongo.commit-unknown-not-done"):
            raise labelled(AutoReconnect("the connection was lost"), "UnknownTransactionCommitResult")
        if transaction is not None:
            transaction.commit()
        if weather.strikes("mongo.commit-unknown-done"):
            raise labelled(AutoReconnect("the connection was lost"), "UnknownTransactionCommitResult")


class SimulatedDatabase(Modelled):
    """A database of the server."""

    def __init__(self, line: Line, name: str) -> None:
        self.name = name
        self._line = line
        self._collections: dict[str, SimulatedCollection] = {}

    def __getitem__(self, name: str) -> SimulatedCollection:
        if name not in self._collections:
            self._collections[name] = SimulatedCollection(self._line, self, name)
        return self._collections[name]

    def with_options(self, **_: Any) -> SimulatedDatabase:
        return self

    async def list_collection_names(self) -> list[str]:
        return await self._line.call(lambda: list(self._line.engine.databases.get(self.name, {})))

    async def create_collection(self, name: str) -> None:
        await self._line.call(lambda: self._line.engine.table(self.name, name))

    async def command(self, command: Any, *, session: Any = None) -> Document:
        if "update" in command:
            writes = [as_write(update) for update in command["updates"]]
            result = await self[command["update"]].bulk_write(writes, ordered=command["ordered"], session=session)
            return {"ok": 1.0, "n": result.matched_count + result.upserted_count}
        if session is not None:
            raise NotModelled(f"command {command} in a transaction")
        if isinstance(command, str):
            return await self._line.call(lambda: {"ok": 1.0, "operationTime": self._line.engine.last})
        if set(command) != {"find", "sort", "limit", "singleBatch", "readConcern"}:
            raise NotModelled(f"command {command}")
        return await self._line.call(lambda: self._find(command))

    def _find(self, command: Document) -> Document:
        engine = self._line.engine
        found = ordered(engine.table(self.name, command["find"]).documents.values(), list(command["sort"].items()))
        first = [dict(document) for document in found[: command["limit"]]]
        return {"cursor": {"firstBatch": first, "atClusterTime": engine.last}}


def as_write(update: Document) -> UpdateOne:
    """A write of the `update` command, as `bulk_write` takes it."""
    if set(update) - {"q", "u", "upsert"}:
        raise NotModelled(f"update {update}")
    return UpdateOne(update["q"], update["u"], upsert=update.get("upsert", False))


class SimulatedAdmin(Modelled):
    """The database of the server itself: who is at work, and how to end it."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def aggregate(self, pipeline: Sequence[Document]) -> SimulatedCursor:
        if [set(stage) for stage in pipeline] != [{"$currentOp"}, {"$match"}]:
            raise NotModelled(f"pipeline {pipeline}")

        async def read(_: SimulatedCursor) -> list[Document]:
            return await self._line.call(self._line.engine.open_transactions)

        return SimulatedCursor(read)

    async def command(self, command: Document) -> None:
        if set(command) != {"killSessions"}:
            raise NotModelled(f"command {command}")
        ids = [session["id"] for session in command["killSessions"]]
        await self._line.call(lambda: self._line.engine.kill_sessions(ids))


class SimulatedClient(Modelled):
    """One process's client."""

    def __init__(self, engine: Engine, chance: random.Random, weather: Weather) -> None:
        self._line = Line(engine, chance, weather)

    @property
    def admin(self) -> SimulatedAdmin:
        return SimulatedAdmin(self._line)

    def start_session(self) -> SimulatedSession:
        return SimulatedSession(self._line)

    def database(self, name: str) -> Database:
        return cast("Database", SimulatedDatabase(self._line, name))

    @property
    def client(self) -> Client:
        return cast("Client", self)
