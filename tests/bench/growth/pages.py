"""Which collections and indexes MongoDB has to fetch pages for: what does not fit into its cache is what grows."""

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
