"""One fuzzing run against a running platform: what is sent, in which order, and the verdict."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import islice, repeat
from typing import Any

import aiohttp

from tests.fuzz import judging
from tests.fuzz.batches import hostile_producer
from tests.fuzz.canaries import Canaries
from tests.fuzz.inputs import Fate, Input, Inputs
from tests.fuzz.judging import Found
from tests.fuzz.openapi import deaf
from tests.fuzz.running import Stage
from tests.fuzz.sending import INBOUND, HttpEdge, KafkaEdge, Sent

SETTLING_SECONDS = 240.0


@dataclass(frozen=True)
class Size:
    """How many inputs go where."""

    kafka: int
    http: int
    noise: int
    domain: int
    internal: int
    canaries: int
    rounds: int = 10

    def part(self, of: int) -> Size:
        return replace(
            self,
            kafka=self.kafka // of,
            http=self.http // of,
            noise=self.noise // of,
            domain=self.domain // of,
            internal=self.internal // of,
        )


FULL = Size(kafka=64_000, http=14_000, noise=24_000, domain=10_000, internal=1_000, canaries=20)
SLICE = Size(kafka=1_200, http=200, noise=300, domain=150, internal=60, canaries=4, rounds=3)


@dataclass(frozen=True)
class Outcome:
    """What was sent and what is wrong with what came of it."""

    sent: Sent
    found: Found
    canary_events: int
    faults: list[str]
    errors: Counter[str]
    seconds: float

    def bad(self) -> int:
        """Events refused with a dead letter or over HTTP, and records on domain topics that all must refuse."""
        letters = sum(len(self.found.letters.get(place, ())) for place in self.sent.inbound)
        wrong = sum(kind == "wrong" for kind, _ in self.sent.domain.values())
        return letters + wrong + sum(part.fate is Fate.LETTER for part in self.sent.told)

    def figures(self) -> dict[str, Any]:
        reasons: Counter[str] = Counter()
        for about in self.found.letters.values():
            reasons.update(letter.reason for letter in about)
        parts = sum(max(1, len(one.parts)) for one in self.sent.inbound.values())
        return {
            "inputs": dict(sorted(self.sent.counts.items())),
            "events_in_kafka_inputs": parts,
            "http_statuses": {str(status): count for status, count in sorted(self.sent.statuses.items())},
            "dead_letters": dict(reasons.most_common()),
            "effects": sum(self.found.effects.values()),
            "canary_events": self.canary_events,
            "errors_logged": dict(self.errors.most_common()),
            "seconds": round(self.seconds, 1),
        }


async def fuzz(stage: Stage, size: Size, seed: int, say: Callable[[str], None]) -> Outcome:
    began, sent = time.monotonic(), Sent()
    async with AsyncExitStack() as stack:
        producer = hostile_producer(stage.bootstrap)
        await producer.start()
        stack.push_async_callback(producer.stop)
        headers = {"authorization": f"Bearer {stage.key}"}
        client = await stack.enter_async_context(aiohttp.ClientSession(stage.base_url, headers=headers))
        topic = stage.namespace + INBOUND
        canaries = Canaries(producer, client, topic, stage.partitions, seed, size.canaries)
        kafka = KafkaEdge(producer, stage.namespace, stage.partitions, seed, sent)
        http = HttpEdge(client, sent)
        inputs, portion = Inputs(seed), size.part(size.rounds)
        await canaries.introduce()
        for number in range(size.rounds):
            await asyncio.gather(
                kafka.inbound(_some(portion.kafka, inputs.any)),
                http.all(_some(portion.http, inputs.any)),
                kafka.inbound(_some(portion.noise, inputs.noise)),
                kafka.internal(_some(portion.internal, inputs.noise)),
                kafka.all_domains(portion.domain, seed * 1_000 + number),
                canaries.sing(),
            )
            say(f"round {number + 1} of {size.rounds}: {sum(sent.counts.values()):,} inputs")
        await stage.idle(SETTLING_SECONDS)
        say("judging")
        letters = await judging.letters(stage.bootstrap, stage.namespace, stage.partitions)
        found = Found(letters, await judging.effects(client))
        faults = [*judging.judge(sent, found), *await canaries.faults(), *await asyncio.to_thread(stage.faults)]
        faults += await asyncio.to_thread(deaf, stage)
        faults += await judging.shelved(client, sum(map(len, letters.values())))
    return Outcome(sent, found, canaries.events, faults, stage.errors(), time.monotonic() - began)


def _some(count: int, make: Callable[[], Input]) -> list[Input]:
    return [one() for one in islice(repeat(make), count)]
