"""A base of made-up people, written by the store of contacts itself."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.contacts.domain.survivorship import Statement, fold, newcomer
from services.contacts.store.finding import BY_NAME
from services.contacts.store.rows import contact_row
from shared.contracts.fact import Identifier
from shared.ids import uuid7
from tests.contacts.matching.people import people

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
PIECE = 5_000
SAMPLE = 5_000
PER_HOUSEHOLD = 3.6
"""Records that `people` makes of one."""


@dataclass
class Base:
    """What was written. `sample`: given name, family name and card of some of them, drawn evenly."""

    sample: list[tuple[str, str, str]]
    keys: int = 0
    """Entries in the index, of all together."""
    seconds: float = 0.0


async def fill(database: Any, contacts: int) -> Base:
    began = time.monotonic()
    base = Base([])
    await database["contacts"].drop_index(BY_NAME)
    loop, room = asyncio.get_running_loop(), asyncio.Semaphore(4)

    async def write(pool: ProcessPoolExecutor, first: int) -> None:
        async with room:
            rows, sample = await loop.run_in_executor(pool, piece, first, min(PIECE, contacts - first))
            await database["contacts"].insert_many(rows, ordered=False)
        cards = [{"_id": f"card:{row['identifiers'][0]['value']}", "customer_id": row["_id"]} for row in rows]
        await database["identities"].insert_many(cards, ordered=False)
        base.sample += sample[: max(1, SAMPLE * len(rows) // contacts)]
        base.keys += sum(len(row["found_by"]) for row in rows)

    with ProcessPoolExecutor(2) as pool:
        await asyncio.gather(*(write(pool, first) for first in range(0, contacts, PIECE)))
    # After all of them, which takes a fraction of the time.
    await database["contacts"].create_index(BY_NAME)
    base.sample.sort()
    base.seconds = time.monotonic() - began
    return base


def piece(first: int, count: int) -> tuple[list[dict[str, Any]], list[tuple[str, str, str]]]:
    """Rows of so many contacts."""
    made = people(round(count / PER_HOUSEHOLD * 1.2) + 10, seed=first).records[:count]
    rows, sample = [], []
    for number, record in enumerate(made, first):
        card = Identifier(scheme="card", value=str(number))
        name = f"{record['given'].title()} {record['family'].title()}"
        said = Statement(
            "s", BEGINNING, [card], {"name": name, "email": record["email"] or None, "phone": record["phone"] or None}
        )
        rows.append(contact_row(fold(newcomer(uuid7(BEGINNING + timedelta(milliseconds=number)), BEGINNING), said)))
        sample.append((record["given"], record["family"], str(number)))
    return rows, sample
