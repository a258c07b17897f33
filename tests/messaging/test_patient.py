"""When a stream of records is a stream."""

from __future__ import annotations

from shared.messaging.patient import BUSY_RATE, Pace


def test_a_trickle_is_no_stream() -> None:
    pace = Pace()
    assert not any(pace.busy(1, now=10 + n * 0.1) for n in range(100))


def test_a_steady_stream_is_one_whatever_its_batches() -> None:
    for batch in (5, 100):
        pace = Pace()
        seconds = batch / (BUSY_RATE * 3)
        assert [pace.busy(batch, now=10 + n * seconds) for n in range(400)][-1]


def test_a_stream_that_has_ended_is_forgotten() -> None:
    pace = Pace()
    for n in range(100):
        pace.busy(50, now=10 + n * 0.01)
    assert not pace.busy(1, now=20)
