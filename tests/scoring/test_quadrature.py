"""Expectations by quadrature against closed forms, and functions through polynomials against themselves."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.special import hyp2f1, hyperu

from services.scoring.domain.fitting import Floats
from services.scoring.domain.quadrature import DEGREE, beta_nodes, for_each, gamma_nodes

SHAPES = st.floats(0.05, 5_000)
POLES = st.floats(-11, 5).map(np.exp)


@settings(max_examples=100, deadline=None)
@given(shape=SHAPES, pole=POLES)
def test_gamma_nodes_have_the_moments_of_the_gamma_distribution(shape: float, pole: float) -> None:
    (at, weight), (at_next, weight_next) = gamma_nodes(shape), gamma_nodes(shape + 1)
    assert weight.sum() == pytest.approx(1.0)
    assert weight @ at == pytest.approx(shape, rel=1e-7)
    assert weight @ at**2 == pytest.approx(shape * (shape + 1), rel=1e-6)
    # g / (g + pole) and pole / (g + pole) add up to 1, and g times a gamma density is the next one's.
    first, second = shape * (weight_next @ (1 / (at_next + pole))), pole * (weight @ (1 / (at + pole)))
    assert first + second == pytest.approx(1.0, abs=1e-8)


@settings(max_examples=100, deadline=None)
@given(a=st.floats(0.05, 200), b=SHAPES, pole=POLES)
def test_beta_nodes_have_the_moments_of_the_beta_distribution(a: float, b: float, pole: float) -> None:
    (at, weight), (at_next, weight_next) = beta_nodes(a, b), beta_nodes(a + 1, b)
    assert weight.sum() == pytest.approx(1.0)
    assert weight @ at == pytest.approx(a / (a + b), rel=1e-6)
    assert weight @ at**2 == pytest.approx(a * (a + 1) / ((a + b) * (a + b + 1)), rel=1e-6)
    first, second = a / (a + b) * (weight_next @ (1 / (at_next + pole))), pole * (weight @ (1 / (at + pole)))
    assert first + second == pytest.approx(1.0, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(shape=st.floats(0.05, 2.9), pole=POLES)
def test_a_pole_close_to_the_nodes_does_not_spoil_them(shape: float, pole: float) -> None:
    at, weight = gamma_nodes(shape)
    closed = pole ** (shape - 1) * hyperu(shape, shape, pole)
    # SciPy's U is itself good to six or seven digits near whole numbers, and NaN at some from 4 on.
    assert weight @ (1 / (at + pole)) == pytest.approx(closed, rel=5e-6)


@pytest.mark.parametrize(("a", "b"), [(0.9, 1.6), (0.3, 12.0), (4.0, 0.5), (2.5, 8.0)])
@pytest.mark.parametrize("pole", [1e-4, 0.02, 1.5])
def test_the_same_holds_for_beta_nodes(a: float, b: float, pole: float) -> None:
    at, weight = beta_nodes(a, b)
    closed = hyp2f1(1.0, a, a + b, -1.0 / pole) / pole
    assert weight @ (1 / (at + pole)) == pytest.approx(closed, rel=1e-8)


def rational(x: float, clock: Floats) -> Floats:
    return (1.0 + x) / (clock + 1.0) + 1.0 / (clock + 30.0) ** 2


@pytest.mark.parametrize("customers", [0, 1, 5, 400])
def test_many_customers_get_the_value_that_each_alone_would_get(customers: int) -> None:
    random = np.random.default_rng(1)
    x, clock = random.integers(0, 3, customers).astype(float), np.exp(random.uniform(-2, 9, customers))
    together = for_each(rational, x, clock)
    assert together == pytest.approx([float(rational(k, np.array(c))) for k, c in zip(x, clock, strict=True)], rel=1e-8)


def test_customers_all_of_one_age_are_no_trouble() -> None:
    alike = np.full(3 * DEGREE, 7.0)
    assert for_each(rational, alike, alike) == pytest.approx(np.full_like(alike, rational(7.0, np.array(7.0))))
