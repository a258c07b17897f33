"""What MongoDB holds, and for which collections and indexes it has to fetch pages: what does not fit its cache grows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from deploy.local.routes import SERVICES
from tests.bench.growth.platform import Platform

READ = "pages read into cache"
TOLD = 5


async def read(platform: Platform) -> int:
    """Pages that were ever fetched."""
    status = await platform.mongo.admin.command("serverStatus")
    return int(status["wiredTiger"]["cache"][READ])


async def held_mb(platform: Platform) -> dict[str, float]:
    """Uncompressed documents, and indexes, of all services; and the cache that they are to fit into."""
    told = [await platform.database(service).command("dbStats", scale=1_048_576) for service in SERVICES]
    status = await platform.mongo.admin.command("serverStatus")
    return {
        "documents": sum(float(one["dataSize"]) for one in told),
        "indexes": sum(float(one["indexSize"]) for one in told),
        "cache": float(status["wiredTiger"]["cache"]["maximum bytes configured"]) / 1_048_576,
    }


async def by_place(platform: Platform) -> Counter[str]:
    """The same by collection and index."""
    found: Counter[str] = Counter()
    for service in SERVICES:
        database = platform.database(service)
        for name in await database.list_collection_names():
            stats = await database.command("collStats", name, indexDetails=True)
            found |= of_collection(f"{service}.{name}", stats)
    return found


def of_collection(name: str, stats: Mapping[str, Any]) -> Counter[str]:
    indexes = stats.get("indexDetails", {})
    found = {f"{name} by {index}": int(details["cache"][READ]) for index, details in indexes.items()}
    return Counter({name: int(stats["wiredTiger"]["cache"][READ]), **found})


def most(before: Counter[str], after: Counter[str], events: int) -> dict[str, float]:
    """Pages an event, where there are most."""
    return {name: round(count / events, 2) for name, count in (after - before).most_common(TOLD)}
