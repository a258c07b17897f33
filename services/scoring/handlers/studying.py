"""What the whole base says of its products: looked through every so often, with the mix that best foretells next baskets.

Nothing is kept for it with each order: what goes together follows from customers' states, and one look through all of
them costs less than a note of some kilobytes with every order would (`docs/decisions/0013-wishes-are-looked-through.md`).
"""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import structlog

from services.scoring.domain.histogram import Ints
from services.scoring.domain.wishes.evidence import Evidence
from services.scoring.domain.wishes.habits import Memory
from services.scoring.domain.wishes.learning import START, Accuracy, Baskets, Lesson, learn
from services.scoring.domain.wishes.profiles import Profiles
from services.scoring.domain.wishes.shelf import Catalogue, Knowledge, Mix, Shelf
from services.scoring.handlers.wishing import Product, Wishing, is_pupil

log = structlog.get_logger()
LEAF_CUSTOMERS = 2_000
BREADTH = 32
"""Of each customer, so many products count as evidence of what goes together."""
MOST_PRODUCTS, MOST_PARTNERS = 100_000, 64
TOGETHER = 16
"""Leaves' evidence added up at once."""
PUPILS_AT_MOST, PUPILS_AT_LEAST = 2_000, 200
RECENT_DAYS = 28
"""Lessons are of about one day, which baskets of so many days are."""
LEARNT_SECONDS = 86_400.0


class PackedLesson(NamedTuple):
    before: bytes
    day: int
    basket: Sequence[int]


class Leaf(NamedTuple):
    """Some customers in the order of their ids: packed products, and the lesson of those from whom is learnt."""

    customers: Sequence[str]
    products: Sequence[bytes]
    lessons: Sequence[PackedLesson | None]


class Base(Protocol):
    async def leaf(self, after: str | None, limit: int) -> Leaf: ...


class Products(Protocol):
    async def described(self, numbers: Collection[int]) -> Mapping[int, Product]: ...


class Studied(NamedTuple):
    customers: int
    products: int
    mix: Mix
    accuracy: Accuracy | None
    """On the baskets from which the mix was chosen; None while there are too few."""
    seconds: float


@dataclass
class _Evidence:
    """Sums over customers, added up now and then."""

    memory: Memory
    parts: list[Evidence] = field(default_factory=list)

    def add(self, products: Sequence[bytes]) -> None:
        self.parts.append(Evidence.of(Profiles.of(products), self.memory, BREADTH))
        if len(self.parts) >= TOGETHER:
            self.parts = [self.total]

    @property
    def total(self) -> Evidence:
        return Evidence.total(self.parts, self.memory).trimmed(MOST_PRODUCTS, MOST_PARTNERS)


@dataclass
class Studying:
    """Puts a new shelf before `wishing`. The mix is chosen once a day, by customers whose baskets the evidence leaves out."""

    wishing: Wishing
    base: Base
    catalogue: Products
    studied: Studied | None = None
    _mix: Mix = START
    _accuracy: Accuracy | None = None
    _learnt: float | None = None

    async def study(self) -> Studied:
        began, memory = time.perf_counter(), self.wishing.memories.products
        others, pupils, lessons, customers = _Evidence(memory), _Evidence(memory), _Lessons(), 0
        after = None
        while (leaf := await self.base.leaf(after, LEAF_CUSTOMERS)).customers:
            await asyncio.to_thread(_look_at, leaf, others, pupils)
            lessons.take(leaf.lessons)
            customers, after = customers + len(leaf.customers), leaf.customers[-1]
        everybody = Evidence.total([others.total, pupils.total], memory).trimmed(MOST_PRODUCTS, MOST_PARTNERS)
        # What nobody has bought has no evidence, and is not offered.
        catalogue = catalogue_of((await self.catalogue.described(everybody.items.tolist())).values())
        if self._learnt is None or began > self._learnt + LEARNT_SECONDS:
            await asyncio.to_thread(self._learn, lessons.recent(), others.total, catalogue, began)
        self.wishing.shelf = await asyncio.to_thread(_shelf, everybody, catalogue, self._mix)
        seconds = round(time.perf_counter() - began, 3)
        self.studied = Studied(customers, len(catalogue.items), self._mix, self._accuracy, seconds)
        log.info("wishes_studied", customers=customers, products=len(catalogue.items), seconds=seconds)
        return self.studied

    def _learn(self, lessons: Sequence[PackedLesson], evidence: Evidence, catalogue: Catalogue, at: float) -> None:
        if len(lessons) < PUPILS_AT_LEAST:
            return
        day = int(np.median([lesson.day for lesson in lessons]))
        profiles, truth = Profiles.of([one.before for one in lessons]), Baskets.of([one.basket for one in lessons])
        knowledge = Knowledge.of(evidence, catalogue)
        self._mix, self._accuracy = learn(Lesson(profiles, day, knowledge, self.wishing.memories.products, truth))
        self._learnt = at


class _Lessons:
    """A sample of all lessons, each as probable as any other, of the same size however many there are."""

    def __init__(self) -> None:
        self._sample: list[PackedLesson] = []
        self._seen = 0
        self._random = np.random.default_rng(0)

    def take(self, lessons: Sequence[PackedLesson | None]) -> None:
        for lesson in lessons:
            if lesson is None:
                continue
            self._seen += 1
            if len(self._sample) < PUPILS_AT_MOST:
                self._sample.append(lesson)
            elif (place := int(self._random.integers(self._seen))) < PUPILS_AT_MOST:
                self._sample[place] = lesson

    def recent(self) -> list[PackedLesson]:
        newest = max((lesson.day for lesson in self._sample), default=0)
        return [lesson for lesson in self._sample if lesson.day > newest - RECENT_DAYS]


def catalogue_of(products: Collection[Product]) -> Catalogue:
    """Products without a category are one of their own."""
    ranked = sorted(products, key=lambda product: product.number)
    categories = {category: place for place, category in enumerate(sorted({one.category or "" for one in ranked}))}
    items: Ints = np.array([product.number for product in ranked], np.int64)
    category: Ints = np.array([categories[product.category or ""] for product in ranked], np.int64)
    return Catalogue(items, category, np.array([product.available for product in ranked], bool))


def _look_at(leaf: Leaf, others: _Evidence, pupils: _Evidence) -> None:
    for evidence, learnt_from in ((others, False), (pupils, True)):
        theirs = [
            products
            for customer, products in zip(leaf.customers, leaf.products, strict=True)
            if is_pupil(customer) is learnt_from
        ]
        if theirs:
            evidence.add(theirs)


def _shelf(evidence: Evidence, catalogue: Catalogue, mix: Mix) -> Shelf | None:
    """None while nobody has bought anything."""
    return Shelf.of(Knowledge.of(evidence, catalogue), mix) if len(evidence.items) else None
