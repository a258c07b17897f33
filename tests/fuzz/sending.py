"""Inputs on their way: into Kafka's topics as they are, and to `POST /v1/events`; what went where is remembered."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any
from urllib.parse import quote_from_bytes

import aiohttp
import orjson
from aiokafka import AIOKafkaProducer

from tests.fuzz import batches
from tests.fuzz.batches import Codec, Raw
from tests.fuzz.domain import LISTENERS, MOST_WRONG_IN_A_ROW, Publisher
from tests.fuzz.inputs import BATCH, SOURCE, STRUCTURED, Fate, Input, Part

INBOUND = "crm.inbound"
INTERNAL = ("crm.access", "crm.customers", "crm.dead-letters", "crm.replays")
CODECS: tuple[Codec, ...] = ("none", "none", "none", "gzip", "snappy")
BATCH_BYTES = 4_000_000
AT_ONCE = 8
PROBLEM = "application/problem+json"
Place = tuple[str, int, int]
"""Topic, partition and offset."""


@dataclass
class Sent:
    """What was sent, and what must come of it."""

    inbound: dict[Place, Input] = field(default_factory=dict)
    domain: dict[Place, tuple[str, Raw]] = field(default_factory=dict)
    """`right`, `wrong` or `odd`."""
    told: list[Part] = field(default_factory=list)
    """Over HTTP; the fate is what was answered."""
    counts: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    """Answers that may not be."""


class KafkaEdge:
    """Writes records to any partition, many in one batch."""

    def __init__(self, producer: AIOKafkaProducer, namespace: str, partitions: int, seed: int, sent: Sent) -> None:
        self._producer = producer
        self._namespace = namespace
        self._partitions = partitions
        self._rng = random.Random(seed)
        self._sent = sent

    async def inbound(self, inputs: Iterable[Input]) -> None:
        left = iter(inputs)
        while chosen := list(islice(left, self._rng.choice((1, 5, 60, 200)))):
            partition = self._rng.randrange(self._partitions)
            for portion in _portions(chosen):
                raws = [one.raw for one in portion]
                first = await self._send(INBOUND, partition, raws)
                for number, one in enumerate(portion):
                    self._sent.inbound[INBOUND, partition, first + number] = one
                    self._sent.counts[f"kafka, {one.kind}"] += 1

    async def _send(self, topic: str, partition: int, raws: Sequence[Raw]) -> int:
        codec = self._rng.choice(CODECS)
        return await batches.send(self._producer, self._namespace + topic, partition, raws, codec)

    async def domain(self, topic: str, count: int, seed: int) -> None:
        """Wrong and odd records, and before each handful of them one that is right."""
        publisher = Publisher(topic, seed)
        for _ in range(-(-count // MOST_WRONG_IN_A_ROW)):
            kinds = ["right", *self._rng.choices(("wrong", "wrong", "odd"), k=MOST_WRONG_IN_A_ROW)]
            raws = [
                {"right": publisher.right, "wrong": publisher.wrong, "odd": publisher.odd}[kind]() for kind in kinds
            ]
            partition = self._rng.randrange(self._partitions)
            first = await self._send(topic, partition, raws)
            for number, (kind, raw) in enumerate(zip(kinds, raws, strict=True)):
                self._sent.domain[topic, partition, first + number] = (kind, raw)
                self._sent.counts[f"{topic}, {kind}"] += 1

    async def internal(self, inputs: Iterable[Input]) -> None:
        """Raw bytes where the core talks to itself; nothing may come of them, on compacted topics under a key."""
        for one in inputs:
            topic = self._rng.choice(INTERNAL)
            raw = replace(one.raw, key=one.raw.key or b"k")
            await self._send(topic, self._rng.randrange(self._partitions), [raw])
            self._sent.counts[f"{topic}, raw bytes"] += 1

    async def all_domains(self, count: int, seed: int) -> None:
        for topic in LISTENERS:
            await self.domain(topic, count // len(LISTENERS), seed)


def _portions(chosen: Sequence[Input]) -> Iterable[list[Input]]:
    portion: list[Input] = []
    size = 0
    for one in chosen:
        weight = len(one.raw.value or b"") + sum(len(name) + len(value or b"") for name, value in one.raw.headers)
        if portion and size + weight > BATCH_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(one)
        size += weight
    yield portion


class HttpEdge:
    """Sends inputs as requests, and holds the answers against what is known of the inputs."""

    def __init__(self, client: aiohttp.ClientSession, sent: Sent) -> None:
        self._client = client
        self._sent = sent

    async def all(self, inputs: Iterable[Input]) -> None:
        left = iter(inputs)

        async def some() -> None:
            for one in left:
                await self._post(one)

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))

    async def _post(self, one: Input) -> None:
        headers = _http_headers(one.raw)
        async with self._client.post("/v1/events", data=one.raw.value or b"", headers=headers) as answer:
            body = await answer.read()
            status, media = answer.status, answer.content_type
        self._sent.statuses[status] += 1
        self._sent.counts[f"http, {one.kind}"] += 1
        if status not in {202, 400, 413, 415, 422}:
            self._fault(one, f"answered {status}", body)
        elif (media == PROBLEM) != (status != 202):
            self._fault(one, f"answered {status} as {media}", body)
        elif status != 202 and orjson.loads(body).get("status") != status:
            self._fault(one, "is no RFC 9457 problem", body)
        else:
            self._remember(one, status, orjson.loads(body))

    def _remember(self, one: Input, status: int, answer: Any) -> None:
        rejected = {item["index"] for item in answer.get("rejected") or ()} if one.elements else set()
        for index, part in enumerate(one.parts):
            taken = status == 202 and index not in rejected
            if part.fate is not Fate.EITHER and taken is not (part.fate is Fate.EFFECT):
                self._fault(one, f"part {index} ought to be {part.fate} and was {'taken' if taken else 'refused'}", b"")
            self._sent.told.append(Part(part.uid, Fate.EFFECT if taken else Fate.LETTER, part.contact))

    def _fault(self, one: Input, what: str, body: bytes) -> None:
        shown = f"{one.kind}: {what} {body[:300]!r} for {one.raw.headers!r:.300} {one.raw.value!r:.600}"
        self._sent.faults.append(shown)


def _http_headers(raw: Raw) -> dict[str, str]:
    """Kafka's headers as HTTP's; what could not be written there is left out."""
    found = {}
    for name, value in raw.headers:
        if name.startswith(b"ce_") and value is not None and len(value) < 6_000:
            found[f"ce-{quote_from_bytes(name[3:])}"] = quote_from_bytes(value, safe="/:+")
    kind = dict(raw.headers).get(b"content-type") or b""
    known = {STRUCTURED, BATCH, "application/json"}
    return found | {"content-type": text if (text := kind.decode("latin-1")) in known else "application/octet-stream"}


__all__ = ["INBOUND", "SOURCE", "HttpEdge", "KafkaEdge", "Place", "Sent"]
