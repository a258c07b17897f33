"""How long the broker is to gather, by how long batches take."""

from types import SimpleNamespace
from typing import Any

import pytest

from shared.messaging.patient import ENOUGH, GATHER_MOST_MS, GATHER_MS, SCARCE, Pace, PatientConsumer, most_ms


@pytest.mark.parametrize(
    ("busy", "taken", "least", "wait"),
    [
        (True, 0.001, GATHER_MS, GATHER_MS),
        (True, 0.05, GATHER_MS, 100),
        (True, 9.0, GATHER_MS, 120),
        (True, 0.05, 150, 150),
        (True, 9.0, 400, 400),
        (False, 9.0, 400, 500),
    ],
)
def test_gathering_follows_how_long_a_batch_takes_within_bounds_and_only_in_a_stream(
    busy: bool, taken: float, least: int, wait: int
) -> None:
    consumer: Any = SimpleNamespace(
        _taken=taken, _most_ms=120.0, _fetch_max_wait_ms=500, _fetcher=SimpleNamespace(), gather_ms=least
    )
    PatientConsumer._gather(consumer, busy)
    assert consumer._fetcher._fetch_max_wait_ms == wait


@pytest.mark.parametrize(
    ("left", "most"),
    [(1.0, GATHER_MOST_MS[0]), (ENOUGH, GATHER_MOST_MS[0]), (SCARCE, GATHER_MOST_MS[1]), (0.0, GATHER_MOST_MS[1])],
)
def test_the_less_cpu_time_is_left_the_longer_may_be_gathered(left: float, most: float) -> None:
    assert most_ms(left) == pytest.approx(most)
    assert GATHER_MOST_MS[0] < most_ms((ENOUGH + SCARCE) / 2) < GATHER_MOST_MS[1]


@pytest.mark.parametrize(
    ("rate", "gather_ms", "stream"),
    [
        (1000, GATHER_MS, True),
        (90, GATHER_MS, False),
        (20, 300, True),
        (9, 300, False),
        (4, 1000, True),
        (2, 1000, False),
    ],
)
def test_it_is_a_stream_where_some_records_come_in_the_time_that_the_broker_may_gather(
    rate: int, gather_ms: int, stream: bool
) -> None:
    pace = Pace()
    busy = [pace.busy(rate, float(second), gather_ms) for second in range(1, 5)]
    assert busy[-1] is stream
