"""Ta-Feng, next basket: 13,858 customers of a grocer, their baskets in order; the last one is to be foretold.

Protocol: a random fifth of the customers is the test. Everything is learnt from the baskets of the others but for their last,
and chosen by how well it foretells the last but one; no last basket is looked at before the end. The data has an order and
no dates: a basket is a day here, and the next one is day 1.
"""

import gzip
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from services.scoring.domain.histogram import Ints
from services.scoring.domain.wishes.evidence import Evidence
from services.scoring.domain.wishes.habits import Basket, Habits, Memory
from services.scoring.domain.wishes.learning import NUMBER, START, STEPS, Accuracy, Baskets, Lesson, accuracy, learn
from services.scoring.domain.wishes.offers import offers
from services.scoring.domain.wishes.profiles import Profiles
from services.scoring.domain.wishes.shelf import Catalogue, Knowledge, Mix, Shelf

FILE = Path(__file__).parents[1] / "data" / "tafeng_baskets.txt.gz"
CAPACITY = 64
BREADTH = 32
PARTNERS = 64
NEXT = 1
HALF_LIVES = (2.5, 5.0, 10.0, 20.0)
SEEDS = range(5)
LEARNERS = 4_000
OURS: Mapping[str, Sequence[str]] = {
    "own purchases": ("together", "popular"),
    "and what is popular": ("together",),
    "and what goes together": (),
}
"""Each with the parts of the mix that it does without; the last one is what the service uses."""

History = Sequence[Sequence[int]]


def histories() -> list[History]:
    """The baskets of each customer, in order."""
    with gzip.open(FILE, "rt") as file:
        return [[list(map(int, basket.split())) for basket in line.split(";")] for line in file]


class Split(NamedTuple):
    """Positions of customers, in random order."""

    test: list[int]
    training: list[int]

    @classmethod
    def of(cls, customers: int, seed: int) -> "Split":
        order = np.random.default_rng(seed).permutation(customers).tolist()
        return cls(order[: customers // 5], order[customers // 5 :])


def packed(past: Iterable[History], memory: Memory) -> list[bytes]:
    """States of customers whose last basket known is of day 0."""
    return [
        Habits.of((Basket(day, frozenset(one)) for day, one in enumerate(baskets, 1 - len(baskets))), memory).pack()
        for baskets in past
    ]


@dataclass(frozen=True)
class Base:
    """What is known of the products from the pasts of some customers."""

    past: Sequence[History]
    memory: Memory

    @cached_property
    def states(self) -> list[bytes]:
        return packed(self.past, self.memory)

    @cached_property
    def knowledge(self) -> Knowledge:
        evidence = Evidence.of(Profiles.of(self.states), self.memory, BREADTH)
        items = evidence.items
        catalogue = Catalogue(items, np.zeros_like(items), np.ones(len(items), bool))
        return Knowledge.of(evidence.trimmed(len(items), PARTNERS), catalogue)


class Choice(NamedTuple):
    memory: Memory
    mix: Mix
    accuracy: Accuracy


def choose(
    training: Sequence[History],
    learners: int,
    half_lives: Sequence[float] = HALF_LIVES,
    without: Sequence[str] = (),
) -> Choice:
    """Half-life and mix that best foretell the last but one basket of so many training customers from those before it.

    `without`: parts of the mix that are left out, to see what they are worth.
    """
    start = replace(START, **dict.fromkeys(without, 0.0))
    steps = {name: values for name, values in STEPS.items() if name not in without}
    choices = []
    for half_life in half_lives:
        base = Base([history[:-2] for history in training], Memory(half_life, CAPACITY))
        truth = Baskets.of([history[-2] for history in training[:learners]])
        lesson = Lesson(Profiles.of(base.states[:learners]), NEXT, base.knowledge, base.memory, truth)
        choices.append(Choice(base.memory, *learn(lesson, start, steps)))
    return max(choices, key=lambda choice: choice.accuracy.recall)


def own(shelf: Shelf, states: Sequence[bytes], memory: Memory) -> Ints:
    return offers(shelf, Profiles.of(states), NEXT, memory, NUMBER).items


def most_bought(past: Iterable[History]) -> list[int]:
    """G-TopFreq: what everybody buys most."""
    counts = Counter(item for baskets in past for basket in baskets for item in basket)
    return [item for item, _ in counts.most_common(NUMBER)]


def own_most_bought(baskets: History) -> list[int]:
    """P-TopFreq: what the customer buys most."""
    counts = Counter(item for basket in baskets for item in basket)
    return [item for item, _ in counts.most_common(NUMBER)]


def topped_up(first: Sequence[int], then: Sequence[int]) -> list[int]:
    """GP-TopFreq: one's own, and after them the others'."""
    return [*first, *(item for item in then if item not in first)][:NUMBER]


def rules_of_thumb(pasts: Sequence[History], everybodys: Sequence[int]) -> dict[str, Ints]:
    personal = [own_most_bought(past) for past in pasts]
    return {
        "G-TopFreq": rows([everybodys] * len(pasts)),
        "P-TopFreq": rows(personal),
        "GP-TopFreq": rows([topped_up(items, everybodys) for items in personal]),
    }


def rows(lists: Sequence[Sequence[int]]) -> Ints:
    table = np.full((len(lists), NUMBER), -1)
    for row, items in zip(table, lists, strict=True):
        row[: len(items)] = items
    return table


class Outcome(NamedTuple):
    figures: dict[str, Accuracy]
    customers_per_second: float


def measure(everybody: Sequence[History], split: Split, choices: Mapping[str, Choice]) -> Outcome:
    """The test customers' last baskets, foretold by the rules of thumb and by our choices; the speed is the last one's."""
    training = [everybody[customer][:-1] for customer in split.training]
    pasts = [everybody[customer][:-1] for customer in split.test]
    truth = Baskets.of([everybody[customer][-1] for customer in split.test])
    figures = {name: accuracy(items, truth) for name, items in rules_of_thumb(pasts, most_bought(training)).items()}
    seconds = 0.0
    for name, (memory, mix, _) in choices.items():
        shelf, states = Shelf.of(Base(training, memory).knowledge, mix), packed(pasts, memory)
        figures[name] = accuracy(own(shelf, states, memory), truth)
        seconds = min(_seconds(shelf, states, memory) for _ in range(5))
    return Outcome(figures, len(pasts) / seconds)


def _seconds(shelf: Shelf, states: Sequence[bytes], memory: Memory) -> float:
    """CPU seconds from packed states to the best ten offers."""
    begin = time.process_time()
    own(shelf, states, memory)
    return time.process_time() - begin


def main() -> None:
    everybody = histories()
    split = Split.of(len(everybody), SEEDS[0])
    training = [everybody[customer] for customer in split.training]
    choices = {name: choose(training, LEARNERS, without=without) for name, without in OURS.items()}
    print(
        f"chosen on {LEARNERS:,} of {len(training):,} training customers of seed {SEEDS[0]}, by their last but one baskets:"
    )
    for name, choice in choices.items():
        print(f"  {name}: half-life {choice.memory.half_life} baskets, {choice.mix}, there{_line(choice.accuracy)}")
    print(f"\n{'seed, what, last baskets':33}recall@{NUMBER}   ndcg@{NUMBER}    phr@{NUMBER}")
    outcomes = [measure(everybody, Split.of(len(everybody), seed), choices) for seed in SEEDS]
    for seed, outcome in zip(SEEDS, outcomes, strict=True):
        for name, figures in outcome.figures.items():
            print(f"{seed}  {name:29}{_line(figures)}")
        print(f"   {outcome.customers_per_second:,.0f} customers a CPU second, from packed states to {NUMBER} offers")
    print(f"\nmean of {len(SEEDS)} seeds, {len(split.test):,} customers each")
    for name in outcomes[0].figures:
        each = np.array([outcome.figures[name] for outcome in outcomes])
        print(f"   {name:29}{_line(Accuracy(*each.mean(axis=0)))}   sd of recall {each[:, 0].std(ddof=1):.4f}")


def _line(figures: Accuracy) -> str:
    return "".join(f"{figure:9.4f}" for figure in figures)
