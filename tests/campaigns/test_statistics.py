"""The formulas give the numbers printed in their sources, and those of SciPy."""

import pytest
from scipy import stats

from services.campaigns.domain.statistics import Sample, newcombe, sample_ratio_p, welch, wilson

# Sleep of ten patients under two drugs: Student, Biometrika 6 (1908) 1-25; R's `sleep`.
DRUG_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
DRUG_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_intervals_of_newcombe_1998a_table_1(successes: int, n: int, low: float, high: float) -> None:
    found = wilson(successes, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("arms", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_newcombe_gives_the_intervals_of_newcombe_1998b_table_2(
    arms: tuple[int, int, int, int], low: float, high: float
) -> None:
    found = newcombe(*arms)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def sample(values: list[float]) -> Sample:
    return Sample(len(values), float(stats.tmean(values)), float(stats.tvar(values)))


def test_welch_gives_the_interval_that_r_prints_for_students_sleep_data() -> None:
    found = welch(sample(DRUG_1), sample(DRUG_2))
    assert found is not None
    assert (found.estimate, found.low, found.high) == pytest.approx((-1.58, -3.3654832, 0.2054832), abs=1e-7)


def test_welch_agrees_with_scipy_on_arms_of_different_size() -> None:
    found = welch(sample(DRUG_1[:3]), sample(DRUG_2), confidence=0.9)
    expected = stats.ttest_ind(DRUG_1[:3], DRUG_2, equal_var=False).confidence_interval(0.9)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_welch_knows_where_it_is_not_defined() -> None:
    assert welch(Sample(1, 5.0, 0.0), Sample(9, 1.0, 1.0)) is None
    assert welch(Sample(5, 0.0, 0.0), Sample(9, 0.0, 0.0)) is None


@pytest.mark.parametrize(("control", "treatment", "planned"), [(310, 690, 0.3), (400, 600, 0.3), (0, 10, 0.1)])
def test_the_sample_ratio_check_agrees_with_scipy(control: int, treatment: int, planned: float) -> None:
    n = control + treatment
    expected = stats.chisquare([control, treatment], [n * planned, n * (1 - planned)]).pvalue
    assert sample_ratio_p(control, treatment, planned) == pytest.approx(expected)
