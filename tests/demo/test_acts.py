"""The story's own arithmetic; the story itself is played in `test_journey.py`."""

import pytest

from demo.acts import steady_rate
from demo.result import Pace


@pytest.mark.parametrize(
    ("events_per_second", "rate"), [(900.0, 200.0), (1500.0, 350.0), (90.0, 50.0), (99_000.0, 1000.0)]
)
def test_the_steady_rate_leaves_the_machine_air_to_breathe(events_per_second: float, rate: float) -> None:
    assert steady_rate(Pace(int(events_per_second * 10), 1.0, 10.0)) == rate
