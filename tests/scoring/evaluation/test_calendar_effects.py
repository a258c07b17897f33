"""A calendar is believed in only if it foretells customers held back, and a year only if it was seen to repeat."""

from datetime import date
from pathlib import Path

import numpy as np

from services.scoring.evaluation.calendar_effects import Calendar, calendar_of
from services.scoring.evaluation.dates import EPOCH
from services.scoring.evaluation.forecasts import cells
from services.scoring.evaluation.splitting import Split, split
from tests.scoring.evaluation.files import cdnow, day, sales_of

START = day("2021-01-01")


def seasonal(customers: int, days: int, swing: float, seed: int, arrive: float = 0.8) -> list[str]:
    """Customers of a shop whose purchases swing with the year; they come over a part of the time."""
    random = np.random.default_rng(seed)
    most, rows = 1 + swing, []
    for number, rate in enumerate(random.gamma(1.5, 1 / 40, customers)):
        at, leaving = random.uniform(0, days * arrive), random.beta(0.7, 5.0)
        bought = True
        while at < days:
            if bought:
                rows.append(f"c{number},{date.fromordinal(START + EPOCH + int(at))},10")
                if random.random() < leaving:
                    break
            at += random.exponential(1 / (rate * most))
            bought = random.random() < (1 + swing * np.sin(2 * np.pi * at / 364)) / most
    return rows


def cut_of(path: Path, rows: list[str], learn: int, hold: int) -> Split:
    return split(sales_of(path, rows), START + learn, START + learn + hold)


def found(cut: Split) -> Calendar:
    return calendar_of(cut, cells(cut))


def test_a_base_without_seasons_gets_no_calendar(tmp_path: Path) -> None:
    calendar = found(cut_of(tmp_path, seasonal(1_500, 500, 0.0, seed=1), 364, 100))
    assert calendar.clock is None
    assert "did not foretell" in calendar.why


def test_customers_who_all_came_at_once_get_no_calendar(tmp_path: Path) -> None:
    calendar = found(cut_of(tmp_path, seasonal(1_500, 500, 0.8, seed=2, arrive=0.05), 364, 100))
    assert calendar.clock is None
    assert "came so much at once" in calendar.why


def test_a_year_seen_twice_is_expected_again(tmp_path: Path) -> None:
    cut = cut_of(tmp_path, seasonal(2_500, 1_000, 0.8, seed=3), 728, 182)
    calendar = found(cut)
    assert calendar.clock
    assert "expected again" in calendar.why
    assert calendar.clock.levels[-6:].min() > 1.0
    assert calendar.horizon(cut) > cut.future.weeks * 1.2


def test_one_year_seen_once_is_not_expected_again() -> None:
    calendar: Calendar = cdnow("sample").contest.calendar
    assert calendar.clock
    assert "no year has been seen to repeat" in calendar.why
    assert np.ptp(calendar.clock.levels[-9:]) == 0
