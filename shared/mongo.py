"""MongoDB: the client, and the three calls in which PyMongo's asyncio API and Motor differ.

Stores use a collection's `find`, `insert_many`, `bulk_write` and so on directly, which are the same in both.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar, cast

from pymongo import AsyncMongoClient, ReadPreference, WriteConcern
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    CollectionInvalid,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern

from shared import mongo_waits
from shared.orphans import APPLICATION, Orphans
from shared.settings import PlatformSettings

T = TypeVar("T")
Document = dict[str, Any]
Client = AsyncMongoClient[Document]
Database = AsyncDatabase[Document]
Collection = AsyncCollection[Document]
Session = AsyncClientSession

MAJORITY = WriteConcern("majority")
SNAPSHOT = ReadConcern("snapshot")
NAMESPACE_EXISTS = 48
WRITE_CONFLICT = 112
PASSING = {
    43: "CursorNotFound",
    50: "MaxTimeMSExpired",
    WRITE_CONFLICT: "WriteConflict",
    134: "ReadConcernMajorityNotAvailableYet",
    237: "CursorKilled",
    246: "SnapshotUnavailable",
    251: "NoSuchTransaction",
    262: "ExceededTimeLimit",
    290: "TransactionExceededLifetimeLimitSeconds",
    11601: "Interrupted",
    14031: "OutOfDiskSpace",
}
"""Refusals that say something about the server's moment, not about what was asked; it does not label all of them so."""
SOCKET_TIMEOUT_MS = 40_000
"""An answer that takes longer will not come: the connection leads to nobody, after a node's death or a cut line. Without a
bound, which is the drivers' way, whoever waits for it waits for ever. No question of ours may take as long.
"""
IDLE_MS = 10_000
"""A connection that nobody has used for so long is made anew: it may have ended while this process was asleep."""
TRANSACTION_SECONDS = 15.0
"""So long a transaction is tried again before its caller hears of it. The drivers' own two minutes would let an HTTP
request wait for all of them, and make a consumer whose database is away look stuck.
"""


def connect(settings: PlatformSettings) -> Client:
    """A client of the configured driver; it connects on first use. Must be made and used in one event loop."""
    options: dict[str, Any] = {
        "tz_aware": True,
        "w": "majority",
        "retryWrites": True,
        "serverSelectionTimeoutMS": 10_000,
        "socketTimeoutMS": SOCKET_TIMEOUT_MS,
        "maxIdleTimeMS": IDLE_MS,
        "appname": f"{APPLICATION}{settings.instance}"[:128],
    }
    if settings.mongo_driver == "motor":
        from motor.motor_asyncio import AsyncIOMotorClient

        return cast("Client", AsyncIOMotorClient(settings.mongo_url, **options))
    mongo_waits.mend()
    return AsyncMongoClient(settings.mongo_url, **options)


async def close(client: Client) -> None:
    await _settle(client.close())


async def transaction(client: Client, change: Callable[[Session], Awaitable[T]]) -> T:
    """Run `change` in a majority transaction over a snapshot; it is called again if the server asks for a retry."""
    deadline = time.monotonic() + TRANSACTION_SECONDS
    orphans = Orphans(_Server(client))
    async with await _settle(client.start_session()) as session:
        for attempt in itertools.count(1):
            try:
                return await _attempt(session, change, deadline)
            except PyMongoError as error:
                if not error.has_error_label("TransientTransactionError") or time.monotonic() > deadline:
                    raise
                if isinstance(error, OperationFailure) and error.code == WRITE_CONFLICT:
                    await orphans.conflict()
            # Random, so that two in conflict do not meet again.
            await asyncio.sleep(random.uniform(0.002, 0.02) * min(attempt, 10))  # noqa: S311
    raise AssertionError("unreachable: counting never ends")


async def _attempt(session: Session, change: Callable[[Session], Awaitable[T]], deadline: float) -> T:
    await _settle(
        session.start_transaction(read_concern=SNAPSHOT, write_concern=MAJORITY, read_preference=ReadPreference.PRIMARY)
    )
    try:
        result = await change(session)
    except BaseException:
        if session.in_transaction:
            await session.abort_transaction()
        raise
    await _commit(session, deadline)
    return result


async def _commit(session: Session, deadline: float) -> None:
    """A commit whose outcome is unknown may be sent again; it counts once."""
    while True:
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            unknown = error.has_error_label("UnknownTransactionCommitResult") and not isinstance(
                error, ExecutionTimeout
            )
            if not unknown or time.monotonic() > deadline:
                raise
        else:
            return


async def ensure_collections(database: Database, names: Iterable[str]) -> None:
    """Create those that are missing. Another instance that starts at the same moment may be doing so too."""
    existing = await database.list_collection_names()
    for name in names:
        if name in existing:
            continue
        try:
            await database.create_collection(name)
        except CollectionInvalid:
            continue
        except OperationFailure as error:
            if error.code != NAMESPACE_EXISTS:
                raise


class _Server:
    """The server, as `Orphans` sees it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def open_transactions(self) -> list[Document]:
        everything: Document = {"$currentOp": {"idleSessions": True, "idleConnections": False}}
        cursor = await _settle(self._client.admin.aggregate([everything, {"$match": {"type": "idleSession"}}]))
        return cast("list[Document]", await cursor.to_list(None))

    async def end_sessions(self, ids: list[Any]) -> None:
        await self._client.admin.command({"killSessions": [{"id": id_} for id_ in ids]})


def lapsed(until: str, milliseconds: int) -> Document:
    """Whether a lease of this length is over, as an aggregation expression by the server's clock.

    One that ends further away than a lease lasts was taken while that clock was ahead, and would bind until then.
    """
    never = {"$add": ["$$NOW", 2 * milliseconds]}
    return {"$or": [{"$lt": [until, "$$NOW"]}, {"$gt": [until, never]}]}


async def aggregate(collection: Collection, pipeline: list[Document], session: Session | None = None) -> list[Document]:
    """All documents of a pipeline."""
    cursor = await _settle(collection.aggregate(pipeline, session=session))
    return cast("list[Document]", await cursor.to_list(None))


async def watch(what: Collection | Database, pipeline: list[Document], **options: Any) -> AsyncChangeStream[Document]:
    """A change stream of a collection or of a whole database, to be closed by the caller."""
    return cast("AsyncChangeStream[Document]", await _settle(what.watch(pipeline, **options)))


async def _settle(value: Any) -> Any:
    """One driver returns the thing, the other a promise of it."""
    return await value if inspect.isawaitable(value) else value


def transient(error: BaseException) -> bool:
    """Whether the same call may succeed later: the server is away, busy, or another transaction was first."""
    if isinstance(error, ConnectionFailure | ExecutionTimeout | WTimeoutError):
        return True
    if isinstance(error, OperationFailure) and error.code in PASSING:
        return True
    return isinstance(error, PyMongoError) and (
        error.has_error_label("TransientTransactionError")
        or error.has_error_label("UnknownTransactionCommitResult")
        or error.has_error_label("RetryableWriteError")
    )
