"""Who shares a key with a record, looked up in the index of the database: several records in one question.

A key that more than FREQUENT hold is not followed. Which keys are so frequent turns out when they are read; it is remembered for
a while, and of one that everybody holds no more is read than a few thousand.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection as Many, Iterable, Sequence
from typing import cast

from pymongo import ASCENDING

from services.contacts.domain.matching.index import FREQUENT
from services.contacts.domain.matching.nearest import COPIES, nearest
from services.contacts.domain.matching.record import Record
from services.contacts.store.frequent import FrequentKeys
from services.contacts.store.key_rows import Row, read
from shared.mongo import Collection

ASKED_TOGETHER = 5
"""Records of one question: some hundred keys."""
AT_ONCE = 2
"""Questions that are under way together: while one is answered, the other's answer is read."""
ROWS = 1_000
"""Rows that come at a time, a millisecond or two of the event loop's, before it is seen whether they are worth reading on."""
ASKED = {"keys": 1, "whole": 1}


class Holders:
    """Lookups by key in the collection of records."""

    def __init__(self, records: Collection) -> None:
        self.records = records
        self.frequent = FrequentKeys()

    async def of(self, records: Sequence[Record]) -> list[list[str]]:
        """Of each of the records, the customers who share most with it."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def looked_up(some: Sequence[Record]) -> list[list[str]]:
            async with turn:
                return await self._of(some)

        parts = [records[start : start + ASKED_TOGETHER] for start in range(0, len(records), ASKED_TOGETHER)]
        return [one for found in await asyncio.gather(*map(looked_up, parts)) for one in found]

    async def _of(self, records: Sequence[Record]) -> list[list[str]]:
        holding = await self._holding({key for one in records for key in one.keys}, {one.whole for one in records})
        found = [nearest(one.keys, holding.of_key, holding.of_whole.get(one.whole, ())) for one in records]
        # Whoever has frequent keys only is found by those who are alike in everything.
        return [who or await self._copies(one) for one, who in zip(records, found, strict=True)]

    async def _holding(self, keys: Many[int], wholes: Many[int]) -> "Holding":
        asked = self.frequent.without(keys)
        while True:
            holding = Holding(asked, wholes)
            whole = await self._read(holding)
            self.frequent.add(holding.frequent)
            if whole:
                return holding
            asked -= holding.frequent

    async def _read(self, holding: "Holding") -> bool:
        """False, if it was not read to the end for a key's being too frequent: there may be any number of rows for it alone."""
        if not holding.keys:
            return True
        cursor = self.records.find_raw_batches({"keys": {"$in": list(holding.keys)}}, ASKED, batch_size=ROWS)
        try:
            async for batch in cursor:
                # Of bytes, whatever the driver's types say.
                rows = holding.add(read(cast("bytes", batch)))
                if rows >= ROWS and holding.frequent:
                    return False
            return True
        finally:
            await cursor.close()

    async def _copies(self, record: Record) -> list[str]:
        if not record.keys:
            return []
        found = self.records.find({"whole": record.whole}, {"_id": 1}).sort("_id", ASCENDING).limit(COPIES)
        return [row["_id"] async for row in found]


class Holding:
    """Customers by those keys that were asked for, and by what they are in everything."""

    def __init__(self, keys: set[int], wholes: Many[int]) -> None:
        self.keys = keys
        self.wholes = wholes
        self.of_key: defaultdict[int, list[str]] = defaultdict(list)
        self.of_whole: defaultdict[int, list[str]] = defaultdict(list)

    def add(self, rows: Iterable[Row]) -> int:
        """Returns how many there were."""
        count = 0
        for who, numbers in rows:
            count += 1
            for key in self.keys.intersection(numbers):
                self.of_key[key].append(who)
            if numbers[-1] in self.wholes:
                self.of_whole[numbers[-1]].append(who)
        return count

    @property
    def frequent(self) -> set[int]:
        """Keys that are held by more than are followed."""
        return {key for key, who in self.of_key.items() if len(who) > FREQUENT}
