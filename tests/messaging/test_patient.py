"""How long the broker is to gather, by how long batches take."""

from types import SimpleNamespace
from typing import Any

import pytest

from shared.messaging.patient import GATHER_MOST_MS, GATHER_MS, PatientConsumer


@pytest.mark.parametrize(
    ("busy", "taken", "least", "wait"),
    [
        (True, 0.001, GATHER_MS, GATHER_MS),
        (True, 0.05, GATHER_MS, 100),
        (True, 9.0, GATHER_MS, GATHER_MOST_MS),
        (True, 0.05, 150, 150),
        (True, 9.0, 400, 400),
        (False, 9.0, 400, 500),
    ],
)
def test_gathering_follows_how_long_a_batch_takes_within_bounds_and_only_in_a_stream(
    busy: bool, taken: float, least: int, wait: int
) -> None:
    consumer: Any = SimpleNamespace(_taken=taken, _fetch_max_wait_ms=500, _fetcher=SimpleNamespace(), gather_ms=least)
    PatientConsumer._gather(consumer, busy)
    assert consumer._fetcher._fetch_max_wait_ms == wait
