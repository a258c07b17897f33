"""What the console of the torture shows of its own Kafka clients: nothing while the broker is away, and real errors."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from tests.torture.console import PARTS, quieten_kafka


@pytest.fixture
def quiet() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("aiokafka", *(f"aiokafka.{part}" for part in PARTS))]
    levels = [logger.level for logger in loggers]
    quieten_kafka()
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


async def nobody_is_there() -> None:
    """A producer that wants to start where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        producer = AIOKafkaProducer(bootstrap_servers=f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(KafkaConnectionError):
            await producer.start()
        await producer.stop()


async def test_a_client_whose_broker_is_away_says_so_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "aiokafka"):  # other tests of this process may have quietened it
        await nobody_is_there()
    assert "Unable connect to" in caplog.text


@pytest.mark.usefixtures("quiet")
async def test_the_console_does_not_show_that_the_broker_is_away(caplog: pytest.LogCaptureFixture) -> None:
    await nobody_is_there()
    logging.getLogger("aiokafka.producer.sender").warning("Got error produce response: NodeNotReadyError")
    assert caplog.records == []


@pytest.mark.usefixtures("quiet")
def test_the_console_shows_real_errors_of_a_client(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("cluster", "conn", "consumer.fetcher", "producer.sender"):
        logging.getLogger(f"aiokafka.{name}").error("Unexpected error in %s", name)
    assert len(caplog.records) == 4
