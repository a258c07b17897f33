"""EMPC against its own definition, integrated numerically."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import beta

from services.scoring.domain.fitting import Floats
from services.scoring.domain.uplift.empc import Campaign, empc

DEFAULTS = Campaign()
rows = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: 0 < sum(left for _, left in rows) < len(rows)
)


def by_definition(score: Floats, churned: Floats, terms: Campaign) -> tuple[float, float]:
    """The best threshold for each of 4,000 equally probable acceptance rates."""
    rates = beta(terms.alpha, terms.beta).ppf((np.arange(4_000) + 0.5) / 4_000)
    addressed = np.array([score >= t for t in [*np.unique(score), np.inf]])
    leavers, stayers = (addressed @ churned) / len(score), (addressed @ (1 - churned)) / len(score)
    saved = rates[:, None] * (terms.value - terms.offer) - terms.contact
    profit = saved * leavers - (terms.offer + terms.contact) * stayers
    share = (leavers + stayers)[profit.argmax(axis=1)]
    return float(profit.max(axis=1).mean()), float(share.mean())


@given(rows)
@settings(max_examples=40, deadline=None)
def test_the_closed_form_is_the_definition(rows: list[tuple[int, bool]]) -> None:
    score, churned = np.array(rows, dtype=float).T
    found, (profit, share) = empc(score, churned), by_definition(score, churned, DEFAULTS)
    assert found.profit == pytest.approx(profit, rel=1e-3, abs=1e-3)
    assert found.share == pytest.approx(share, abs=2e-3)


@pytest.mark.parametrize("terms", [Campaign(value=50.0), Campaign(offer=40.0, contact=5.0), Campaign(alpha=2, beta=2)])
def test_other_terms_too(terms: Campaign) -> None:
    rng = np.random.default_rng(1)
    churned = (rng.random(500) < 0.25).astype(float)
    score = rng.normal(churned, 1.0)
    profit, share = by_definition(score, churned, terms)
    found = empc(score, churned, terms)
    assert (found.profit, found.share) == pytest.approx((profit, share), rel=2e-3)


def test_a_score_that_knows_all_addresses_the_leavers_alone() -> None:
    churned = np.repeat([1.0, 0.0], [26, 74])
    found = empc(churned, churned)
    assert found.profit == pytest.approx(0.26 * (0.3 * 190 - 1), rel=1e-3)
    assert found.share == pytest.approx(0.26, rel=1e-3)


def test_a_better_score_earns_more() -> None:
    rng = np.random.default_rng(2)
    churned = (rng.random(2_000) < 0.14).astype(float)
    noise = rng.normal(0, 1, 2_000)
    profits = [empc(strength * churned + noise, churned).profit for strength in (0.0, 0.5, 1.0, 2.0, 8.0)]
    assert profits == sorted(profits)


@pytest.mark.parametrize("churned", [np.zeros(4), np.ones(4)])
def test_where_all_left_or_none_did_there_is_no_figure(churned: Floats) -> None:
    with pytest.raises(ValueError, match="needs"):
        empc(np.arange(4.0), churned)
