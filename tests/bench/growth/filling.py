"""Fills the services' databases with copies of customers that events have made, as far as a size that is to be measured.

A million customers through the platform would take longer than all measurements together. What is filled is written as
the platform would have written it, counters and cursors included; `checking` holds the platform to it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bson.decimal128 import Decimal128
from bson.raw_bson import RawBSONDocument
from pymongo import WriteConcern

from services.scoring.domain.population import changes, together
from services.scoring.domain.purchases import Purchases
from services.scoring.store.population import packed
from shared.contracts.contacts import Consent
from shared.ids import uuid7
from shared.messaging.producer import partition_of
from tests.bench.growth.forms import ENTRIES, Form, Identity, Original, Place, form_of, sales_of
from tests.bench.growth.people import SHOP, card, token
from tests.bench.growth.platform import Platform

ORIGINALS = 200
"""Customers that are copied, one after the other."""
CHUNK = 500
"""Customers written at once."""
COUNTER = "filled"
BY_CUSTOMER: dict[Place, str] = {
    ("contacts", "contacts"): "_id",
    ("contacts", "identities"): "customer_id",
    ("contacts", "consents"): "customer_id",
    ("interactions", "history"): "customer",
    ("scoring", "customers"): "_id",
    ("scoring", "deeds"): "_id",
    ("campaigns", "profiles"): "_id",
    ("campaigns", "orders"): "customer_id",
    ("sync", "views"): "_id",
    ("sync", "deliveries"): "customer",
}
"""Where each collection of customers names them. `seen` of contacts names events."""
SEEN: Place = ("contacts", "seen")
UNSETTLED = WriteConcern(1)
Documents = dict[Place, list[RawBSONDocument]]


async def originals(platform: Platform, numbers: Sequence[int]) -> list[Original]:
    """These customers with all that is written about them."""
    views = platform.database("sync")["views"]
    ids = {}
    for number in numbers:
        view = await views.find_one({"identifiers": card(number)}, {"_id": 1})
        ids[number] = view["_id"]
    return [await original(platform, number, customer) for number, customer in ids.items()]


async def original(platform: Platform, number: int, customer: str) -> Original:
    forms: list[Form] = []
    for place, field in BY_CUSTOMER.items():
        forms += [form_of(place, raw) for raw in await raws(platform, place, {field: customer})]
    forms += [form_of(SEEN, raw) for raw in await raws(platform, SEEN, {"_id": f"{SHOP}\nc1-{token(number)}"})]
    consents = platform.database("contacts")["consents"].find({"customer_id": customer}).sort("_id", 1)
    said = tuple([Consent.model_validate(row).model_dump_json() async for row in consents])
    bought = await platform.database("scoring")["customers"].find_one({"_id": customer}, {"days": 1})
    arrived = changes([(Purchases(), Purchases.unpack(bought["days"]))])
    orders, total = sales_of(await platform.database("sync")["views"].find_one({"_id": customer}, {"view": 1}))
    if missing := {*BY_CUSTOMER, SEEN} - {form.place for form in forms}:
        raise ValueError(f"customer {number} has no documents in {missing}")
    return Original(Identity(number, customer, said), tuple(forms), orders, total, arrived)


async def raws(platform: Platform, place: Place, query: dict[str, Any]) -> list[bytes]:
    service, collection = place
    options = platform.database(service).codec_options.with_options(document_class=RawBSONDocument)
    found = platform.database(service).get_collection(collection, codec_options=options).find(query)
    return [document.raw async for document in found]


class Filling:
    """Writes copies, and keeps the account of what they add to counters."""

    def __init__(self, platform: Platform, patterns: Sequence[Original], tails: dict[int, int]) -> None:
        self.platform = platform
        self.patterns = patterns
        self.tails = tails
        self.begun = dict(tails)
        self.customers: dict[int, int] = defaultdict(int)
        self.orders: dict[int, int] = defaultdict(int)
        self.totals: dict[int, Decimal] = defaultdict(Decimal)

    async def fill(self, numbers: Iterable[int]) -> int:
        """Copies under these numbers, while no service runs. How many documents it took."""
        written = 0
        chunk: list[int] = []
        for number in numbers:
            chunk.append(number)
            if len(chunk) == CHUNK:
                written += await self.write(chunk)
                chunk = []
        written += await self.write(chunk)
        await self.account()
        return written

    async def write(self, numbers: Sequence[int]) -> int:
        documents: Documents = defaultdict(list)
        arrived = []
        for number in numbers:
            pattern = self.patterns[number % len(self.patterns)]
            arrived.append(pattern.arrived)
            for place, copied in self.copies(pattern, number):
                documents[place].append(copied)
        if arrived:
            await self.platform.database("scoring")["moves"].insert_one(packed(together(arrived)))
        await asyncio.gather(*(self.insert(place, found) for place, found in documents.items()))
        return sum(len(found) for found in documents.values())

    def copies(self, pattern: Original, number: int) -> list[tuple[Place, RawBSONDocument]]:
        customer = uuid7(datetime.now(UTC))
        partition = partition_of(customer.encode(), len(self.tails))
        self.tails[partition] += 1
        self.customers[partition] += 1
        self.orders[partition] += pattern.orders
        self.totals[partition] += Decimal(pattern.total)
        return pattern.copies(Identity(number, customer, pattern.identity.consents), partition, self.tails[partition])

    async def insert(self, place: Place, documents: Sequence[RawBSONDocument]) -> None:
        service, collection = place
        target = self.platform.database(service).get_collection(collection, write_concern=UNSETTLED)
        await target.insert_many(documents, ordered=False)

    async def account(self) -> None:
        """Counters and cursors, as if all of it had happened and been delivered."""
        await self.count_views()
        cursor = {f"cursor.{partition}": tail for partition, tail in self.tails.items()}
        await self.platform.database("sync")["progress"].update_many({}, {"$max": cursor})
        entries = sum(self.customers.values())
        met = sum(name.startswith("i") for _, name in ENTRIES)
        more = {
            "interactions": entries * met,
            "orders": sum(self.orders.values()),
            "duplicates": 0,
            "duplicate_orders": 0,
            "total": Decimal128(sum(self.totals.values(), Decimal(0))),
        }
        await self.platform.database("interactions")["figures"].update_one(
            {"_id": COUNTER}, {"$inc": more}, upsert=True
        )

    async def count_views(self) -> None:
        positions = self.platform.database("sync")["positions"]
        for partition, tail in self.tails.items():
            sums = {
                "customers": self.customers[partition],
                "orders": self.orders[partition],
                "total": Decimal128(self.totals[partition]),
            }
            await positions.update_one({"_id": partition}, {"$set": {"position": tail}, "$inc": sums}, upsert=True)


async def fill(platform: Platform, patterns: Sequence[Original], numbers: Iterable[int]) -> int:
    """Copies under these numbers; the services must have been stopped. How many documents were written."""
    counters = await platform.database("sync")["positions"].find({}).to_list(None)
    tails = {counter["_id"]: counter["position"] for counter in counters}
    return await Filling(platform, patterns, tails).fill(numbers)
