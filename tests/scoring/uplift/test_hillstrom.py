"""The part of Hillstrom's protocol that a unit test can afford: four linear learners, measured briefly.

The whole of it, all learners and outcomes: `python -m tests.scoring.bars hillstrom`.
"""

from statistics import mean

import pytest

from services.scoring.domain.uplift.bases import Linear
from services.scoring.domain.uplift.learners import Learner
from services.scoring.domain.uplift.measuring import Effort, Recipe
from tests.scoring.hillstrom import MENS, SEEDS, WOMENS, Judged, judge

LEARNERS: tuple[Learner, ...] = ("S", "T", "DR", "CVT")
QUICK = Effort(divisions=1, parts=3, draws=30)
LIGHT = tuple(Recipe(learner, Linear()) for learner in LEARNERS)


@pytest.fixture(scope="module")
def women() -> list[Judged]:
    return [judge(WOMENS, "visit", seed, LIGHT, QUICK) for seed in SEEDS]


def test_visits_by_women_s_mail_are_ranked_well_by_the_learner_chosen_within_the_training_part(
    women: list[Judged],
) -> None:
    assert mean(judged.qini for judged in women) >= 0.060
    assert {judged.choice.policy for judged in women} == {"by uplift"}


def test_the_chosen_learner_is_never_below_the_response_model(women: list[Judged]) -> None:
    assert all(judged.qini >= judged.response for judged in women)


def test_the_first_third_is_moved_by_six_points_where_the_average_is_four_and_a_half(women: list[Judged]) -> None:
    assert mean(judged.first_30 for judged in women) >= 0.060


def test_the_interval_within_the_training_part_holds_what_the_test_part_shows(women: list[Judged]) -> None:
    """The mean over the seeds: each test part alone is as uncertain as the training part, and more."""
    unseen = mean(judged.qini for judged in women)
    assert all(judged.choice.chosen.qini.low < unseen < judged.choice.chosen.qini.high for judged in women)


def test_orders_by_men_s_mail_are_the_same_for_all_who_are_then_all_mailed() -> None:
    choice = judge(MENS, "conversion", 0, LIGHT, QUICK).choice
    assert choice.policy == "treat all"
    assert choice.chosen.qini.low < 0 < choice.chosen.qini.high
