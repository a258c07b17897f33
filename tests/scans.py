"""Which questions MongoDB has answered by reading a whole collection: the database's own profiler says so, of all services alike."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import NamedTuple

from shared.mongo import Database

NO_INDEX = {"planSummary": {"$regex": "COLLSCAN"}, "ns": {"$not": {"$regex": "\\.system\\."}}}
ALL_IDS = {
    "planSummary": "IXSCAN { _id: 1 }",
    "command.sort._id": {"$exists": True},
    "command.filter._id": {"$exists": False},
    "command.filter": {"$ne": {}},
}
"""From the first id to the last, as no index has what was asked for."""


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
    found = [row async for row in database["system.profile"].find({}, {"ns": 1, "command": 1})]
    rows = [row for row in found if not naming or any(text in str(row["command"]) for text in naming)]
    return sorted({Scan(row["ns"].partition(".")[2], _asked(row["command"])) for row in rows})


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
