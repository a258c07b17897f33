"""How long the broker is to gather, by how long batches take."""

from types import SimpleNamespace
from typing import Any

import pytest

from shared.messaging.patient import GATHER_MOST_MS, GATHER_MS, PatientConsumer


@pytest.mark.parametrize(
    ("busy", "taken", "wait"),
    [(True, 0.001, GATHER_MS), (True, 0.05, 100), (True, 9.0, GATHER_MOST_MS), (False, 9.0, 500)],
)
def test_gathering_follows_how_long_a_batch_takes_within_bounds_and_only_in_a_stream(
    busy: bool, taken: float, wait: int
) -> None:
    consumer: Any = SimpleNamespace(_taken=taken, _fetch_max_wait_ms=500, _fetcher=SimpleNamespace())
    PatientConsumer._gather(consumer, busy)
    assert consumer._fetcher._fetch_max_wait_ms == wait
