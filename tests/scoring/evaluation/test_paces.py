"""Customers' own pace is believed in only where it foretells the calibration's last quarter; pools, where there is something to pool."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from services.scoring.evaluation import summary
from services.scoring.evaluation.calendar_effects import Calendar
from services.scoring.evaluation.contest import STEADY, Entry, hold
from services.scoring.evaluation.dates import EPOCH
from services.scoring.evaluation.paces import traits_of
from services.scoring.evaluation.splitting import split
from tests.scoring.evaluation.files import cdnow, day, sales_of, shop

START = "2024-01-01"


def drifting(customers: int, days: int, seed: int) -> list[str]:
    """Rows of a shop whose customers' rates wander: halved or doubled from one season of theirs to the next."""
    random, rows = np.random.default_rng(seed), []
    for number, rate in enumerate(random.gamma(1.2, 1 / 25, customers)):
        at, leaving = random.uniform(0, days / 3), random.beta(0.7, 6.0)
        drift, turns = 1.0, at + 60.0
        while at < days:
            rows.append(f"c{number},{date.fromordinal(day(START) + EPOCH + int(at))},10")
            if random.random() < leaving:
                break
            at += random.exponential(1 / (rate * drift))
            if at > turns:
                drift, turns = drift * float(random.choice([0.4, 2.5])), at + 60.0
    return rows


def test_rates_that_wander_are_seen_in_the_last_gap(tmp_path: Path) -> None:
    cut = split(sales_of(tmp_path, drifting(2_500, 720, seed=2)), day(START) + 400, day(START) + 720)
    contest = hold(cut)
    assert isinstance(contest.winner, Entry)
    assert contest.winner.pace
    assert contest.winner.pace.trend < -0.1
    paced, plain = (entry.forecast(cut).purchases for entry in (contest.winner, contest.entries[-2]))
    came = cut.future.purchases
    assert np.corrcoef(paced, came)[0, 1] > np.corrcoef(plain, came)[0, 1]
    assert paced.sum() == pytest.approx(plain.sum(), rel=0.03)


def test_steady_customers_are_moved_little(tmp_path: Path) -> None:
    cut = split(sales_of(tmp_path, shop(2_000, 540, seed=5)), day(START) + 360, day(START) + 540)
    contest = hold(cut)
    assert isinstance(contest.winner, Entry)
    assert not contest.winner.pace or abs(contest.winner.pace.trend) < 0.12


def test_a_short_calibration_is_not_looked_back_on(tmp_path: Path) -> None:
    contest = hold(split(sales_of(tmp_path, shop(3_000, 150, seed=6)), day(START) + 50, day(START) + 150))
    assert contest.paces.pace is None
    assert "shorter than 8 weeks" in contest.paces.why


def test_traits_are_read_off_the_clock_and_in_the_order_of_customers(tmp_path: Path) -> None:
    rows = ["b,2024-01-01,20", "a,2024-01-15,5", "b,2024-01-29,20", "b,2024-02-05,20"]
    cut = split(sales_of(tmp_path, rows), day("2024-02-12"), day("2024-03-12"))
    found = traits_of(cut, STEADY)
    trend = np.log((1.0 + 2.5) / (6.0 / 3 + 2.5))
    order = np.argsort(-cut.base.x)
    assert found[order, 0] == pytest.approx([trend, 0.0])
    assert found[order, 1] == pytest.approx([np.log(2) / 3, -np.log(2)])


def test_what_an_extension_is_worth_is_weighed() -> None:
    chosen = cdnow("master").chosen
    assert chosen
    assert chosen.pool
    assert [model.loyal > 0 for model in chosen.pool.models] == [False, True]
    assert sum(chosen.pool.weights) == pytest.approx(1.0)
    assert min(chosen.pool.weights) > 0.3
    models = cdnow("master").models
    pooled, alone = models["mbg-nbd+loyal+calendar+pool"].accuracy, models["mbg-nbd+loyal+calendar"].accuracy
    assert all((pooled.figures[one] or 9) < (alone.figures[one] or 0) for one in ("mae", "mae_of_expectation", "rmse"))


def test_pool_and_pace_are_told_in_words_and_figures() -> None:
    told = json.loads(json.dumps(summary.as_json(cdnow("master"))))
    assert [one["model"] for one in told["choice"]["pool"]] == ["mbg-nbd", "mbg-nbd+loyal"]
    assert told["choice"]["pace"]["held_back_gain"] > 0
    assert "Pool: under mbg-nbd 0." in told["choice"]["why"]
    assert "Pace: learnt before the calibration's last quarter" in told["choice"]["why"]
    assert {"pace_trend", "pace_money", "loyal"} <= set(told["parameters"])


def test_the_same_file_gives_the_same_figures_again(tmp_path: Path) -> None:
    cut = split(sales_of(tmp_path, drifting(400, 500, seed=9)), day(START) + 300, day(START) + 500)
    one, again = hold(cut).winner, hold(cut).winner
    assert isinstance(one, Entry)
    assert isinstance(again, Entry)
    assert (one.candidate, one.pool, one.pace) == (again.candidate, again.pool, again.pace)
    assert one.forecast(cut).whole.tolist() == again.forecast(cut).whole.tolist()


def test_a_steady_calendar_shows_plain_weeks() -> None:
    assert Calendar(None, "").shown(np.array([0.0, 3.5])).tolist() == [0.0, 3.5]
