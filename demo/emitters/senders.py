"""The two roads into Rapport: HTTP posts with a channel's key, and records straight into Kafka."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import aiohttp
import orjson
from aiokafka import AIOKafkaProducer

from demo.emitters.plan import Step
from demo.emitters.wire import TOPIC, Post, posts, record
from demo.unfinished import Unfinished

BATCH_SIZE = 200
PATIENCE = 60.0
"""Seconds for which a system tries to get a post through."""
NOT_YET = (401, 429)
"""A new key takes a moment to be known everywhere; and whoever is asked to slow down, does."""
LARGEST_RECORD = 8 * 1024 * 1024


class NotTaken(Unfinished):
    """The platform has answered something that its documentation does not allow."""


class HttpSender:
    """One system's line to `POST /v1/events`: one post after the other, as a till's queue would."""

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        self._session, self._url, self._key = session, url, key
        self.accepted = 0
        self.rejected: Counter[str] = Counter()
        self.sent_again = 0
        """Events posted once more because the first answer did not come."""

    async def send(self, steps: Sequence[tuple[int, Step]]) -> None:
        for post in posts(steps, BATCH_SIZE):
            await self._deliver(post)

    async def _deliver(self, post: Post) -> None:
        headers = post.headers | {"authorization": f"Bearer {self._key}"}
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            status, answer = await self._post(post, headers)
            if status < 500 and status not in NOT_YET:
                return self._read(status, answer, post)
            if asyncio.get_running_loop().time() > deadline:
                raise NotTaken(f"{status} for {PATIENCE:.0f} s: {answer}")
            self.sent_again += len(post.steps) if status >= 500 else 0
            await asyncio.sleep(0.2)

    async def _post(self, post: Post, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        try:
            async with self._session.post(self._url, data=BytesIO(post.body), headers=headers) as response:
                return response.status, orjson.loads(await response.read())
        except aiohttp.ClientConnectionError as error:
            return 503, {"detail": str(error)}

    def _read(self, status: int, answer: dict[str, Any], post: Post) -> None:
        if status == 202 or "rejected" in answer:
            self.accepted += answer.get("accepted", 0)
            self.rejected.update(rejection["reason"] for rejection in answer.get("rejected", ()))
        elif "reason" in answer and len(post.steps) == 1:
            self.rejected[answer["reason"]] += 1
        else:
            raise NotTaken(f"{status}: {answer}")


class KafkaSender:
    """The systems that write into Kafka themselves, with the protocol's own client."""

    def __init__(self, producer: AIOKafkaProducer, namespace: str) -> None:
        self._producer, self._topic = producer, f"{namespace}{TOPIC}"
        self.sent = 0

    @staticmethod
    def producer(bootstrap: str) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=bootstrap, enable_idempotence=True, linger_ms=5, max_request_size=LARGEST_RECORD
        )

    async def send(self, steps: Sequence[tuple[int, Step]]) -> None:
        waiting = []
        for number, step in steps:
            made = record(step, number)
            waiting.append(await self._producer.send(self._topic, key=made.key, value=made.value, headers=made.headers))
        await asyncio.gather(*waiting)
        self.sent += len(waiting)
