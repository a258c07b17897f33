"""Learning what tells duplicates apart, and how frequent values are: nightly, on a sample, kept as a version for all instances."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
import structlog

from services.contacts.domain.matching.frequencies import learnt
from services.contacts.domain.matching.learning import Sample, learn
from services.contacts.domain.matching.proposals import Knowledge, couple, moved
from services.contacts.domain.matching.record import FIELDS, Record
from services.contacts.domain.matching.table import Table
from services.contacts.handlers.proposals import Kept, Model
from shared.clock import Clock
from shared.leases import Lease, UnderWay, leased

log = structlog.get_logger(__name__)
EVERY = timedelta(days=1)
FEWEST = 100
"""Records of a party from which on it is learnt: below, nearly all would be assumed."""
SAMPLED = 20_000
"""Records drawn evenly: frequencies of values, and what two of different customers agree in. A value that one in a thousand has is
there twenty times."""
SEEDS = 2_000
"""Of these, those whose neighbours are looked up: of records of which one in twenty is a duplicate, a hundred pairs
are. With a hundred neighbours each that is 200,000 pairs at most, and some 200 MB for as long as they are weighed."""

SEEDS_AT_ONCE = 50


class Models(Protocol):
    """Where records are drawn from, and what is learnt of them is kept."""

    learning: Lease

    async def model(self) -> Model:
        """The latest version."""

    async def learnt_at(self) -> tuple[datetime, int] | None:
        """When learning was last done, and how many records there were; None: never."""

    async def size(self) -> int:
        """About how many records there are, at no cost."""

    async def count(self, party: str) -> int:
        """Records of a party that can be found by a key."""

    async def drawn(self, party: str, most: int) -> list[Kept]:
        """Records of a party at random, all of them if there are no more."""

    async def kept(self, customers: Collection[str]) -> dict[str, Kept]:
        """These records; unknown ones are absent."""

    async def holders(self, records: Sequence[Record]) -> list[list[str]]:
        """Of each record, customers who share a key with it."""

    async def save_model(self, model: Model) -> None:
        """Keep a new version."""

    async def note_learning(self, at: datetime, records: int) -> None: ...


class Learning:
    """The use case of learning."""

    def __init__(self, models: Models, clock: Clock, owner: str) -> None:
        self.models = models
        self.clock = clock
        self.owner = owner

    async def learn_if_due(self) -> None:
        """A day after the last time, or once there are twice as many records. Raises LeaseLost."""
        if not await self._due():
            return
        with suppress(UnderWay):
            async with leased(self.models.learning, self.owner, "Learning from the contacts"):
                # Another instance may have learnt in between.
                if await self._due():
                    await self._learn()

    async def _due(self) -> bool:
        size = await self.models.size()
        if size < FEWEST:
            return False
        last = await self.models.learnt_at()
        if last is None:
            return True
        at, before = last
        return size >= 2 * before or await self.clock.now() >= at + EVERY

    async def _learn(self) -> None:
        size = await self.models.size()
        model = await self.models.model()
        found = dict(model.of_party)
        for party in FIELDS:
            count = await self.models.count(party)
            if count >= FEWEST:
                knowledge = await self._of(party, count)
                if party not in found or moved(found[party].weights, knowledge.weights):
                    found[party] = knowledge
        if any(found[party] is not model.of_party.get(party) for party in found):
            await self.models.save_model(Model(model.version + 1, found))
            log.info("matching_learnt", version=model.version + 1, records=size)
        await self.models.note_learning(await self.clock.now(), size)

    async def _of(self, party: str, count: int) -> Knowledge:
        drawn = await self.models.drawn(party, SAMPLED)
        records = {one.customer: one.record for one in drawn}
        seeds = [one.customer for one in drawn[:SEEDS]]
        pairs: set[tuple[str, str]] = set()
        for start in range(0, len(seeds), SEEDS_AT_ONCE):
            some = seeds[start : start + SEEDS_AT_ONCE]
            found = await self.models.holders([records[seed] for seed in some])
            unknown = await self.models.kept({other for others in found for other in others} - records.keys())
            records |= {customer: kept.record for customer, kept in unknown.items()}
            both = ((seed, other) for seed, others in zip(some, found, strict=True) for other in others)
            pairs |= {couple(seed, other) for seed, other in both if other != seed and other in records}
        share = min(len(seeds) / max(count, 1), 1.0)
        return await asyncio.to_thread(
            learnt_of, party, records, [one.customer for one in drawn], sorted(pairs), share, count
        )


def learnt_of(
    party: str,
    records: Mapping[str, Record],
    drawn: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    share: float,
    count: int,
) -> Knowledge:
    """From records `drawn` evenly from `count`, and the pairs in which one at least of a `share` of all records is."""
    table, rows = Table(FIELDS[party]), {}
    for customer, record in records.items():
        rows[customer] = table.append(record.values)
    even = np.array([rows[customer] for customer in drawn], np.int64)
    frequencies = learnt(table, even, count)
    left, right = (np.array([rows[pair[side]] for pair in pairs], np.int64) for side in (0, 1))
    # Of a pair, one or the other is among the seeds.
    sample = Sample(even, 1.0 / (share * (2.0 - share)), frequencies.compared)
    return Knowledge(learn(table, (left, right), count, sample=sample), frequencies, count)
