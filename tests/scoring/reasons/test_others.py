"""The share of customers who spend less, from the histogram, against a full sort."""

import numpy as np

from services.scoring.domain.histogram import Histogram, moves
from services.scoring.domain.purchases import Purchases
from services.scoring.domain.reasons import share_spending_less, spend_counts
from tests.scoring.orders import synthetic_base
from tests.scoring.reasons.customers import bought


def of(base: list[Purchases]) -> Histogram:
    return Histogram().plus(moves((Purchases(), purchases) for purchases in base))


def test_the_share_that_spends_less_is_that_of_a_full_sort_to_a_hundredth() -> None:
    base, _ = synthetic_base(3_000, 800, seed=4)
    spends = np.sort([p.repeat_spend for p in base if p.repeat_spend > 0])
    shares = share_spending_less(spend_counts(of(base)), spends)
    exact = (np.arange(len(spends)) + 0.5) / len(spends)
    assert len(spends) > 1_000
    assert np.abs(shares - exact).max() < 0.01


def test_spends_below_one_are_in_their_place_too() -> None:
    base = [bought(*range(5), spend=spend) for spend in ("0.02", "0.50", "3", "40")]
    shares = share_spending_less(spend_counts(of(base)), np.array([0.02, 0.5, 3.0, 40.0]))
    assert shares.tolist() == [0.125, 0.375, 0.625, 0.875]


def test_where_nobody_came_back_everybody_is_in_the_middle() -> None:
    assert share_spending_less(spend_counts(Histogram()), np.array([5.0])).tolist() == [0.5]
