"""The two roads into the platform. Each lane (a partition, a channel) keeps its order and tries until it is heard.

What is handed over waits in memory without limit, so the generator is never held up by whoever is slow or away.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from itertools import islice
from typing import Self

import aiohttp
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from tests.load.messages import Message

INBOUND = "crm.inbound"
BATCH_BYTES = 256 * 1024
POST_EVENTS = 500
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
ASK_AGAIN = (401, 408, 429)
"""A new key takes a moment to be known everywhere; the others say themselves that it is worth another try."""


class NotTaken(Exception):
    """The platform has answered what its documentation does not allow."""


Answer = tuple[int, frozenset[int]]
"""How many messages from the queue's front have been judged, and which of them were refused."""
Send = Callable[[deque[Message]], Awaitable[Answer]]
NOT_HEARD: Answer = (0, frozenset())


class Lane:
    """Messages that stay in order."""

    def __init__(self, send: Send, accepted: Callable[[Message], None]) -> None:
        self.queue: deque[Message] = deque()
        self._send, self._accepted = send, accepted
        self._wake = asyncio.Event()
        self.task = asyncio.create_task(self._work())

    def put(self, message: Message) -> None:
        self.queue.append(message)
        self._wake.set()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            pause = FIRST_PAUSE
            while self.queue:
                judged, refused = await self._send(self.queue)
                for place in range(judged):
                    message = self.queue.popleft()
                    if place not in refused:
                        self._accepted(message)
                if not judged:
                    await asyncio.sleep(pause)
                pause = FIRST_PAUSE if judged else min(2 * pause, LONGEST_PAUSE)
            self._wake.clear()


class KafkaRoad:
    """Records straight into `crm.inbound`, all replicas acknowledging.

    The producer is not idempotent: a batch whose answer is lost is sent again and then stands in the log twice, under
    the same event ids, which is what channel systems do and what the platform promises to bear.
    """

    def __init__(self, bootstrap: str, accepted: Callable[[Message], None], namespace: str = "") -> None:
        self._topic = namespace + INBOUND
        self._producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_request_size=8 * 1_048_576)
        self._accepted = accepted
        self.lanes: list[Lane] = []
        self.sent_again = 0

    async def start(self) -> None:
        await self._producer.start()
        partitions = await self._producer.partitions_for(self._topic)
        self.lanes = [Lane(self._sender(partition), self._accepted) for partition in range(len(partitions))]

    def put(self, message: Message) -> None:
        self.lanes[zlib.crc32(message.key or b"") % len(self.lanes)].put(message)

    def _sender(self, partition: int) -> Send:
        async def send(queue: deque[Message]) -> Answer:
            batch, count = filled(queue)
            try:
                await (await self._producer.send_batch(batch, self._topic, partition=partition))
            except KafkaError:
                self.sent_again += count
                return NOT_HEARD
            return count, frozenset()

        return send

    async def stop(self) -> None:
        await self._producer.stop()


def filled(queue: Iterable[Message]) -> tuple[BatchBuilder, int]:
    """A batch of as many as it holds, and how many those are."""
    batch, count = BatchBuilder(BATCH_BYTES, 0), 0
    for message in queue:
        if batch.append(timestamp=None, key=message.key, value=message.value, headers=message.headers) is None:
            break
        count += 1
    batch.close()
    return batch, count


class HttpRoad:
    """Batches to `POST /v1/events`, one under way for each channel, as a till's queue would send them."""

    def __init__(self, base_url: str, key: str, accepted: Callable[[Message], None]) -> None:
        self._url = base_url.rstrip("/") + "/v1/events"
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/cloudevents-batch+json"}
        self._accepted = accepted
        self._by_channel: dict[str, Lane] = {}
        self.rejected: Counter[str] = Counter()
        """Events that were refused at once, by reason; such an event is not sent again and not accepted."""
        self.sent_again = 0

    async def start(self) -> None:
        timeout = aiohttp.ClientTimeout(total=30, sock_connect=5)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))

    @property
    def lanes(self) -> list[Lane]:
        return list(self._by_channel.values())

    def put(self, message: Message) -> None:
        name = message.entry.channel.name
        if name not in self._by_channel:
            self._by_channel[name] = Lane(self._send, self._accepted)
        self._by_channel[name].put(message)

    async def _send(self, queue: deque[Message]) -> Answer:
        chosen = list(islice(queue, POST_EVENTS))
        body = b"[" + b",".join([message.structured for message in chosen]) + b"]"
        status, answer = await self._post(body)
        if status >= 500 or status in ASK_AGAIN:
            self.sent_again += len(chosen)
            return NOT_HEARD
        told = json.loads(answer)
        if status != 202 and "rejected" not in told:
            raise NotTaken(f"{status}: {answer[:500]!r}")
        rejections = told.get("rejected") or ()
        self.rejected.update(rejection["reason"] for rejection in rejections)
        return len(chosen), frozenset(rejection["index"] for rejection in rejections)

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        try:
            async with self._session.post(self._url, data=body, headers=self._headers) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError):
            return 503, b""

    async def stop(self) -> None:
        await self._session.close()


class Roads:
    """Both roads, or one of them. `accepted` counts what the platform has taken; `on_accepted` is told of each."""

    def __init__(self, *, kafka: str | None = None, http: tuple[str, str] | None = None, namespace: str = "") -> None:
        """`kafka`: bootstrap address; `http`: base URL and API key."""
        self.accepted = 0
        self.kafka = KafkaRoad(kafka, self._accept, namespace) if kafka else None
        self.http = HttpRoad(*http, self._accept) if http else None
        self.on_accepted: Callable[[Message], None] | None = None

    def _accept(self, message: Message) -> None:
        self.accepted += 1
        if self.on_accepted:
            self.on_accepted(message)

    async def __aenter__(self) -> Self:
        for road in self._roads():
            await road.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for lane in self.lanes():
            lane.task.cancel()
        await asyncio.gather(*(lane.task for lane in self.lanes()), return_exceptions=True)
        for road in self._roads():
            await road.stop()

    def _roads(self) -> list[KafkaRoad | HttpRoad]:
        return [road for road in (self.kafka, self.http) if road]

    def lanes(self) -> list[Lane]:
        return [lane for road in self._roads() for lane in road.lanes]

    def hand(self, messages: Iterable[Message]) -> None:
        """Never blocks. A lane that has failed for good shows up in `drained`."""
        for message in messages:
            road = self.http if message.entry.channel.road == "http" else self.kafka
            assert road is not None, f"{message.entry.channel.name} needs the road {message.entry.channel.road}"
            road.put(message)

    @property
    def backlog(self) -> int:
        """Handed over and not taken yet."""
        return sum(len(lane.queue) for lane in self.lanes())

    async def drained(self, within: float) -> None:
        """Until all is taken. Raises TimeoutError, or whatever a lane has failed with."""
        async with asyncio.timeout(within):
            while self.backlog:
                for lane in self.lanes():
                    if lane.task.done():
                        lane.task.result()
                await asyncio.sleep(0.01)
