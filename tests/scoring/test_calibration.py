"""The calibration table: merging equals the whole, and its figures are those computed from the rows."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.calibration import BINS, UNIT, Calibration, wilson
from services.scoring.domain.fitting import Floats
from services.scoring.evaluation import metrics

rows = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60)
some_rows = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def arrays(pairs: list[tuple[float, bool]]) -> tuple[Floats, Floats]:
    return np.array([p for p, _ in pairs]), np.array([float(y) for _, y in pairs])


def of(pairs: list[tuple[float, bool]]) -> Calibration:
    return Calibration.of(*arrays(pairs))


def same(left: Calibration, right: Calibration) -> bool:
    return left.pack() == right.pack()


@given(pairs=rows, data=st.data())
def test_any_parts_in_any_order_merge_into_the_table_of_the_whole(
    pairs: list[tuple[float, bool]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(pairs))
    cut = data.draw(st.integers(0, len(pairs)))
    merged = of(shuffled[cut:]).plus(of(shuffled[:cut]))
    assert same(merged, of(pairs))
    assert same(merged.minus(of(shuffled[:cut])), of(shuffled[cut:]))
    assert same(Calibration.unpack(merged.pack()), merged)


@given(some_rows)
def test_the_decomposition_adds_up_and_its_parts_are_those_of_the_rows(pairs: list[tuple[float, bool]]) -> None:
    p, y = arrays(pairs)
    parts = of(pairs).murphy()
    assert parts is not None
    assert parts.brier == pytest.approx(
        parts.reliability - parts.resolution + parts.uncertainty + parts.within, abs=1e-8
    )
    assert parts.brier == pytest.approx(float(np.mean((p - y) ** 2)), abs=1e-8)
    place = np.minimum((np.rint(p * UNIT) * BINS / UNIT).astype(int), BINS - 1)
    within = sum(bin_within(p[place == k], y[place == k]) for k in range(BINS)) / len(p)
    assert parts.within == pytest.approx(within, abs=1e-8)
    assert min(parts.reliability, parts.resolution, parts.uncertainty) >= -1e-12


def bin_within(p: Floats, y: Floats) -> float:
    """Spread of what was said in a bin, less twice how it went with what came."""
    if not len(p):
        return 0.0
    return float(((p - p.mean()) ** 2).sum() - 2 * ((p - p.mean()) * (y - y.mean())).sum())


@given(some_rows)
def test_figures_are_those_of_the_rows(pairs: list[tuple[float, bool]]) -> None:
    p, y = arrays(pairs)
    table = of(pairs)
    assert table.rows == len(p)
    assert table.brier == pytest.approx(metrics.brier(p, y), abs=1e-8)
    assert table.bias == pytest.approx(float(p.mean() - y.mean()), abs=1e-8)
    held = np.where(y == 1, p, 1 - p).clip(1e-9)
    assert table.log_loss == pytest.approx(float(-np.log(held).mean()), abs=1e-6)
    for bins in (1, 10, BINS):
        ece, curve = table.ece(bins), table.curve(bins)
        assert ece == pytest.approx(sum(one.rows * abs(one.said - one.came) for one in curve) / len(p), abs=1e-9)
        assert all(one.low <= one.came <= one.high for one in curve)


def test_calibration_error_of_ten_bins_is_that_of_the_evaluation() -> None:
    random = np.random.default_rng(3)
    p = random.beta(1, 3, 5_000)
    y = (random.random(5_000) < p**1.5).astype(float)
    assert Calibration.of(p, y).ece() == pytest.approx(metrics.ece(p, y), abs=1e-8)


def test_probabilities_that_hold_are_seen_to_hold() -> None:
    random = np.random.default_rng(3)
    p = random.beta(1, 3, 20_000)
    held = Calibration.of(p, (random.random(20_000) < p).astype(float))
    broken = Calibration.of(p, (random.random(20_000) < p**2).astype(float))
    good, bad = held.ece(), broken.ece()
    assert good is not None
    assert bad is not None
    assert good < 0.01
    assert bad > 0.08
    outside = [point for point in held.curve(50) if not point.low <= point.said <= point.high]
    assert len(outside) <= 6


def test_the_calibration_error_that_chance_shows_is_foretold() -> None:
    random = np.random.default_rng(7)
    shown, foretold = [], []
    for _ in range(100):
        p = random.beta(1, 3, 2_000)
        table = Calibration.of(p, (random.random(2_000) < p).astype(float))
        shown.append(table.ece())
        foretold.append(table.ece_by_chance())
    mean, deviation = np.array(foretold, float).mean(axis=0)
    assert np.mean(np.array(shown, float)) == pytest.approx(mean, rel=0.1)
    assert np.std(np.array(shown, float)) == pytest.approx(deviation, rel=0.25)


def test_wilson_intervals_are_the_published_ones() -> None:
    # Newcombe 1998, Statistics in Medicine 17, table I: 81/263, 15/148, 0/20, 1/29.
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (yes, n), interval in published.items():
        assert wilson(yes, n) == pytest.approx(interval, abs=5e-5)


def test_a_table_without_rows_has_no_figures() -> None:
    table = Calibration.empty()
    assert (table.brier, table.log_loss, table.bias, table.ece(), table.murphy(), table.curve()) == (None,) * 5 + ([],)


@pytest.mark.parametrize(("p", "y"), [(1.1, 1.0), (-0.1, 0.0), (float("nan"), 0.0), (0.5, 0.5), (0.5, float("nan"))])
def test_what_is_no_probability_or_no_outcome_is_refused(p: float, y: float) -> None:
    with pytest.raises(ValueError, match=r"probability|what came"):
        Calibration.of(np.array([p]), np.array([y]))
