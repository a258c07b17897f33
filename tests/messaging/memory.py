"""Just enough of MongoDB in memory for the core: collections, and transactions that can fail before or after commit."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from types import SimpleNamespace
from typing import Any, Self, cast

from pymongo import InsertOne
from pymongo.errors import AutoReconnect, BulkWriteError

from shared.mongo import Client, Database, Document, Session

DUPLICATE_KEY = 11000


class MemoryCollection:
    """Documents by `_id`; a stored document is replaced, never changed."""

    def __init__(self) -> None:
        self.documents: dict[Any, Document] = {}

    async def find(self, query: Document, *_: Any, **__: Any) -> AsyncIterator[Document]:
        wanted = query["_id"]["$in"] if query else list(self.documents)
        for key in wanted:
            if key in self.documents:
                yield self.documents[key]

    async def insert_many(self, documents: Iterable[Document], **_: Any) -> None:
        for document in documents:
            self._insert(document)

    async def update_one(self, query: Document, update: Document, **_: Any) -> SimpleNamespace:
        return SimpleNamespace(matched_count=self._update(query, update))

    async def bulk_write(self, writes: Sequence[Any], **_: Any) -> SimpleNamespace:
        matched = inserted = 0
        for write in writes:
            if isinstance(write, InsertOne):
                self._insert(write._doc)
                inserted += 1
            else:
                matched += self._update(write._filter, write._doc)
        return SimpleNamespace(matched_count=matched, inserted_count=inserted)

    def _insert(self, document: Document) -> None:
        if document["_id"] in self.documents:
            raise BulkWriteError({"writeErrors": [{"code": DUPLICATE_KEY}]})
        self.documents[document["_id"]] = document

    def _update(self, query: Document, update: Document) -> int:
        found = self.documents.get(query["_id"])
        if found is None or any(found[name] != value for name, value in query.items()):
            return 0
        self.documents[query["_id"]] = found | update["$set"]
        return 1


class MemorySession:
    """One transaction at a time, as in a test that does one thing after another."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.in_transaction = False
        self._before: dict[str, dict[Any, Document]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is held open."""

    async def start_transaction(self, **_: Any) -> None:
        self._before = {name: dict(c.documents) for name, c in self._memory.collections.items()}
        self.in_transaction = True

    async def abort_transaction(self) -> None:
        self.in_transaction = False
        for name, collection in self._memory.collections.items():
            collection.documents = self._before.get(name, {})

    async def commit_transaction(self) -> None:
        fault = self._memory.faults.popleft() if self._memory.faults else None
        if fault == "before":
            await self.abort_transaction()
        self.in_transaction = False
        if fault is not None:
            raise AutoReconnect("the database has gone away")


class Memory:
    """The database and its client. `faults` says how the next commits end: "before", "after" or None for well."""

    def __init__(self) -> None:
        self.collections: dict[str, MemoryCollection] = {}
        self.faults: deque[str | None] = deque()

    def __getitem__(self, name: str) -> MemoryCollection:
        return self.collections.setdefault(name, MemoryCollection())

    def start_session(self) -> MemorySession:
        return MemorySession(self)

    @property
    def client(self) -> Client:
        return cast("Client", self)

    @property
    def database(self) -> Database:
        return cast("Database", self)

    def documents(self, name: str) -> dict[Any, Document]:
        return self[name].documents

    def told(self) -> list[Any]:
        """All events in the outbox, in the order in which they were written."""
        return [event for document in self.documents("outbox").values() for event in document["events"]]


SESSION = cast("Session", None)
"""Where a collection in memory wants none."""
