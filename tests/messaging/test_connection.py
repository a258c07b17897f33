"""Whoever is cancelled while it starts leaves nothing open: a service may be stopped as soon as it was started."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka.protocol.metadata import MetadataRequest

from shared.contracts.sync import ACCESS
from shared.messaging.connection import Connection
from shared.messaging.patient import PatientConsumer
from shared.messaging.producer import Producer
from shared.messaging.table import Table
from shared.settings import PlatformSettings

pytestmark = pytest.mark.integration
Start = Callable[[PlatformSettings], Awaitable[Any]]


async def consumer(settings: PlatformSettings) -> None:
    client = PatientConsumer(bootstrap_servers=settings.kafka_bootstrap)
    try:
        await client.start()
    finally:
        await client.stop()


async def producer(settings: PlatformSettings) -> None:
    await Producer("shop", settings).start()


async def table(settings: PlatformSettings) -> None:
    await Table(ACCESS, lambda _: None, settings).run()


@pytest.mark.parametrize("start", [consumer, producer, table])
async def test_a_client_that_is_cancelled_while_it_asks_who_the_brokers_are_leaves_no_connection_open(
    settings: PlatformSettings, monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    asked: asyncio.Queue[Connection] = asyncio.Queue()
    send = Connection.send

    def watched(self: Connection, request: Any, expect_response: bool = True) -> Any:
        if isinstance(request, MetadataRequest):
            asked.put_nowait(self)
        return send(self, request, expect_response)

    monkeypatch.setattr(Connection, "send", watched)
    starting = asyncio.ensure_future(start(settings))
    connection = await asked.get()
    assert connection.connected()
    starting.cancel()
    await asyncio.wait([starting])
    assert not connection.connected()
