"""Which questions MongoDB has answered by reading a whole collection: the database's own profiler says so, of all services alike."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import NamedTuple

from shared.mongo import Database, Document

NO_INDEX = {"planSummary": {"$regex": "COLLSCAN"}, "ns": {"$not": {"$regex": "\\.system\\."}}}
ALL_IDS = {
    "planSummary": "IXSCAN { _id: 1 }",
    "command.sort._id": {"$exists": True},
    "command.filter._id": {"$exists": False},
    "command.filter": {"$ne": {}},
}
"""From the first id to the last: as no index has what is asked for, or as there are hardly any documents, so that it is all the same."""


class Scan(NamedTuple):
    """A question that was answered so. `asked`: the command, or its filter."""

    collection: str
    asked: str


@asynccontextmanager
async def watched(database: Database) -> AsyncIterator[None]:
    """What the database does meanwhile is looked at."""
    await database.command({"profile": 1, "filter": {"$or": [NO_INDEX, ALL_IDS]}})
    try:
        yield
    finally:
        await database.command({"profile": 0, "filter": "unset"})


async def scans(database: Database, naming: Collection[str] = ()) -> list[Scan]:
    """All of them, each once. `naming`: only those in which one of these texts is asked for."""
    rows = [row async for row in database["system.profile"].find()]
    found = set()
    for row in rows:
        collection = row["ns"].partition(".")[2]
        named = not naming or any(text in str(row["command"]) for text in naming)
        if named and not await _has_index(database, collection, row):
            found.add(Scan(collection, _asked(row["command"])))
    return sorted(found)


async def _has_index(database: Database, collection: str, row: Document) -> bool:
    """Whether all ids were read though there is an index that begins with something that is asked for."""
    if "COLLSCAN" in row["planSummary"]:
        return False
    indexes = await database[collection].index_information()
    return not _fields(row["command"]["filter"]).isdisjoint(one["key"][0][0] for one in indexes.values())


def _fields(asked: object) -> set[str]:
    if isinstance(asked, list):
        return set().union(*map(_fields, asked))
    if not isinstance(asked, dict):
        return set()
    own = {name for name in asked if not name.startswith("$") and name != "_id"}
    return own.union(*map(_fields, asked.values()))


def _asked(command: dict[str, object]) -> str:
    """Without what is different each time."""
    told = command.get("filter", command.get("q", command.get("query", command.get("pipeline", {}))))
    return _shape(told)


def _shape(told: object) -> str:
    if isinstance(told, dict):
        return "{" + ", ".join(f"{name}: {_shape(one)}" for name, one in told.items()) + "}"
    if isinstance(told, list):
        return f"[{_shape(told[0])}]" if told else "[]"
    return "?"
