"""Offers: the scores of the definition, and nothing that may not be offered."""

from dataclasses import replace

import numpy as np
import pytest

from services.scoring.domain.wishes.evidence import Evidence
from services.scoring.domain.wishes.habits import Habits
from services.scoring.domain.wishes.offers import not_due, offers
from services.scoring.domain.wishes.profiles import Profiles
from services.scoring.domain.wishes.shelf import Catalogue, Knowledge, Shelf
from tests.scoring.wishes.baskets import on
from tests.scoring.wishes.shop import CATEGORIES, MEMORY, MIX, PRODUCTS, TODAY, Shop, scores_by_definition

SHOP = Shop(customers=700, seed=8)


def nothing_excluded(customers: int) -> np.typing.NDArray[np.bool_]:
    return np.zeros((customers, CATEGORIES), bool)


def profile(*baskets: tuple[int, ...]) -> Profiles:
    """One customer; each basket a day and its products."""
    return Profiles.of([Habits.of([on(*basket) for basket in baskets], MEMORY).pack()])


@pytest.mark.parametrize("number", [1, 10, 40])
def test_the_best_scores_are_those_of_the_definition(number: int) -> None:
    excluded = np.random.default_rng(3).random((SHOP.customers, CATEGORIES)) < 0.3
    expected = scores_by_definition(SHOP, excluded)
    best = -np.sort(-expected, axis=1)[:, :number]
    found = offers(SHOP.shelf, SHOP.profiles, TODAY, MEMORY, number, excluded)
    assert np.isfinite(best).any()
    np.testing.assert_allclose(found.scores, best, rtol=1e-9)
    for customer, (items, scores) in enumerate(zip(*found, strict=True)):
        real = items >= 0
        assert (real == np.isfinite(scores)).all()
        assert len(set(items[real].tolist())) == real.sum()
        np.testing.assert_allclose(expected[customer, (items[real] - 10) // 3], scores[real], rtol=1e-9)


def test_a_customer_alone_is_offered_what_they_are_offered_among_many() -> None:
    together = offers(SHOP.shelf, SHOP.profiles, TODAY, MEMORY, 10)
    for customer in range(0, SHOP.customers, 53):
        alone = Profiles.of([SHOP.base[customer].pack()])
        assert offers(SHOP.shelf, alone, TODAY, MEMORY, 10).items.tolist() == [together.items[customer].tolist()]


def test_nobody_knows_a_new_customer_who_is_offered_what_is_popular() -> None:
    found = offers(SHOP.shelf, Profiles.of([Habits().pack()]), TODAY, MEMORY, 5)
    assert found.items[0].tolist() == SHOP.catalogue.items[SHOP.shelf.head[:5]].tolist()


def test_whoever_wants_to_hear_of_no_category_is_offered_nothing() -> None:
    excluded = ~nothing_excluded(SHOP.customers)
    found = offers(SHOP.shelf, SHOP.profiles, TODAY, MEMORY, 5, excluded)
    assert (found.items == -1).all()
    assert np.isneginf(found.scores).all()


def test_with_the_popular_category_excluded_the_next_popular_products_are_found() -> None:
    excluded = nothing_excluded(1)
    excluded[0, 0] = True
    found = offers(SHOP.shelf, Profiles.of([Habits().pack()]), TODAY, MEMORY, 10, excluded)
    allowed = np.where(SHOP.catalogue.category == 0, 0.0, SHOP.shelf.popular)
    expected = np.sort(allowed)[::-1][:10]
    assert found.scores[0][expected > 0] == pytest.approx(expected[expected > 0])
    assert (found.items[0] >= 0).sum() == (expected > 0).sum() > 0


def test_what_cannot_be_had_is_not_offered_however_often_it_was_bought() -> None:
    gone = SHOP.catalogue.items[4]
    regular = profile(*((day, int(gone)) for day in range(0, 100, 5)))
    assert gone not in offers(SHOP.shelf, regular, TODAY, MEMORY, 40).items


def test_a_product_the_catalogue_has_never_heard_of_changes_nothing() -> None:
    known, stranger = profile((90, 10)), profile((90, 10, 11, 2**31 - 1))
    assert (
        offers(SHOP.shelf, stranger, TODAY, MEMORY, 10).items.tolist()
        == offers(SHOP.shelf, known, TODAY, MEMORY, 10).items.tolist()
    )


def test_a_product_usually_bought_every_three_weeks_is_not_due_after_one() -> None:
    profiles = profile((0, 1), (21, 1), (42, 1))
    assert not_due(profiles, 49, 0.5).tolist() == [True]
    assert not_due(profiles, 53, 0.5).tolist() == [False]
    assert not_due(profiles, 49, 0.0).tolist() == [False]
    assert not_due(profile((0, 1), (21, 1)), 22, 0.5).tolist() == [False]


def test_a_product_that_nobody_buys_twice_is_a_weak_repeat() -> None:
    base = [Habits.of([on(100, 1, 2), on(100 - customer % 50, 2)], MEMORY) for customer in range(100)]
    evidence = Evidence.of(Profiles.of([habits.pack() for habits in base]), MEMORY, 32)
    catalogue = Catalogue(np.array([1, 2]), np.zeros(2, np.int64), np.ones(2, bool))
    shelf = Shelf.of(Knowledge.of(evidence, catalogue), replace(MIX, together=0.0, popular=1e-6, again=1.0))
    found = offers(shelf, profile((100, 1, 2)), TODAY, MEMORY, 2)
    assert found.items.tolist() == [[2, 1]]
    assert found.scores[0, 0] > 5 * found.scores[0, 1]


def test_an_empty_shop_offers_nothing_and_no_customers_are_offered_nothing() -> None:
    empty = Catalogue(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, bool))
    shelf = Shelf.of(Knowledge.of(SHOP.evidence, empty), MIX)
    assert offers(shelf, SHOP.profiles, TODAY, MEMORY, 3).items.tolist() == [[-1] * 3] * SHOP.customers
    assert offers(SHOP.shelf, Profiles.of([]), TODAY, MEMORY, 3).items.shape == (0, 3)
    new = Shelf.of(Knowledge.of(Evidence(), SHOP.catalogue), MIX)
    assert offers(new, Profiles.of([Habits().pack()]), TODAY, MEMORY, 3).items.tolist() == [[-1] * 3]


def test_more_offers_than_products_leave_room() -> None:
    found = offers(SHOP.shelf, SHOP.profiles, TODAY, MEMORY, PRODUCTS + 50)
    assert (found.items[:, -50:] == -1).all()
