"""The bench's receivers: cheap HTTP that is still right, and signatures that are looked at."""

import asyncio
import base64
import hmac
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.bench.trial import receivers
from tests.bench.trial.arrivals import read
from tests.bench.trial.receivers import TAKEN, Hooks, Received, follow, header, signed
from tests.harness.test_bench_figures import BODY

SECRET = b"a secret"


class Wire:
    """What the protocol writes back."""

    def __init__(self) -> None:
        self.sent = b""

    def write(self, data: bytes) -> None:
        self.sent += data


def request(body: bytes, secret: bytes = SECRET) -> bytes:
    told = base64.b64encode(hmac.digest(secret, b"msg_1.1700000000." + body, "sha256")).decode()
    head = (
        f"POST /customers HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nwebhook-id: msg_1\r\n"
        f"webhook-timestamp: 1700000000\r\nWebhook-Signature: v1,{told}\r\n\r\n"
    )
    return head.encode() + body


@pytest.fixture
def received(tmp_path: Path) -> Iterator[Received]:
    with closing(Received(tmp_path / "arrivals")) as made:
        yield made


def hooks(received: Received) -> tuple[Any, Wire]:
    protocol, wire = Hooks(received, SECRET), Wire()
    protocol.connection_made(wire)  # type: ignore[arg-type]
    return protocol, wire


def test_requests_in_pieces_and_several_in_one_are_all_answered(received: Received, tmp_path: Path) -> None:
    protocol, wire = hooks(received)
    stream = request(BODY) + request(BODY.replace(b'"orders":3', b'"orders":5')) + request(BODY)[:40]
    for begin in range(0, len(stream), 97):
        protocol.data_received(stream[begin : begin + 97])
    assert wire.sent == 2 * TAKEN
    assert received.events == [7, 0]
    received.report()
    assert [arrival.orders for arrival in read(tmp_path / "arrivals")] == [3, 5]


def test_a_state_older_than_the_one_before_is_counted(received: Received) -> None:
    received.take(BODY, 0)
    received.take(BODY.replace(b'"orders":3', b'"orders":1'), 0)
    assert received.backwards == 1
    received.take(BODY, 1)
    assert received.backwards == 1


def test_a_wrong_signature_is_seen(received: Received, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receivers, "VERIFIED", 1)
    protocol, _ = hooks(received)
    protocol.data_received(request(BODY))
    assert received.wrong_signatures == 0
    protocol.data_received(request(BODY, b"another secret"))
    assert received.wrong_signatures == 1


def test_headers_are_found_whatever_their_case() -> None:
    head = b"POST / HTTP/1.1\r\nA: 1\r\nContent-Length:  12 "
    assert header(head, b"content-length") == b"12"
    with pytest.raises(ValueError, match="webhook-id"):
        header(head, b"webhook-id")
    assert signed(request(BODY).partition(b"\r\n\r\n")[0], BODY, SECRET)


async def test_a_stream_is_read_in_any_pieces_and_pings_are_no_events(received: Received) -> None:
    text = b": ping\r\n\r\nid: 1:0.15\r\nevent: customer\r\ndata: " + BODY + b"\r\n\r\n: ping\r\n\r\n"

    class Content:
        async def iter_any(self) -> Any:
            for begin in range(0, len(text), 31):
                yield text[begin : begin + 31]
                await asyncio.sleep(0)

    await follow(Content(), received)  # type: ignore[arg-type]
    assert received.deliveries == [0, 1]
    assert received.place == "1:0.15"
