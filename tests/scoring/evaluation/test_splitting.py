"""The past is cut in two without letting the models see what comes."""

from pathlib import Path

import numpy as np
import pytest

from services.scoring.evaluation.splitting import earlier, split
from tests.scoring.evaluation.files import day, sales_of

END, UNTIL = day("2024-06-30"), day("2024-12-31")


def test_several_purchases_on_a_day_are_one_purchase_day_with_all_their_money(tmp_path: Path) -> None:
    rows = ["a,2024-01-01,5", "a,2024-01-15,5", "a,2024-01-15,7", "a,2024-07-01,1", "a,2024-07-01,2", "a,2024-08-01,3"]
    cut = split(sales_of(tmp_path, rows), END, UNTIL)
    assert (cut.base.x.tolist(), cut.base.t_x.tolist(), cut.base.spend.tolist()) == ([1.0], [2.0], [12.0])
    assert (cut.future.purchases.tolist(), cut.future.money.tolist()) == ([2.0], [6.0])


def test_a_return_lowers_the_money_of_the_purchase_before_it_and_is_none_itself(tmp_path: Path) -> None:
    rows = [
        "a,2024-01-01,5",
        "a,2024-02-01,30",
        "a,2024-03-01,-10",
        "b,2024-02-01,-4",
        "b,2024-03-01,8",
        "a,2024-07-09,-20",
    ]
    cut = split(sales_of(tmp_path, rows), END, UNTIL)
    assert (cut.base.x.tolist(), cut.base.spend.tolist(), cut.base.money.tolist()) == (
        [1.0, 0.0],
        [20.0, 0.0],
        [25.0, 8.0],
    )
    assert (cut.future.purchases.tolist(), cut.future.money.tolist()) == ([0.0, 0.0], [-20.0, 0.0])
    assert cut.lost_returns == 1


def test_customers_first_seen_in_the_holdout_are_counted_and_not_measured(tmp_path: Path) -> None:
    cut = split(
        sales_of(tmp_path, ["b,2024-07-01,5", "a,2024-01-01,5", "a,2024-09-01,5", "c,2024-08-01,5"]), END, UNTIL
    )
    assert (cut.newcomers, len(cut.base.x), cut.future.purchases.tolist()) == (2, 1, [1.0])


def test_what_lies_after_the_holdout_is_not_looked_at(tmp_path: Path) -> None:
    cut = split(sales_of(tmp_path, ["a,2024-01-01,5", "a,2024-09-01,5", "a,2025-01-01,5"]), END, UNTIL)
    assert (cut.future.purchases.tolist(), cut.later_rows) == ([1.0], 1)


def test_the_order_of_the_rows_changes_nothing(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    rows = [
        f"c{random.integers(9)},2024-{1 + random.integers(12):02}-{1 + random.integers(28):02},{n - 20}"
        for n in range(200)
    ]
    one = split(sales_of(tmp_path, rows), END, UNTIL)
    other = split(sales_of(tmp_path, sorted(rows)), END, UNTIL)
    assert sorted(one.base.money.tolist()) == pytest.approx(sorted(other.base.money.tolist()))
    assert sorted(one.base.t_x.tolist()) == sorted(other.base.t_x.tolist())


def test_the_calibration_itself_can_be_cut_for_a_comparison(tmp_path: Path) -> None:
    rows = ["a,2024-01-01,5", "a,2024-06-20,5", "b,2024-06-25,5", "c,2024-02-01,3", "c,2024-03-01,4", "a,2024-07-01,1"]
    cut = split(sales_of(tmp_path, rows), END, UNTIL)
    inner = earlier(cut, 4)
    assert (inner.base.x.tolist(), inner.future.purchases.tolist(), inner.future.money.tolist()) == (
        [0, 1],
        [1, 0],
        [5, 0],
    )
    assert (inner.end, inner.until, inner.future.weeks) == (day("2024-06-02"), END, 4.0)
