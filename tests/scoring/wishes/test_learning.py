"""Learning the mix: measures by hand, and choices that the data dictates."""

import numpy as np
import pytest

from services.scoring.domain.wishes.evidence import Evidence
from services.scoring.domain.wishes.habits import Habits, Memory
from services.scoring.domain.wishes.learning import START, Accuracy, Baskets, Lesson, accuracy, learn
from services.scoring.domain.wishes.profiles import Profiles
from services.scoring.domain.wishes.shelf import Catalogue, Knowledge
from tests.scoring.wishes.baskets import on

MEMORY = Memory(30.0, 16)


def test_measures_are_those_computed_by_hand() -> None:
    items = np.array([[1, 2, 3], [4, -1, -1], [5, 6, 7]])
    truth = Baskets.of([[3, 1, 9, 8], [4, 4], []])
    found = accuracy(items, truth)
    first = (1 + 1 / np.log2(4)) / (1 + 1 / np.log2(3) + 1 / np.log2(4))
    assert found == pytest.approx(Accuracy((2 / 4 + 1) / 2, (first + 1) / 2, 1.0))


def test_offers_that_hit_nothing_measure_nothing() -> None:
    assert accuracy(np.array([[1, 2], [3, -1]]), Baskets.of([[7], [8]])) == Accuracy(0.0, 0.0, 0.0)


def lesson(repeats: float, customers: int) -> Lesson:
    """Customers bought two of a group of five products; next they buy one of these again, or else a third of the group."""
    random = np.random.default_rng(6)
    pasts, nexts = [], []
    for _ in range(customers):
        group = 5 * int(random.integers(0, 40))
        first, second, third = (group + random.permutation(5)[:3]).tolist()
        pasts.append(Habits.of([on(int(random.integers(0, 30)), first, second)], MEMORY).pack())
        nexts.append([first] if random.random() < repeats else [third])
    profiles = Profiles.of(pasts)
    catalogue = Catalogue(np.arange(200), np.zeros(200, np.int64), np.ones(200, bool))
    knowledge = Knowledge.of(Evidence.of(profiles, MEMORY, 16), catalogue)
    return Lesson(profiles, 30, knowledge, MEMORY, Baskets.of(nexts))


def test_what_goes_together_is_weighed_where_customers_try_other_products() -> None:
    exploring = lesson(repeats=0.2, customers=600)
    mix, reached = learn(exploring)
    assert mix.together > 0
    assert reached == exploring.accuracy(mix)
    assert reached.recall >= exploring.accuracy(START).recall
    assert reached.recall > 0.9


def test_learning_twice_gives_the_same() -> None:
    assert learn(lesson(repeats=0.5, customers=100)) == learn(lesson(repeats=0.5, customers=100))
