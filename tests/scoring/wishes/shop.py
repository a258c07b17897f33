"""A small shop: 300 products in four categories, customers whose baskets have a pattern, and scores by their definition."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from services.scoring.domain.fitting import Floats
from services.scoring.domain.wishes.evidence import Evidence
from services.scoring.domain.wishes.habits import Basket, Habits, Memory
from services.scoring.domain.wishes.profiles import Profiles
from services.scoring.domain.wishes.shelf import Catalogue, Knowledge, Mix, Shelf

PRODUCTS, CATEGORIES = 300, 4
MEMORY = Memory(half_life=40.0, capacity=32)
TODAY = 101
MIX = Mix(together=0.7, popular=20.0, again=0.5, ridge=2.0, due=0.6)


@dataclass(frozen=True)
class Shop:
    """Products are numbered 10, 13, 16, ...; one in ten cannot be had. Each customer prefers a tenth of the products."""

    customers: int
    seed: int

    @cached_property
    def base(self) -> list[Habits]:
        random = np.random.default_rng(self.seed)
        return [self._customer(random) for _ in range(self.customers)]

    def _customer(self, random: np.random.Generator) -> Habits:
        taste = int(random.integers(0, 10))
        baskets = []
        for _ in range(int(random.integers(0, 12))):
            products = np.minimum(random.geometric(0.1, int(random.integers(1, 8))) * 10 + taste, PRODUCTS - 1)
            baskets.append(Basket(int(random.integers(0, TODAY)), frozenset((10 + 3 * products).tolist())))
        return Habits.of(baskets, MEMORY)

    @cached_property
    def profiles(self) -> Profiles:
        return Profiles.of([habits.pack() for habits in self.base])

    @cached_property
    def catalogue(self) -> Catalogue:
        places = np.arange(PRODUCTS)
        # The popular half is of one category, which some customers will not hear of.
        category = np.where(places < 150, 0, 1 + places % (CATEGORIES - 1))
        return Catalogue(10 + 3 * places, category, places % 10 != 4)

    @cached_property
    def evidence(self) -> Evidence:
        return Evidence.of(self.profiles, MEMORY, 32)

    @cached_property
    def knowledge(self) -> Knowledge:
        return Knowledge.of(self.evidence, self.catalogue)

    @cached_property
    def shelf(self) -> Shelf:
        return Shelf.of(self.knowledge, MIX)


def scores_by_definition(shop: Shop, excluded: npt.NDArray[np.bool_]) -> Floats:
    """(customers, products): the formula of `offers`, one customer and one product after the other; -inf for what is barred."""
    knowledge, mix = shop.knowledge, MIX
    scores = np.tile(mix.popular * knowledge.share, (shop.customers, 1))
    slope = np.zeros((PRODUCTS, PRODUCTS))
    for bought, expected, together in zip(knowledge.bought, knowledge.expected, knowledge.together, strict=True):
        slope[bought, expected] = mix.together * together / (knowledge.own[bought] + mix.ridge)
    for customer, habits in enumerate(shop.base):
        for habit in habits.kept:
            weight, place = habit.weight_on(TODAY, MEMORY), (habit.item - 10) // 3
            scores[customer] += weight * slope[place]
            scores[customer, place] += weight * knowledge.again[place] ** mix.again
        for habit in habits.kept:
            usual = habit.interval or 0.0
            if habit.times >= 3 and TODAY - habit.last < mix.due * usual:
                scores[customer, (habit.item - 10) // 3] = -np.inf
    scores[:, ~shop.catalogue.available] = -np.inf
    scores[excluded[:, shop.catalogue.category]] = -np.inf
    scores[scores <= 0] = -np.inf
    return scores
