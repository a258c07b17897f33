"""The bare line's end: changed views to a webhook, a stream and a topic, each customer's newest, and what each has got."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from itertools import count, islice
from typing import Protocol, cast

from aiokafka import AIOKafkaProducer

from tests.bench.bareline.hop import Change, Mongo, publish
from tests.bench.bareline.services import Sync, setting
from tests.bench.bareline.wire import CUSTOMERS, signed, to

AT_ONCE = 500
CONNECTIONS = 16
TAKEN = b"HTTP/1.1 204 "
HEAD = (
    b"POST /customers HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n%bcontent-length: %d\r\n\r\n%b"
)
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
EVENT = b"id: %d\r\nevent: customer\r\ndata: %b\r\n\r\n"


class NotTaken(Exception):
    """The receiver has answered something else, or has gone."""


class Way(Protocol):
    """How views leave. Returns when they have left."""

    name: str
    receipts: bool
    """Whether it is put down of each customer what has left."""

    async def send(self, views: Mapping[int, bytes]) -> None: ...


class Channel:
    """One channel's turn of sending and settling. While a batch is being settled the next one is on its way."""

    def __init__(self, way: Way, mongo: Mongo, breath: float) -> None:
        self._way, self._mongo = way, mongo
        self._breath = breath
        """Seconds from the beginning of a batch that was not full to that of the next."""
        self._waiting: dict[int, bytes] = {}
        self._wake = asyncio.Event()
        self._sent = 0

    def put(self, views: Mapping[int, bytes]) -> None:
        self._waiting |= views
        self._wake.set()

    async def run(self) -> None:
        settling: asyncio.Task[None] | None = None
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            began = loop.time()
            views = dict(islice(self._waiting.items(), AT_ONCE))
            for customer in views:
                del self._waiting[customer]
            if not self._waiting:
                self._wake.clear()
            await self._way.send(views)
            if settling:
                await settling
            settling = asyncio.create_task(self._settle(list(views)))
            if self._breath and len(views) < AT_ONCE:
                await asyncio.sleep(self._breath - (loop.time() - began))

    async def _settle(self, customers: list[int]) -> None:
        self._sent += len(customers)
        place = {"q": {"_id": self._way.name}, "u": {"$set": {"sent": self._sent}}, "upsert": True}
        async with self._mongo.start_session() as session, await session.start_transaction():
            change = Change(self._mongo, Sync.name, session)
            await change.update("progress", [place])
            if self._way.receipts:
                got = {"at": self._sent}
                rows = [setting(f"{self._way.name}:{customer}", got) for customer in customers]
                await change.update("deliveries", rows)


class Webhook:
    """Signed requests over connections that stay, one under way on each."""

    name, receipts = "webhook", True

    def __init__(self, port: int) -> None:
        self._port = port
        self._numbers = count(1)
        self._lines: list[Line] = []
        self._left: Iterator[bytes] = iter(())
        self._missing = 0
        self._all: asyncio.Future[None]

    async def send(self, views: Mapping[int, bytes]) -> None:
        loop = asyncio.get_running_loop()
        while len(self._lines) < CONNECTIONS:
            self._lines.append((await loop.create_connection(lambda: Line(self), "127.0.0.1", self._port))[1])
        self._left, self._missing, self._all = iter(views.values()), len(views), loop.create_future()
        for line in self._lines[: len(views)]:
            line.go_on()
        await self._all

    def close(self) -> None:
        for line in self._lines:
            line.close()

    def next(self) -> bytes | None:
        """The next request of the batch."""
        body = next(self._left, None)
        return None if body is None else HEAD % (signed(body, next(self._numbers)), len(body), body)

    def answered(self, answer: bytes) -> None:
        self._missing -= 1
        if not answer.startswith(TAKEN):
            self.failed(NotTaken(answer[:200]))
        elif not self._missing and not self._all.done():
            self._all.set_result(None)

    def failed(self, error: Exception) -> None:
        if not self._all.done():
            self._all.set_exception(error)


class Line(asyncio.Protocol):
    """One connection: whenever it is answered, the next of the batch."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def go_on(self) -> None:
        if request := self._webhook.next():
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if self._answer.endswith(b"\r\n\r\n"):
            answer, self._answer = self._answer, b""
            self._webhook.answered(answer)
            self.go_on()

    def close(self) -> None:
        self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._webhook.failed(error or NotTaken("hung up"))


class Stream:
    """Server-sent events to whoever has come to listen."""

    name, receipts = "sse", True

    def __init__(self) -> None:
        self._writer: asyncio.StreamWriter | None = None
        self._numbers = count(1)

    async def listen(self, port: int) -> None:
        await asyncio.start_server(self._welcome, "127.0.0.1", port)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(STREAM)
        self._writer = writer

    async def send(self, views: Mapping[int, bytes]) -> None:
        assert self._writer, "listeners come before there is a load"
        self._writer.write(b"".join([EVENT % (next(self._numbers), view) for view in views.values()]))
        await self._writer.drain()


class Compacted:
    """`crm.customers`: the place says how far it is, so that no outbox holds what the views hold."""

    name, receipts = CUSTOMERS, False

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def send(self, views: Mapping[int, bytes]) -> None:
        await publish(self._producer, [to(CUSTOMERS, customer, view) for customer, view in views.items()])
