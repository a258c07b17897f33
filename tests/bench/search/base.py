"""A base of made-up people, written by the store of contacts itself."""

from __future__ import annotations

import asyncio
import random
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from services.contacts.domain.survivorship import Statement, fold, newcomer
from services.contacts.store.finding import BY_NAME
from services.contacts.store.rows import contact_row
from services.contacts.store.wanted import BY_TRAIT
from shared.contracts.channels import Address
from shared.contracts.fact import Identifier
from shared.ids import uuid7
from tests.contacts.matching.people import people

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
PIECE = 5_000
SAMPLE = 5_000
PER_HOUSEHOLD = 3.6
"""Records that `people` makes of one."""
CITIES, TERRITORIES = 1000, 200
"""Of both the largest has a tenth of all contacts, the others fewer and fewer."""


class Person(NamedTuple):
    given: str
    family: str
    card: str
    city: str
    territory: str


@dataclass
class Base:
    """What was written. `sample`: some of them, drawn evenly."""

    sample: list[Person]
    keys: int = 0
    """Entries in the index, of all together."""
    seconds: float = 0.0


async def fill(database: Any, contacts: int) -> Base:
    began = time.monotonic()
    base = Base([])
    for index in (BY_NAME, BY_TRAIT):
        await database["contacts"].drop_index(index)
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
    for index in (BY_NAME, BY_TRAIT):
        await database["contacts"].create_index(index)
    base.sample.sort()
    base.seconds = time.monotonic() - began
    return base


def piece(first: int, count: int) -> tuple[list[dict[str, Any]], list[Person]]:
    """Rows of so many contacts."""
    made = people(round(count / PER_HOUSEHOLD * 1.2) + 10, seed=first).records[:count]
    dice = random.Random(first)
    rows, sample = [], []
    for number, record in enumerate(made, first):
        person = Person(record["given"], record["family"], str(number), *_where(dice))
        fields = {
            "name": f"{person.given.title()} {person.family.title()}",
            "email": record["email"] or None,
            "phone": record["phone"] or None,
            "address": Address(city=person.city, country="GB"),
            "territory": person.territory,
        }
        said = Statement("s", BEGINNING, [Identifier(scheme="card", value=person.card)], fields)
        rows.append(contact_row(fold(newcomer(uuid7(BEGINNING + timedelta(milliseconds=number)), BEGINNING), said)))
        sample.append(person)
    return rows, sample


def _where(dice: random.Random) -> tuple[str, str]:
    """A city and a territory, the shares of which are as their numbers' inverse."""
    city, territory = (int(many ** dice.random()) for many in (CITIES, TERRITORIES))
    return f"Town {city}", f"t{territory}"
