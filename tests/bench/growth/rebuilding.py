"""Makes a projection anew from the log, as an operator would, and holds it against what it was.

Steps for a service whose database is lost or wrong, while the others go on:
1. stop all of its instances;
2. delete the collections that follow from the log (`FOLLOWS`), and the group's documents in `offsets`; what was decided
   over HTTP (campaigns, segments, channels, keys) follows from no log and must stay, or come from a backup;
3. put the Kafka group's offsets back to the beginning (`kafka-consumer-groups.sh --reset-offsets --to-earliest`): the
   guarded offsets alone would do, but only once a new record of each partition has shown that there is a gap;
4. start it; for sync, ask for a replay of each channel, because positions begin anew and cursors point beyond them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson

from deploy.local import hearing, rebuilding
from tests.bench.growth.measuring import Wrong
from tests.bench.growth.platform import Platform
from tests.bench.growth.quiet import LISTENS, LOOK_SECONDS, NeverQuiet, Watch

FOLLOWS = {
    "campaigns": rebuilding.PROJECTIONS["campaigns"].collections,
    "sync": ("views", "positions", "parts", "links"),
    "scoring": rebuilding.PROJECTIONS["scoring"].collections,
}
"""Services whose state follows from the log, as long as it has all of it, and the collections that do. Scoring comes last:
it tells every score anew, and the other two hear of it."""
Contents = dict[str, Any]


@dataclass(frozen=True)
class Rebuilt:
    """What it took."""

    service: str
    records: int
    ready_seconds: float
    """From the start until the service answered."""
    seconds: float
    """From the start until all records had had their effect and all of it was told."""
    cpu: dict[str, float]
    """Seconds of the service, its start included, and of MongoDB."""


async def rebuild(platform: Platform, watch: Watch, service: str, within: float) -> Rebuilt:
    """Raises Wrong if the projection is not what it was."""
    before = await SEEN[service](platform)
    await platform.stop(service)
    await forget(platform, watch, service)
    spent = platform.spent().get("mongo", 0.0)
    began = time.monotonic()
    await platform.start()
    await caught_up(watch, service, within)
    seconds = time.monotonic() - began
    now = platform.spent()
    cpu = {service: now[service], "mongo": now.get("mongo", 0.0) - spent}
    records = await log_of(watch, service)
    if service == "sync":
        for channel in (await platform.get("/v1/channels"))["items"]:
            await platform.post(f"/v1/channels/{channel['channel_id']}/replay", {"all": True})
    await watch.quiet(within)
    if (after := await SEEN[service](platform)) != before:
        raise Wrong(f"{service} was rebuilt otherwise than it was: {difference(before, after)}")
    return Rebuilt(service, records, platform.became_ready[service], seconds, cpu)


async def forget(platform: Platform, watch: Watch, service: str) -> None:
    """From the log, which is young enough to have it all; `rapport rebuild` reads databases. Here the service runs as a process of its own, so that it can be measured."""
    for group, topics in LISTENS[service].items():
        names = {platform.namespace + topic for topic in topics}
        partitions = [one for one in watch.partitions if one.topic in names]
        async with hearing.reader(platform.bootstrap, platform.namespace + group) as consumer:
            begin = dict.fromkeys(partitions, 0)
            await rebuilding.forget(platform.database(service), group, FOLLOWS[service], consumer, begin)


async def caught_up(watch: Watch, service: str, within: float) -> None:
    """Until the service has consumed its log and told what follows, whatever the others have still to do."""
    deadline = time.monotonic() + within
    mine = (f"{service}'s records", f"{service}'s outbox")
    while left := {place: count for place, count in (await watch.left()).items() if place in mine}:
        if time.monotonic() > deadline:
            raise NeverQuiet(f"after {within:.0f} s {service} still has to do: {left}")
        await asyncio.sleep(LOOK_SECONDS)


async def log_of(watch: Watch, service: str) -> int:
    """Records in the topics that the service listens to."""
    wanted = {topic for topics in LISTENS[service].values() for topic in topics}
    return sum(end for (topic, _), end in (await watch.ends()).items() if topic in wanted)


async def views(platform: Platform) -> Contents:
    """But for versions and their times, which say how the facts came in batches, and scores, which time changes."""
    found = {}
    async for document in platform.database("sync")["views"].find({}, {"view": 1, "identifiers": 1}):
        view = orjson.loads(document["view"])
        kept = {name: value for name, value in view.items() if name not in {"version", "changed_at", "score"}}
        found[document["_id"]] = (kept, document["identifiers"])
    return found


async def profiles(platform: Platform) -> Contents:
    database = platform.database("campaigns")
    wanted = {"contact": 1, "sales": 1, "interactions": 1}
    found = {document["_id"]: document async for document in database["profiles"].find({}, wanted)}
    return found | {document["_id"]: document async for document in database["orders"].find({})}


async def purchases(platform: Platform) -> Contents:
    found = platform.database("scoring")["customers"].find({}, {"days": 1})
    return {document["_id"]: document["days"] async for document in found}


SEEN: dict[str, Callable[[Platform], Awaitable[Contents]]] = {
    "campaigns": profiles,
    "sync": views,
    "scoring": purchases,
}


def difference(before: Contents, after: Contents) -> str:
    """The first customer about whom they disagree."""
    if before.keys() != after.keys():
        return f"{len(before)} documents before, {len(after)} after"
    first = next(name for name, document in before.items() if after[name] != document)
    return f"{first}: {str(before[first])[:500]} became {str(after[first])[:500]}"
