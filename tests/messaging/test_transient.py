"""Which failures pass by themselves."""

import pytest
from aiokafka.errors import KafkaConnectionError
from redis.exceptions import ConnectionError as RedisConnectionError

from shared.messaging.transient import Fenced, transient


@pytest.mark.parametrize(
    "error",
    [
        Fenced("moved"),
        KafkaConnectionError(),
        RedisConnectionError(),
        ConnectionResetError(),
        TimeoutError(),
        RuntimeError("unable to perform operation on <TCPTransport closed=True reading=False>; the handler is closed"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_passes_is_tried_again(error: Exception) -> None:
    assert transient(error)


@pytest.mark.parametrize("error", [RuntimeError("reentrant"), KeyError("x"), ValueError("y")])
def test_mistakes_do_not_pass(error: Exception) -> None:
    assert not transient(error)
