"""A customer's own share: used where uplift differs by what is known of customers, and segments do not know it already."""

import math

import numpy as np
import pytest

from services.scoring.domain.fitting import Doubt
from services.scoring.domain.retention.catalogue import NO_ACTION, Prior
from services.scoring.domain.retention.own import NEVER_DAYS, READ, Judged, Lesson, Own, columns, judge, tried
from tests.scoring.retention.persuadable import HORIZON, QUICK, QUICK_RECIPES, lessons


def judged(some: list[Lesson], action: str = "call") -> Judged:
    return judge(some, action, Prior(), HORIZON, QUICK_RECIPES, QUICK)


def test_where_uplift_differs_by_a_feature_the_customers_own_share_is_proven_and_right() -> None:
    found = judged(lessons(3_000, 1, differ=True))
    assert found.proven
    assert found.qini is not None
    assert found.over_segments is not None
    assert found.own is not None
    assert min(found.qini.low, found.over_segments.low) > 0
    angry = {"complaint_90": 1.0, "complaint_days_since": 30.0, "visit_90": 3.0, "money": 100.0, "base_log_odds": 0.0}
    calm = angry | {"complaint_90": 0.0, "complaint_days_since": None}
    shares = found.own.share(angry), found.own.share(calm)
    assert shares == pytest.approx((0.4, -0.05), abs=0.12)
    assert Own.from_text(found.own.to_text()).share(angry) == shares[0]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_where_it_does_not_the_segments_stay(seed: int) -> None:
    found = judged(lessons(3_000, seed, differ=False))
    assert not found.proven
    assert found.whole is not None
    assert found.whole.low < 0.1 < found.whole.high


def test_what_segments_know_already_is_left_to_them() -> None:
    found = judged(lessons(3_000, 1, differ=True, by_segment=True))
    assert found.qini is not None
    assert found.over_segments is not None
    assert found.qini.low > 0
    assert found.over_segments.low <= 0
    assert not found.proven


@pytest.mark.parametrize(
    "some",
    [
        [],
        lessons(1, 1, differ=True),
        lessons(120, 1, differ=True),
        lessons(2_000, 1, differ=True, days=60),
        [one._replace(action=NO_ACTION) for one in lessons(500, 1, differ=True)],
        [one._replace(exploration=0.0) for one in lessons(500, 1, differ=True)],
    ],
)
def test_too_little_that_was_drawn_or_too_short_a_time_is_a_doubt(some: list[Lesson]) -> None:
    found = judged(some)
    assert (found.doubt, found.proven, found.own) == (Doubt.TOO_FEW, False, None)


def test_all_alike_is_no_error() -> None:
    alike = [one._replace(features={}) for one in lessons(2_000, 1, differ=True)]
    assert not judged(alike).proven
    stayed = [one._replace(stayed=True) for one in lessons(2_000, 1, differ=True)]
    assert not judged(stayed).proven


def test_the_propensity_is_that_of_the_arm_among_those_who_could_have_been_in_the_trial() -> None:
    some = lessons(20_000, 3, differ=True)
    known = tried(some, "call")
    assert known is not None
    # Shares of 0.05 and 0.1 with one action: half of the explored, and all who are left alone.
    assert known.trial.propensity == pytest.approx(0.05 / 0.15)
    assert known.trial.treated.mean() == pytest.approx(0.05 / 0.15, abs=0.01)
    assert tried(some, "gift") is None


def test_features_are_finite_whatever_is_known() -> None:
    nothing, odd = columns({}), columns({"money": -5.0, "visit_days_since": 9_000.0, "spend": None, "unheard": 1.0})
    assert len(nothing) == len(odd) == len(READ)
    assert np.isfinite([nothing, odd]).all()
    never = math.log1p(NEVER_DAYS)
    assert nothing[READ.index("visit_days_since")] == odd[READ.index("visit_days_since")] == never
