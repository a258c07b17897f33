"""The mix of own purchases, what goes together and popularity, chosen on baskets that came after what is scored.

The caller sees to it that neither the profiles nor the evidence know the baskets: customers as they were before their
last basket, or a log of states put down with each order of a sample of customers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from services.scoring.domain.histogram import Ints
from services.scoring.domain.wishes.habits import Memory
from services.scoring.domain.wishes.offers import offers
from services.scoring.domain.wishes.profiles import Profiles
from services.scoring.domain.wishes.shelf import Knowledge, Mix, Shelf

NUMBER = 10
START = Mix(together=0.5, popular=10.0, again=0.5, ridge=10.0, due=0.0)
STEPS: Mapping[str, Sequence[float]] = {
    "together": (0.0, 0.05, 0.1, 0.2, 0.5, 0.8, 1.2, 2.0),
    "popular": (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0),
    "again": (0.0, 0.25, 0.5, 1.0),
    "ridge": (0.0, 1.0, 3.0, 10.0, 30.0),
    "due": (0.0, 0.25, 0.5),
}
"""What is tried for each part of the mix; steps of a factor of about two to three are finer than recall can tell."""
ROUNDS = 3


class Accuracy(NamedTuple):
    """Means over customers at the first `NUMBER` offers."""

    recall: float
    ndcg: float
    hit: float


class Baskets(NamedTuple):
    """What each customer bought next: customer c the items starts[c] up to starts[c + 1], sorted and each once."""

    starts: Ints
    items: Ints

    @classmethod
    def of(cls, baskets: Sequence[Sequence[int]]) -> "Baskets":
        sets = [sorted(set(basket)) for basket in baskets]
        starts = np.cumsum([0, *map(len, sets)])
        return cls(starts, np.array([item for basket in sets for item in basket], np.int64))


def accuracy(items: Ints, truth: Baskets) -> Accuracy:
    """Of offers (customers, number), -1 for none, against what was bought; customers who bought nothing do not count.

    Recall: share of the basket among the offers. nDCG: gain 1 / log2(rank + 1) over that of the best order. Hit: any.
    """
    sizes = np.diff(truth.starts)
    customers, number = items.shape
    base = int(max(items.max(initial=0), truth.items.max(initial=0))) + 2
    bought = np.repeat(np.arange(customers), sizes) * base + truth.items
    hits = np.isin(np.arange(customers)[:, None] * base + items, bought) & (items >= 0)
    discount = 1.0 / np.log2(np.arange(2, number + 2))
    best = np.cumsum(discount)[np.minimum(np.maximum(sizes, 1), number) - 1]
    some = sizes > 0
    each = (hits.sum(1) / np.maximum(sizes, 1), hits @ discount / best, hits.any(1).astype(float))
    return Accuracy(*(float(one[some].mean()) for one in each))


@dataclass(frozen=True)
class Lesson:
    """Customers on a day, what the base was known to do until then, and what each bought next."""

    profiles: Profiles
    day: int
    knowledge: Knowledge
    memory: Memory
    truth: Baskets

    def accuracy(self, mix: Mix) -> Accuracy:
        shelf = Shelf.of(self.knowledge, mix)
        return accuracy(offers(shelf, self.profiles, self.day, self.memory, NUMBER).items, self.truth)


def learn(lesson: Lesson, start: Mix = START, steps: Mapping[str, Sequence[float]] = STEPS) -> tuple[Mix, Accuracy]:
    """One part of the mix after the other set to what gives the highest recall, until nothing gains. Deterministic.

    Parts that are not in `steps` stay as they start.
    """
    best, reached = start, lesson.accuracy(start)
    for _ in range(ROUNDS):
        before = best
        for name, values in steps.items():
            for value in values:
                tried = replace(best, **{name: value})
                if tried != best and (result := lesson.accuracy(tried)).recall > reached.recall:
                    best, reached = tried, result
        if best == before:
            break
    return best, reached
