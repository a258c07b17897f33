"""Decision days: thirteen a horizon, each customer once a horizon, all of them mature."""

import itertools

import numpy as np
import pytest

from services.scoring.domain.churn.calendar import LATENESS_DAYS, PERIODS, PHASES, Calendar, draw
from services.scoring.domain.promotion import MIN_BLOCKS
from tests.scoring.events import customer


@pytest.mark.parametrize("horizon", [1, 7, 13, 30, 90, 365])
def test_decisions_are_mature_and_no_customer_has_two_labels_of_the_same_day(horizon: int) -> None:
    calendar = Calendar(20_000, horizon)
    for phase in range(PHASES):
        days = [calendar.day(phase, ago) for ago in range(PERIODS)]
        assert max(days) + horizon + LATENESS_DAYS <= calendar.today
        assert all(earlier + horizon <= later for later, earlier in itertools.pairwise(days))


@pytest.mark.parametrize("horizon", [1, 13, 30, 90])
def test_each_window_has_as_many_days_as_evidence_needs_and_a_gap_before_it(horizon: int) -> None:
    calendar = Calendar(20_000, horizon)
    days = np.array([calendar.day(phase, ago) for phase in range(PHASES) for ago in range(PERIODS)])
    for begin, end in calendar.windows():
        within = days[(days >= begin) & (days <= end)]
        assert len(set(within.tolist())) == PHASES >= MIN_BLOCKS
        train = days[calendar.maturity.split(days, begin).train]
        assert train.max() + horizon + LATENESS_DAYS <= begin
    assert calendar.windows()[1][1] == days.max()


def test_places_are_even_and_phases_know_nothing_of_them() -> None:
    draws = [draw(customer(number)) for number in range(5_000)]
    place, phase = np.array([one.place for one in draws]), np.array([one.phase for one in draws])
    assert np.histogram(place, 10, (0, 1))[0] == pytest.approx(500, abs=100)
    assert np.bincount(phase, minlength=PHASES) == pytest.approx(5_000 / PHASES, abs=90)
    assert abs(np.corrcoef(place, phase)[0, 1]) < 0.05
    assert draw(customer(7)) == draw(customer(7))
