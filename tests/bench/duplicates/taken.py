"""Newcomers taken by `Matching`, piece by piece as the service does it, among many records in MongoDB:
`python -m tests.bench.duplicates.taken RECORDS`, figures as JSON. Starts a server of its own.

They are taken twice: as they come, and again, as after something was learnt.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from services.contacts.handlers import Changes
from services.contacts.handlers.following import PIECE
from services.contacts.handlers.learning import Learning
from services.contacts.handlers.matching import Matching
from services.contacts.handlers.proposals import Kept
from services.contacts.handlers.weighing import Sure
from services.contacts.store import MatchStore, ModelStore, MongoStore
from shared import mongo
from shared.clock import WallClock
from shared.mongo import Database
from shared.settings import PlatformSettings
from tests import ladder
from tests.bench.duplicates.kept import PART, record
from tests.bench.duplicates.lookup import PER_HOUSEHOLD
from tests.bench.webhooks import Meter
from tests.contacts.matching.contacts import NOW, person
from tests.contacts.matching.people import Record as Made, people

NEWCOMERS = 3_000
WARM = 500
"""Of these, the first, who fill caches and are not measured."""
TICK = 0.001
"""Seconds after which a coroutine that has nothing else to do wants to be called again, to see how late that is."""


@dataclass
class Register:
    """Who is who, by the ids of customers; those who are to come."""

    label: dict[str, str] = field(default_factory=dict)
    newcomers: dict[str, Made] = field(default_factory=dict)

    def true(self) -> set[tuple[str, str]]:
        """Pairs that are one, of whom one at least is a newcomer."""
        of: dict[str, list[str]] = {}
        for who, label in self.label.items():
            of.setdefault(label, []).append(who)
        everybody = (of[self.label[who]] for who in self.newcomers)
        return {(a, b) for group in everybody for a in group for b in group if a < b and {a, b} & self.newcomers.keys()}


async def filled(store: MatchStore, records: int) -> Register:
    """All but the newcomers are kept, drawn evenly from all."""
    register = Register()
    every = max(2, records // NEWCOMERS)
    for part in range(max(1, records // PART)):
        made = people(round(min(records, PART) / PER_HOUSEHOLD), seed=100 + part)
        ids = [f"019b7a2c-5c00-7000-{0x8000 + part:04x}-{number:012x}" for number in range(len(made.records))]
        register.label |= {who: f"{part} {label}" for who, label in zip(ids, made.truth, strict=True)}
        everybody = list(zip(ids, made.records, strict=True))
        register.newcomers |= dict(everybody[::every])
        kept = [Kept(who, record(one)) for place, (who, one) in enumerate(everybody) if place % every]
        for start in range(0, len(kept), 1_000):
            await store.put(kept[start : start + 1_000])
    return register


class Bench:
    def __init__(self, database: Database, store: MatchStore, url: str) -> None:
        self.database = database
        self.matching = Matching(store, WallClock(), self._leave)
        self.meter = Meter(url)
        self.late: list[float] = []

    async def _leave(self, sure: Sure) -> None:
        raise AssertionError(sure.name)

    async def take(self, ids: Sequence[str], touched: bool) -> dict[str, float]:
        pieces = [ids[start : start + PIECE] for start in range(0, len(ids), PIECE)]
        self.late.clear()
        own, other = self.meter.read()
        began = time.perf_counter()
        watch = asyncio.create_task(self._watch())
        for piece in pieces:
            await (self.matching.take([], piece) if touched else self.matching.take(piece))
        seconds = time.perf_counter() - began
        own, other = (after - before for after, before in zip(self.meter.read(), (own, other), strict=True))
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        p50, p99, top = np.percentile(np.array(self.late) * 1e3, [50, 99, 100])
        return {
            "contacts a second": len(ids) / seconds, "contacts a CPU second": len(ids) / (own + other),
            "python ms each": own / len(ids) * 1e3, "mongod ms each": other / len(ids) * 1e3,
            "late p50 ms": float(p50), "late p99 ms": float(p99), "late max ms": float(top),
        }  # fmt: skip

    async def _watch(self) -> None:
        while True:
            due = time.perf_counter() + TICK
            await asyncio.sleep(TICK)
            self.late.append(time.perf_counter() - due)


async def measured(records: int, url: str) -> dict[str, Any]:
    client = mongo.connect(PlatformSettings(kafka_bootstrap="", mongo_url=url, redis_url=""))
    database = client[f"bench-{secrets.token_hex(4)}-rapport_contacts"]
    store, contacts = MatchStore(database), MongoStore(database)
    await contacts.prepare()
    await store.prepare()
    register = await filled(store, records)
    await Learning(ModelStore(database, store), WallClock(), "bench").learn_if_due()
    people = [person(who, made) for who, made in register.newcomers.items()]
    await contacts.save(Changes(contacts=people), None, NOW)
    bench, ids = Bench(database, store, url), list(register.newcomers)
    await bench.take(ids[:WARM], touched=False)
    come = await bench.take(ids[WARM:], touched=False)
    again = await bench.take(ids[WARM:], touched=True)
    shown = await open_pairs(store)
    true = register.true()
    found = {
        "records": len(register.label), "pairs": len(shown), "true": len(shown.keys() & true), "of": len(true),
        "sure": sum(p >= 0.95 for p in shown.values()), "sure and true": sum(p >= 0.95 for pair, p in shown.items() if pair in true),
    }  # fmt: skip
    await client.drop_database(database.name)
    await mongo.close(client)
    return {**found, "as they come": come, "again": again}


async def open_pairs(store: MatchStore) -> dict[tuple[str, str], float]:
    return {tuple(row["customers"]): row["probability"] async for row in store.pairs.find({"state": "open"})}


def main() -> None:
    with ladder.running(lambda _: None) as servers:
        print(json.dumps(asyncio.run(measured(int(sys.argv[1]), servers.mongo.url)), indent=1))


if __name__ == "__main__":
    main()
