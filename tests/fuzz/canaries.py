"""Good customers among the garbage, and what every service must say of them in the end, to the cent."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp
import orjson
from aiokafka import AIOKafkaProducer

from tests.fuzz import batches
from tests.fuzz.batches import Raw
from tests.fuzz.inputs import CONTACT, INTERACTION, SALE, Document, binary, dumps, envelope, structured

SCHEME = "canary"
SOURCE = "/channels/canary"


@dataclass
class Canary:
    """One customer, and what has been told of them."""

    name: str
    orders: int = 0
    total: Decimal = Decimal(0)
    interactions: int = 0


class Canaries:
    """A flock; each `sing` tells one good event of each bird, half of them over HTTP."""

    def __init__(
        self,
        producer: AIOKafkaProducer,
        client: aiohttp.ClientSession,
        topic: str,
        partitions: int,
        seed: int,
        count: int,
    ) -> None:
        self._producer = producer
        self._client = client
        self._topic = topic
        self._partitions = partitions
        self._rng = random.Random(seed)
        self._told = 0
        self.all = [Canary(f"{seed:x}-{number}") for number in range(count)]

    @property
    def events(self) -> int:
        return self._told

    async def introduce(self) -> None:
        for number, one in enumerate(self.all):
            known = {"reported_at": "2026-01-01T00:00:00Z", "name": one.name, "address": {"city": self.city}}
            await self._tell(number, CONTACT, {"customer": _who(one), **known})

    @property
    def city(self) -> str:
        """By which campaigns finds them all."""
        return f"Canary Wharf {self.all[0].name}"

    async def sing(self) -> None:
        for number, one in enumerate(self.all):
            if self._rng.random() < 0.6:
                value = Decimal(self._rng.randrange(1, 10**5)) / 100
                one.orders += 1
                one.total += value
                line = {"product": "seed", "quantity": "1", "value": str(value)}
                sale = {"order": f"{one.name}-{one.orders}", "ordered_at": "2026-02-03T04:05:06Z", "currency": "USD"}
                await self._tell(number, SALE, {"customer": _who(one), **sale, "lines": [line]})
            else:
                one.interactions += 1
                met = {"kind": "song", "occurred_at": "2026-02-03T04:05:06Z"}
                await self._tell(number, INTERACTION, {"customer": _who(one), **met})

    async def _tell(self, number: int, kind: str, data: Document) -> None:
        self._told += 1
        one = self.all[number]
        told = envelope(kind, f"{one.name}-{self._told}") | {"source": SOURCE}
        if self._told % 2:
            await self._over_http(told | {"data": data})
            return
        key = f"{SCHEME}:{one.name}".encode()
        raw: Raw = (
            binary(told, dumps(data), key) if self._rng.random() < 0.5 else structured(told | {"data": data}, key)
        )
        await batches.send(self._producer, self._topic, number % self._partitions, [raw], "none")

    async def _over_http(self, event: Document) -> None:
        headers = {"content-type": "application/cloudevents+json"}
        async with self._client.post("/v1/events", data=orjson.dumps(event), headers=headers) as answer:
            assert answer.status == 202, f"a canary was answered {answer.status}: {await answer.text()}"

    async def faults(self) -> list[str]:
        """What any service says of them that is not so."""
        found = await asyncio.gather(*(self._faults(one) for one in self.all))
        told = [fault for faults in found for fault in faults]
        asked = {"rule": {"field": "contact.city", "is": self.city}}
        async with self._client.post("/v1/segments/preview", json=asked) as answer:
            count = orjson.loads(await answer.read()).get("customers")
        if count != len(self.all):
            told.append(f"campaigns counts {count} canaries of {len(self.all)}")
        return told

    async def _faults(self, one: Canary) -> list[str]:
        page = await self._get("/v1/customers", identifier=f"{SCHEME}:{one.name}")
        if len(page.get("items", ())) != 1:
            return [f"{one.name}: sync has {len(page.get('items', ()))} views of them"]
        view = page["items"][0]
        view = view.get("view", view)
        score = await self._get(f"/v1/scores/{view['customer_id']}")
        due = {
            "sync: orders": (view["sales"]["orders"], one.orders),
            "sync: total": (Decimal(view["sales"]["total"]), one.total),
            "sync: interactions": (view["interactions"], one.interactions),
            "sync: score": (Decimal((view.get("score") or {}).get("money") or 0), one.total),
            "scoring: purchases": (score.get("purchases", 0), one.orders),
            "scoring: money": (Decimal(score.get("money") or 0), one.total),
        }
        return [
            f"{one.name}: {what} is {seen} and must be {right}" for what, (seen, right) in due.items() if seen != right
        ]

    async def _get(self, path: str, **query: str) -> Any:
        async with self._client.get(path, params=query) as answer:
            return orjson.loads(await answer.read())


def _who(one: Canary) -> list[Document]:
    return [{"scheme": SCHEME, "value": one.name}]
