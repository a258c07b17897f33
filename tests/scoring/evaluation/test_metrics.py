"""Figures by hand, and none where there is none."""

import numpy as np
import pytest

from services.scoring.domain.fitting import Floats
from services.scoring.evaluation import metrics


def of(*values: float) -> Floats:
    return np.array(values, dtype=np.float64)


def test_figures_agree_with_those_by_hand() -> None:
    expected, actual = of(1, 2, 3, 0), of(0, 2, 5, 1)
    assert metrics.mae(expected, actual) == pytest.approx(1.0)
    assert metrics.rmse(expected, actual) == pytest.approx(np.sqrt(6 / 4))
    assert metrics.correlation(expected, actual) == pytest.approx(np.corrcoef(expected, actual)[0, 1])
    assert metrics.total_error(expected, actual) == pytest.approx(-0.25)
    assert metrics.brier(of(0.5, 0.9), of(1, 1)) == pytest.approx(0.13)


def test_ties_count_one_half_in_the_area_under_the_curve() -> None:
    assert metrics.auc(of(0.9, 0.5, 0.5, 0.1), of(1, 1, 0, 0)) == pytest.approx(3.5 / 4)
    assert metrics.auc(of(0.1, 0.9), of(1, 0)) == 0.0


def test_calibration_is_measured_in_ten_bins() -> None:
    p, happened = of(0.05, 0.05, 0.95, 1.0), of(0, 1, 1, 1)
    assert [(one.customers, one.actual) for one in metrics.reliability(p, happened)] == [(2, 0.5), (2, 1.0)]
    assert metrics.ece(p, happened) == pytest.approx((2 * 0.45 + 2 * 0.025) / 4)


def test_what_does_not_exist_is_none() -> None:
    none, same = of(), of(1, 1, 1)
    assert metrics.correlation(same, of(1, 2, 3)) is None
    assert metrics.total_error(same, of(0, 0, 0)) is None
    assert metrics.auc(of(0.1, 0.2), of(1, 1)) is None
    assert [figure(none, none) for figure in (metrics.mae, metrics.rmse, metrics.brier, metrics.ece)] == [None] * 4
