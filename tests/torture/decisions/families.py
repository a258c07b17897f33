"""Who is to be merged with whom, parted again and erased, and when: drawn from the seed before the load begins. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tests.load.plan import chooser
from tests.torture.spec import Spec

SIZES = (1, 2, 2, 2, 3, 3, 4)
"""How many customers a family has; whoever is alone is only erased."""
ROUNDS = (1, 4)
PAUSE = (0.0, 5.0)
"""Seconds between two rounds."""
ERASED = 0.35
"""Share of families that end with somebody who wants to be forgotten."""
LAST = 0.85
"""No family begins later than this share of the load."""


@dataclass(frozen=True, slots=True)
class Merging:
    survivor: int
    absorbed: int


@dataclass(frozen=True, slots=True)
class Undoing:
    """Of one of the merges that stand then; nothing where none does."""

    which: float
    """From 0 to 1: the first to the last."""


@dataclass(frozen=True, slots=True)
class Erasing:
    customer: int


Wish: TypeAlias = Merging | Undoing | Erasing


@dataclass(frozen=True, slots=True)
class Round:
    """Wishes that are sent at the same moment."""

    pause: float
    """Seconds before it."""
    wishes: tuple[Wish, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """Customers about whom decisions are made; nobody is in two."""

    customers: tuple[int, ...]
    at: float
    """Seconds after the load has begun."""
    rounds: tuple[Round, ...]


def families(spec: Spec) -> list[Family]:
    """In the order in which they begin. Active customers are likelier to be drawn, so that a lot is under way."""
    chance, drawn = random.Random(f"{spec.seed} families"), chooser(spec.mix)
    taken: set[int] = set()
    found = []
    for at in sorted(chance.uniform(spec.warm_up, LAST * spec.seconds) for _ in range(spec.families)):
        size = chance.choice(SIZES)
        customers = strangers(chance, drawn(chance.random()), spec.customers, taken, size)
        if len(customers) == size:
            found.append(Family(customers, at, tuple(rounds(chance, customers))))
    return found


def strangers(chance: random.Random, first: int, customers: int, taken: set[int], size: int) -> tuple[int, ...]:
    """So many of whom nobody is in a family yet, and who are from now on; fewer where there are no more."""
    found: list[int] = []
    candidate = first
    for _ in range(customers):
        if len(found) == size:
            break
        if candidate not in taken:
            taken.add(candidate)
            found.append(candidate)
            candidate = chance.randrange(customers)
        else:
            candidate = (candidate + 1) % customers
    return tuple(found)


def rounds(chance: random.Random, customers: Sequence[int]) -> Iterator[Round]:
    if len(customers) == 1:
        yield Round(0.0, (Erasing(customers[0]),))
        return
    yield Round(0.0, (_merging(chance, customers),))
    for _ in range(chance.randint(*ROUNDS)):
        yield Round(chance.uniform(*PAUSE), tuple(_wishes(chance, customers)))
    if chance.random() < ERASED:
        # Beside something else half of the time.
        beside = tuple(_wishes(chance, customers))[:1] if chance.random() < 0.5 else ()
        yield Round(chance.uniform(*PAUSE), (Erasing(chance.choice(customers)), *beside))


def _wishes(chance: random.Random, customers: Sequence[int]) -> Iterator[Wish]:
    """One, or two at once: both ways, the same twice, links of a chain, or a merge and an undoing."""
    drawn = chance.random()
    if drawn < 0.3:
        yield Undoing(chance.random())
        return
    first = _merging(chance, customers)
    yield first
    if drawn < 0.5:
        yield Merging(first.absorbed, first.survivor)
    elif drawn < 0.55:
        yield first
    elif drawn < 0.65:
        yield _merging(chance, customers)
    elif drawn < 0.7:
        yield Undoing(chance.random())


def _merging(chance: random.Random, customers: Sequence[int]) -> Merging:
    return Merging(*chance.sample(list(customers), 2))
