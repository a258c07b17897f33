"""Pools: a mixture is what its parts are, weighted by what came."""

import numpy as np
import pytest

from services.scoring.domain.counts import poisson
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.pool import Pool, p_of_count, stacked

ONE, OTHER = MbgCnbd(1, 0.6, 7.0, 0.9, 1.6), MbgCnbd(1, 0.5, 7.5, 1.5, 2.4, 0.15)
SEEN = (np.array([0.0, 2, 9]), np.array([0.0, 20, 38]), np.array([30.0, 39, 39]))


def test_a_pool_of_one_is_that_one() -> None:
    pool = Pool((ONE,), (1.0,))
    assert pool.expected_purchases(*SEEN, 39.0) == pytest.approx(ONE.expected_purchases(*SEEN, 39.0))
    assert pool.p_no_purchase(*SEEN, 39.0) == pytest.approx(ONE.p_no_purchase(*SEEN, 39.0))


def test_a_pool_lies_between_its_models_and_agrees_with_itself() -> None:
    pool, whose = Pool((ONE, OTHER), (0.25, 0.75)), np.arange(3)
    parts = [model.expected_purchases(*SEEN, 39.0) for model in (ONE, OTHER)]
    assert pool.expected_purchases(*SEEN, 39.0) == pytest.approx(0.25 * parts[0] + 0.75 * parts[1])
    reached = pool.at_least(*SEEN, 39.0)
    assert reached(1.0, whose) == pytest.approx(1 - pool.p_no_purchase(*SEEN, 39.0))
    assert np.sum([reached(float(n), whose) for n in range(1, 400)], axis=0) == pytest.approx(
        pool.expected_purchases(*SEEN, 39.0), rel=1e-6
    )


def test_the_probability_of_a_count_is_the_difference_of_two_tails() -> None:
    p = p_of_count(poisson(np.array([2.0, 2.0, 0.0])), np.array([0.0, 3.0, 0.0]))
    assert p == pytest.approx([np.exp(-2), np.exp(-2) * 8 / 6, 1.0])


def test_weights_follow_what_came() -> None:
    random = np.random.default_rng(3)
    came = random.poisson(np.where(random.random(5_000) < 0.7, 1.0, 4.0)).astype(float)
    p = [p_of_count(poisson(np.full(5_000, rate)), came) for rate in (1.0, 4.0)]
    assert stacked((ONE, OTHER), p).weights == pytest.approx((0.7, 0.3), abs=0.03)


def test_a_model_that_adds_nothing_is_left_out() -> None:
    came = np.random.default_rng(4).poisson(1.0, 3_000).astype(float)
    pool = stacked((ONE, OTHER), [p_of_count(poisson(np.full(3_000, rate)), came) for rate in (1.0, 9.0)])
    assert (pool.models, pool.weights) == ((ONE,), (1.0,))
