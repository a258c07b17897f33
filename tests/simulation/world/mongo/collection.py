"""A collection's operations, in a transaction or by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

from pymongo import DeleteOne, InsertOne, ReplaceOne, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from tests.simulation.world.modelled import Modelled, NotModelled
from tests.simulation.world.mongo.engine import Table, Transaction
from tests.simulation.world.mongo.queries import Document, matches, ordered, projected, seed_of, updated
from tests.simulation.world.mongo.stream import SimulatedStream

if TYPE_CHECKING:
    from tests.simulation.world.mongo.client import Line, SimulatedDatabase, SimulatedSession

T = TypeVar("T")
DUPLICATE_KEY = 11000
LOCK_WAIT = 0.004


class Locked(Exception):
    """A transaction holds the document: whoever writes without one waits for its end."""


class Scope:
    """Reads and writes of one table, in a transaction or, each write by itself, at once."""

    def __init__(self, line: Line, table: Table, transaction: Transaction | None) -> None:
        self._engine = line.engine
        self._table = table
        self._transaction = transaction

    @property
    def now(self) -> datetime:
        return self._engine.now

    @property
    def documents(self) -> dict[Any, Document]:
        return self._transaction.documents(self._table) if self._transaction else self._table.documents

    def found(self, wanted: Document) -> list[Document]:
        documents = self.documents
        key = wanted.get("_id")
        if key is not None and not isinstance(key, dict):
            candidates = [documents[key]] if key in documents else []
        elif isinstance(key, dict) and "$in" in key:
            # MongoDB gives no order; by key is as good as any, and the same in every run.
            candidates = [documents[k] for k in sorted(set(key["$in"])) if k in documents]
        else:
            candidates = list(documents.values())
        return self._matching(candidates, wanted) if wanted else candidates

    def _matching(self, candidates: list[Document], wanted: Document) -> list[Document]:
        now = self.now
        return [document for document in candidates if matches(document, wanted, now)]

    def write(self, kind: str, key: Any, document: Document | None) -> None:
        if self._transaction:
            self._transaction.write(self._table, kind, key, document)
            return
        if key in self._table.locks:
            raise Locked
        self._engine.apply(self._engine.tick(), self._table, kind, key, document)

    def insert(self, document: Document) -> None:
        if "_id" not in document:
            raise NotModelled("a document whose id the driver makes")
        key = document["_id"]
        if not self._transaction and key in self._table.locks:
            raise Locked
        if key in self.documents:
            raise DuplicateKeyError("duplicate key", DUPLICATE_KEY)
        self.write("insert", key, dict(document))

    def update(self, wanted: Document, change: Any, *, upsert: bool, many: bool = False) -> tuple[int, int]:
        """How many were found, and how many made."""
        found = self.found(wanted)
        if not found and upsert:
            self.insert(updated(seed_of(wanted), change, self.now, inserting=True))
            return 0, 1
        for document in found if many else found[:1]:
            self.write("update", document["_id"], updated(document, change, self.now, inserting=False))
        return len(found) if many else len(found[:1]), 0

    def replace(self, wanted: Document, document: Document, *, upsert: bool) -> tuple[int, int]:
        found = self.found(wanted)
        if found:
            self.write("replace", found[0]["_id"], {"_id": found[0]["_id"], **document})
            return 1, 0
        if upsert:
            self.insert({**seed_of(wanted), **document})
        return 0, int(upsert)

    def delete(self, wanted: Document, *, many: bool) -> int:
        found = self.found(wanted)
        for document in found if many else found[:1]:
            self.write("delete", document["_id"], None)
        return len(found) if many else len(found[:1])

    def one(self, write: Any) -> tuple[int, int, int]:
        """One write of a bulk: matched, inserted, upserted."""
        if isinstance(write, InsertOne):
            self.insert(write._doc)
            return 0, 1, 0
        if isinstance(write, UpdateOne):
            matched, made = self.update(dict(write._filter), write._doc, upsert=bool(write._upsert))
            return matched, 0, made
        if isinstance(write, ReplaceOne):
            matched, made = self.replace(dict(write._filter), dict(write._doc), upsert=bool(write._upsert))
            return matched, 0, made
        if isinstance(write, DeleteOne):
            self.delete(dict(write._filter), many=False)
            return 0, 0, 0
        raise NotModelled(f"bulk write {write}")


class SimulatedCursor(Modelled):
    """What `find` returns; it asks the server when it is read."""

    def __init__(self, read: Callable[[SimulatedCursor], Any]) -> None:
        self._read = read
        self.keys: list[tuple[str, int]] = []
        self.most: int | None = None

    def sort(self, key: str | list[tuple[str, int]], direction: int = 1) -> SimulatedCursor:
        self.keys = [(key, direction)] if isinstance(key, str) else key
        return self

    def limit(self, most: int) -> SimulatedCursor:
        self.most = most or None
        return self

    async def to_list(self, length: int | None = None) -> list[Document]:
        found: list[Document] = await self._read(self)
        return found[:length]

    async def __aiter__(self) -> AsyncIterator[Document]:
        for document in await self._read(self):
            yield document


class SimulatedCollection(Modelled):
    """The calls that stores make, as the driver's collections have them."""

    def __init__(self, line: Line, database: SimulatedDatabase, name: str) -> None:
        self.name = name
        self.database = database
        self._line = line
        self._database = database.name

    async def _do(self, session: Any, work: Callable[[Scope], T]) -> T:
        table = self._line.engine.table(self._database, self.name)
        line = self._line
        if session is not None:
            simulated: SimulatedSession = session
            return await simulated.work(self._database, lambda t: work(Scope(line, table, t)))
        while True:
            try:
                return await line.call(lambda: work(Scope(line, table, None)))
            except Locked:
                await line.loop.lag(LOCK_WAIT)

    # Reading

    def find(
        self, wanted: Document | None = None, projection: Document | None = None, *, session: Any = None
    ) -> SimulatedCursor:
        async def read(cursor: SimulatedCursor) -> list[Document]:
            def found(scope: Scope) -> list[Document]:
                documents = scope.found(wanted or {})
                documents = ordered(documents, cursor.keys) if cursor.keys else documents
                return [projected(document, projection) for document in documents[: cursor.most]]

            return await self._do(session, found)

        return SimulatedCursor(read)

    async def find_one(
        self,
        wanted: Document | None = None,
        projection: Document | None = None,
        *,
        sort: list[tuple[str, int]] | None = None,
        session: Any = None,
    ) -> Document | None:
        cursor = self.find(wanted, projection, session=session).sort(sort or []).limit(1)
        return next(iter(await cursor.to_list()), None)

    async def count_documents(self, wanted: Document, *, session: Any = None) -> int:
        return await self._do(session, lambda scope: len(scope.found(wanted)))

    def watch(
        self,
        pipeline: Sequence[Document],
        *,
        resume_after: Any = None,
        start_at_operation_time: Any = None,
        max_await_time_ms: int = 1000,
    ) -> Any:
        table = self._line.engine.table(self._database, self.name)
        stream = SimulatedStream(self._line, table, pipeline, max_await_time_ms / 1000)
        return stream.opened(resume_after, start_at_operation_time)

    # Writing

    async def insert_one(self, document: Document, *, session: Any = None) -> None:
        await self._do(session, lambda scope: scope.insert(document))

    async def insert_many(self, documents: Iterable[Document], *, ordered: bool = True, session: Any = None) -> None:
        await self.bulk_write([InsertOne(document) for document in documents], ordered=ordered, session=session)

    async def update_one(
        self, wanted: Document, change: Any, *, upsert: bool = False, session: Any = None
    ) -> SimpleNamespace:
        matched, made = await self._do(session, lambda scope: scope.update(wanted, change, upsert=upsert))
        return SimpleNamespace(matched_count=matched, modified_count=matched, upserted_count=made)

    async def update_many(self, wanted: Document, change: Any, *, session: Any = None) -> SimpleNamespace:
        matched, _ = await self._do(session, lambda scope: scope.update(wanted, change, upsert=False, many=True))
        return SimpleNamespace(matched_count=matched, modified_count=matched)

    async def replace_one(
        self, wanted: Document, document: Document, *, upsert: bool = False, session: Any = None
    ) -> SimpleNamespace:
        matched, made = await self._do(session, lambda scope: scope.replace(wanted, dict(document), upsert=upsert))
        return SimpleNamespace(matched_count=matched, upserted_count=made)

    async def delete_one(self, wanted: Document, *, session: Any = None) -> SimpleNamespace:
        return SimpleNamespace(deleted_count=await self._do(session, lambda scope: scope.delete(wanted, many=False)))

    async def delete_many(self, wanted: Document, *, session: Any = None) -> SimpleNamespace:
        return SimpleNamespace(deleted_count=await self._do(session, lambda scope: scope.delete(wanted, many=True)))

    async def find_one_and_update(
        self,
        wanted: Document,
        change: Any,
        *,
        upsert: bool = False,
        return_document: bool = ReturnDocument.BEFORE,
        session: Any = None,
    ) -> Document | None:
        if upsert:
            raise NotModelled("find_one_and_update of what is not there")

        def change_one(scope: Scope) -> Document | None:
            found = scope.found(wanted)[:1]
            scope.update(wanted, change, upsert=False)
            if found and return_document is ReturnDocument.AFTER:
                found = [scope.documents[found[0]["_id"]]]
            return dict(found[0]) if found else None

        return await self._do(session, change_one)

    async def bulk_write(self, writes: Sequence[Any], *, ordered: bool = True, session: Any = None) -> SimpleNamespace:
        def write_all(scope: Scope) -> SimpleNamespace:
            counts = [0, 0, 0]
            for write in writes:
                try:
                    done = scope.one(write)
                except DuplicateKeyError as error:
                    raise BulkWriteError({"writeErrors": [{"code": error.code}]}) from None
                counts = [total + more for total, more in zip(counts, done, strict=True)]
            return SimpleNamespace(matched_count=counts[0], inserted_count=counts[1], upserted_count=counts[2])

        if session is None and len(writes) > 1:
            raise NotModelled("a bulk of several writes outside of a transaction")
        return await self._do(session, write_all)

    async def create_index(self, *_: Any, **__: Any) -> None:
        await self._line.call(lambda: self._line.engine.table(self._database, self.name))

    async def create_indexes(self, *_: Any) -> None:
        await self.create_index()
