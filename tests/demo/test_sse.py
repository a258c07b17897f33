"""Server-sent events out of pieces of bytes."""

import pytest

from demo.sse import Parser, ServerSentEvent

STREAM = (
    ": welcome\r\n\r\n"
    'id: 0.1\r\nevent: customer\r\ndata: {"n": "é"}\r\n\r\n'
    ": ping\n\n"
    "data: one\ndata: two\n\n"
    "id: 0.2\nevent: customer\ndata:3\n\n"
    "id: 0.9\nevent: customer\ndata: cut off"
).encode()

WHOLE = [
    ServerSentEvent("0.1", "customer", '{"n": "é"}'),
    ServerSentEvent("0.1", "message", "one\ntwo"),
    ServerSentEvent("0.2", "customer", "3"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_events_are_the_same_however_the_bytes_are_cut(size: int) -> None:
    parser = Parser()
    pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert [event for piece in pieces for event in parser.feed(piece)] == WHOLE


def test_an_event_keeps_the_last_id_from_before_the_connection() -> None:
    assert Parser("0.7").feed(b"data: x\n\n") == [ServerSentEvent("0.7", "message", "x")]
