"""One record looked up among many that are kept in MongoDB, as the service does it: `python -m tests.bench.duplicates.kept RECORDS`,
figures as JSON. Starts a server of its own.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Iterator

import numpy as np

from services.contacts.domain.matching.proposals import Limits, unlearnt, weigh
from services.contacts.domain.matching.record import FIELDS, Record
from services.contacts.handlers.learning import Learning
from services.contacts.handlers.proposals import Kept
from services.contacts.store import MatchStore, ModelStore
from shared import mongo
from shared.clock import WallClock
from shared.settings import PlatformSettings
from tests import ladder
from tests.bench.duplicates.lookup import PER_HOUSEHOLD
from tests.contacts.matching.people import Record as Made, people

LOOKUPS = 2_000
PART = 50_000
"""Records that are made up at a time."""
PIECE = 1_000
NAMES = {
    "given name": "given",
    "family name": "family",
    "house number": "number",
    "date of birth": "birth",
    "e-mail": "email",
}


def record(made: Made) -> Record:
    fields = FIELDS["person"]
    values = tuple(one.value(made.get(NAMES.get(one.name, one.name), "")) for one in fields)
    said = dict(zip((one.name for one in fields), values, strict=True))
    place = (said["street"], said["house number"], said["postcode"], said["city"])
    phones, emails = (tuple(filter(None, (said[name],))) for name in ("phone", "e-mail"))
    return Record("person", values, phones, emails, places=(place,) if any(place) else ())


def pieces(records: int) -> Iterator[list[Kept]]:
    """In parts with seeds of their own, so that not all are made at once."""
    for part in range(max(1, records // PART)):
        made = people(round(min(records, PART) / PER_HOUSEHOLD), seed=100 + part).records
        for start in range(0, len(made), PIECE):
            chosen = enumerate(made[start : start + PIECE], start)
            yield [Kept(f"019b7a2c-5c00-7000-{part:04x}-{number:012x}", record(one)) for number, one in chosen]


async def measured(records: int, url: str) -> dict[str, float]:
    settings = PlatformSettings(kafka_bootstrap="", mongo_url=url, redis_url="")
    client = mongo.connect(settings)
    database = client[f"bench-{secrets.token_hex(4)}-rapport_contacts"]
    store = MatchStore(database)
    await store.prepare()
    kept = 0
    asked: list[Kept] = []
    put_seconds = 0.0
    for piece in pieces(records):
        began = time.perf_counter()
        await store.put(piece)
        put_seconds += time.perf_counter() - began
        kept += len(piece)
        asked += piece[:: max(1, records // LOOKUPS)]
    began = time.perf_counter()
    await Learning(ModelStore(database, store), WallClock(), "bench").learn_if_due()
    learning_seconds = time.perf_counter() - began
    seconds, found = [], 0
    for number, one in enumerate(asked):
        began = time.perf_counter()
        found += await matches(store, one)
        if number >= len(asked) // 20:  # the first fill caches
            seconds.append(time.perf_counter() - began)
    p50, p99, top = np.percentile(np.array(seconds) * 1e3, [50, 99, 100])
    size = await database.command({"collStats": store.records.name})
    await client.drop_database(database.name)
    await mongo.close(client)
    return {
        "records": kept, "lookups": len(seconds), "p50 ms": float(p50), "p99 ms": float(p99), "max ms": float(top),
        "us to put": put_seconds / kept * 1e6, "matches each": found / len(asked), "s to learn": learning_seconds,
        "bytes a record": size["storageSize"] / kept, "bytes of index a record": size["totalIndexSize"] / kept,
    }  # fmt: skip


async def matches(store: MatchStore, one: Kept) -> int:
    """What `Matching` does for a single record: who shares a key, their records, each weighed and the likely ones explained."""
    model = await store.model()
    [holders] = await store.holders([one.record])
    others = await store.kept([who for who in holders if who != one.customer])
    pairs = [(one.record, other.record) for other in others.values()]
    limits = Limits()
    knowledge = model.of_party.get("person") or unlearnt("person", 0)
    return sum(weighed.probability >= limits.least for weighed in weigh(knowledge, pairs, limits.least))


def main() -> None:
    with ladder.running(lambda _: None) as servers:
        print(json.dumps(asyncio.run(measured(int(sys.argv[1]), servers.mongo.url))))


if __name__ == "__main__":
    main()
