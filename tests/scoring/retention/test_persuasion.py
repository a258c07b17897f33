"""Beliefs: the prior without evidence, the truth with much of it, and never risk taken for persuadability."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.retention.catalogue import Prior
from services.scoring.domain.retention.evidence import Counts, Evidence, Outcome
from services.scoring.domain.retention.persuasion import Beliefs, beliefs
from tests.scoring.retention.offers import arms, outcomes

PRIOR = Prior()
RISKS = {"loyal": 0.95, "slipping": 0.7, "leaving": 0.3}


def counted(figures: dict[str, Counts]) -> Beliefs:
    return beliefs(Evidence({("call", stratum): counts for stratum, counts in figures.items()}), "call", PRIOR)


def expected(customers: int, control: int, effect: dict[str, float]) -> dict[str, Counts]:
    """Arms whose figures are as expected, to the whole customer, where those without action stay by their risk."""
    return {
        stratum: Counts(customers, round(customers * (stay + effect[stratum])), control, round(control * stay))
        for stratum, stay in RISKS.items()
    }


def test_without_evidence_the_prior_is_believed_of_everybody_alike() -> None:
    known = beliefs(Evidence(), "call", PRIOR)
    assert known.of("loyal") == known.of("leaving")
    assert known.elsewhere.mean == PRIOR.mean
    assert known.elsewhere.weight == 0


@pytest.mark.parametrize("alone", [((500, 450), (0, 0)), ((0, 0), (500, 50))])
def test_one_arm_alone_is_no_evidence(alone: tuple[tuple[int, int], tuple[int, int]]) -> None:
    assert beliefs(arms("call", "new", *alone), "call", PRIOR) == beliefs(Evidence(), "call", PRIOR)


def test_much_evidence_is_believed_as_it_is() -> None:
    effect = {"loyal": 0.0, "slipping": 0.12, "leaving": 0.05}
    known = counted(expected(400_000, 400_000, effect))
    for stratum, truth in effect.items():
        assert known.of(stratum).mean == pytest.approx(truth, abs=2e-3)
        assert known.of(stratum).weight > 0.95
        assert known.of(stratum).deviation < 2e-3


def test_an_action_that_drives_customers_away_is_believed_to_once_it_is_seen() -> None:
    known = counted({"loyal": Counts(50_000, 44_000, 50_000, 47_000)})
    assert known.of("loyal").mean == pytest.approx(-0.06, abs=5e-3)


def test_uneven_arms_of_strata_of_uneven_risk_are_no_sign_of_an_effect() -> None:
    """Where few are left alone, shrinking the arms each to its own mean would turn risk into an effect of .05 and more."""
    none = dict.fromkeys(RISKS, 0.0)
    known = counted(expected(2_000, 20, none))
    for stratum in RISKS:
        assert 0 <= known.of(stratum).mean <= PRIOR.mean


def test_a_small_stratum_borrows_from_the_others() -> None:
    effect = dict.fromkeys(RISKS, 0.05)
    figures = expected(20_000, 20_000, effect) | {"tiny": Counts(4, 2, 4, 3)}
    known = counted(figures)
    assert known.of("tiny").observed == -0.25
    assert known.of("tiny").mean == pytest.approx(0.05, abs=0.005)
    assert known.of("never seen") == known.elsewhere
    assert known.elsewhere.mean == pytest.approx(0.05, abs=0.005)


def test_strata_that_differ_are_not_poured_together() -> None:
    known = counted(expected(3_000, 3_000, {"loyal": 0.0, "slipping": 0.15, "leaving": 0.0}))
    assert known.of("slipping").mean > 0.11
    assert known.of("loyal").mean < 0.03


@settings(deadline=None)
@given(st.lists(outcomes, max_size=60))
def test_a_belief_lies_between_the_prior_and_what_was_observed(batch: list[Outcome]) -> None:
    evidence = Evidence.of(batch)
    known = beliefs(evidence, "call", PRIOR)
    seen = [belief.observed for belief in known.strata.values() if belief.observed is not None]
    for belief in (known.elsewhere, *known.strata.values()):
        assert min([PRIOR.mean, 0.0, *seen]) - 1e-12 <= belief.mean <= max([PRIOR.mean, *seen]) + 1e-12
        assert 0 <= belief.weight <= 1
        assert belief.deviation > 0


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(2, 50))
def test_the_same_figures_from_more_customers_weigh_more(treated: int, control: int, times: int) -> None:
    few = Counts(treated, treated // 2, control, control // 3)
    many = Counts(*(times * figure for figure in few))
    assert counted({"new": many}).of("new").weight > counted({"new": few}).of("new").weight


def test_intervals_hold_what_they_promise_where_the_prior_is_right() -> None:
    """Effects drawn from the prior, outcomes drawn from the effects: two deviations hold about 95 % of the truths."""
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(1_000):
        truth = rng.beta(PRIOR.alpha, PRIOR.beta)
        known = counted({"new": Counts(900, rng.binomial(900, min(1, 0.6 + truth)), 900, rng.binomial(900, 0.6))})
        held += abs(known.of("new").mean - truth) < 2 * known.of("new").deviation
    assert 0.93 < held / 1_000 < 0.99
