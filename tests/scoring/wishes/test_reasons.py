"""Reasons: the largest part of an offer's score, in words."""

from dataclasses import replace

import numpy as np
import pytest

from services.scoring.domain.wishes.evidence import Evidence
from services.scoring.domain.wishes.habits import Habit, Habits
from services.scoring.domain.wishes.offers import offers
from services.scoring.domain.wishes.profiles import Profiles
from services.scoring.domain.wishes.reasons import Reason, reason
from services.scoring.domain.wishes.shelf import Catalogue, Knowledge, Shelf
from tests.scoring.wishes.baskets import on
from tests.scoring.wishes.shop import MEMORY, MIX, TODAY, Shop

SHOP = Shop(customers=700, seed=8)


def name(item: int) -> str:
    return f"product {item}"


@pytest.mark.parametrize(
    ("habit", "words"),
    [
        (Habit(1, 6, 0, 105, 2.0), "bought 6 times, usually every 3 weeks, last 4 weeks ago"),
        (Habit(1, 1, 132, 132, 1.0), "bought once, 1 day ago"),
        (Habit(1, 1, 133, 133, 1.0), "bought today"),
        (Habit(1, 3, 131, 133, 1.0), "bought 3 times, usually every day, last today"),
        (Habit(1, 2, 130, 130, 1.0), "bought 2 times, last 3 days ago"),
        (Habit(1, 1200, -60_000, 10, 1.0), "bought 1,200 times, usually every 7 weeks, last 4 months ago"),
        (None, "popular"),
        (Habit(2, 6, 0, 105, 2.0), "often bought with product 2"),
    ],
)
def test_reasons_can_be_read_aloud(habit: Habit | None, words: str) -> None:
    assert Reason(1, habit, 0.5, 133).words(name) == words


def test_what_is_bought_again_and_again_is_offered_for_that() -> None:
    habits = Habits.of([on(day, 10 + 3 * 11) for day in (10, 31, 52, 73)], MEMORY)
    found = reason(SHOP.shelf, habits, 10 + 3 * 11, TODAY, MEMORY)
    assert found is not None
    assert found.words(name) == "bought 4 times, usually every 3 weeks, last 4 weeks ago"
    assert 0.5 < found.part < 1


def test_what_others_like_them_buy_is_offered_for_that() -> None:
    bought, expected = int(SHOP.knowledge.bought[0]), int(SHOP.knowledge.expected[0])
    item, other = (int(SHOP.catalogue.items[place]) for place in (bought, expected))
    habits = Habits.of([on(day, item) for day in range(50, 101)], MEMORY)
    found = reason(SHOP.shelf, habits, other, TODAY, MEMORY)
    assert found is not None
    assert found.words(name) == f"often bought with {name(item)}"


def test_several_companions_together_speak_louder_than_one_purchase_and_the_strongest_is_named() -> None:
    baskets = [on(100, 1, 2)] * 60 + [on(100, 1, 2, 3)] * 60 + [on(100, 3)] * 10
    base = [Habits.of([basket], MEMORY) for basket in baskets]
    evidence = Evidence.of(Profiles.of([habits.pack() for habits in base]), MEMORY, 32)
    catalogue = Catalogue(np.array([1, 2, 3]), np.zeros(3, np.int64), np.ones(3, bool))
    shelf = Shelf.of(Knowledge.of(evidence, catalogue), replace(MIX, popular=0.1))
    found = reason(shelf, Habits.of([on(100, 1, 2, 3)], MEMORY), 1, 100, MEMORY)
    assert found is not None
    assert found.words(name) == "often bought with product 2"


def test_a_new_customer_is_offered_what_is_popular() -> None:
    top = int(SHOP.catalogue.items[SHOP.shelf.head[0]])
    assert reason(SHOP.shelf, Habits(), top, TODAY, MEMORY) == Reason(top, None, 1.0, TODAY)


def test_nothing_speaks_for_what_nobody_sells_or_buys() -> None:
    unsold = int(SHOP.catalogue.items[4])
    assert reason(SHOP.shelf, Habits(), 11, TODAY, MEMORY) is None
    assert reason(SHOP.shelf, Habits(), unsold, TODAY, MEMORY) is None


def test_every_offer_has_a_reason_which_is_part_of_its_score() -> None:
    found = offers(SHOP.shelf, SHOP.profiles, TODAY, MEMORY, 10)
    for customer in range(0, SHOP.customers, 29):
        for item in found.items[customer][found.items[customer] >= 0].tolist():
            why = reason(SHOP.shelf, SHOP.base[customer], item, TODAY, MEMORY)
            assert why is not None
            assert 1 / 3 <= why.part <= 1 + 1e-12
            assert why.habit is None or why.habit in SHOP.base[customer].kept
