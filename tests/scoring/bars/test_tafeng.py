"""Ta-Feng: offers must foretell the last baskets of customers never learnt from better than the rules of thumb and TIFU-KNN."""

import pytest

from tests.scoring.bars.tafeng import Choice, Outcome, Split, choose, histories, measure

LEARNERS = 1_500
"""Training customers that the mix is chosen on here; the command takes more, and tries more half-lives."""


@pytest.fixture(scope="module")
def result() -> tuple[Choice, Outcome]:
    everybody = histories()
    split = Split.of(len(everybody), seed=0)
    choice = choose([everybody[customer] for customer in split.training], LEARNERS, half_lives=(10.0,))
    return choice, measure(everybody, split, choice)


def test_the_test_customers_are_a_fifth_and_no_others() -> None:
    split = Split.of(13_858, seed=0)
    assert len(split.test) == 2_771
    assert sorted(split.test + split.training) == list(range(13_858))


def test_recall_is_above_what_the_best_known_neighbour_method_reaches(result: tuple[Choice, Outcome]) -> None:
    assert result[1].figures["ours"].recall >= 0.131


def test_every_rule_of_thumb_is_beaten_in_every_measure(result: tuple[Choice, Outcome]) -> None:
    figures = dict(result[1].figures)
    ours = figures.pop("ours")
    for name, theirs in figures.items():
        assert all(mine > other for mine, other in zip(ours, theirs, strict=True)), name


def test_the_rules_of_thumb_are_as_good_as_they_are_known_to_be(result: tuple[Choice, Outcome]) -> None:
    figures = result[1].figures
    for name, known in (("G-TopFreq", 0.084), ("P-TopFreq", 0.101), ("GP-TopFreq", 0.116)):
        assert figures[name].recall == pytest.approx(known, abs=0.01), name
