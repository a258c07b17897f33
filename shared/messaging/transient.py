"""Which failures pass by themselves: those are retried for ever with back-off, all others are somebody's mistake."""

import asyncio

import aiohttp
from aiokafka.errors import KafkaError
from redis.exceptions import ConnectionError as RedisConnectionError, TimeoutError as RedisTimeoutError

from shared import mongo


class Transient(Exception):
    """Raised by a handler that cannot go on now but could later: a service it asks is down."""


class Fenced(Transient):
    """Somebody else has moved this partition's offset: after a rebalance the partition is not ours any more."""


def transient(error: BaseException) -> bool:
    return (
        isinstance(
            error,
            Transient
            | KafkaError
            | RedisConnectionError
            | RedisTimeoutError
            | aiohttp.ClientConnectionError
            | asyncio.TimeoutError
            | OSError,
        )
        or mongo.transient(error)
        or _reset(error)
    )


def _reset(error: BaseException) -> bool:
    """uvloop's word for writing to a connection that was reset a moment ago; libraries hand it on as it is."""
    return isinstance(error, RuntimeError) and "the handler is closed" in str(error)
