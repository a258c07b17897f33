"""What is remembered of each customer, and the numbers of names, in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.scoring.domain.contracts.facts import Contracts
from services.scoring.domain.profit import Book
from services.scoring.domain.wishes.customer import Wishes
from services.scoring.handlers import Change, Leaf, Ledger, Name, PackedLesson, Product, Remembered
from shared.mongo import Session


@dataclass
class MemoryDeeds:
    known: dict[str, Remembered] = field(default_factory=dict)
    lessons: dict[str, PackedLesson] = field(default_factory=dict)

    async def load(
        self,
        customers: Collection[str],
        months: Collection[int] | None = None,
        session: Session | None = None,
        whole: Collection[str] | None = None,
    ) -> dict[str, Remembered]:
        found = {
            customer: one if months is None else one._replace(book=_months(one.book, months))
            for customer in customers
            if (one := self.known.get(customer))
        }
        return {
            customer: one if whole is None or customer in whole else Remembered(one.wishes, one.book)
            for customer, one in found.items()
        }

    async def wishes(self, customer_id: str) -> Wishes | None:
        return self.known[customer_id].wishes if customer_id in self.known else None

    async def save(self, changes: Sequence[Change], session: Session) -> None:
        for one in changes:
            before, liked = self.known.get(one.customer_id, Remembered()), one.liked
            parts = (liked.products, liked.categories, liked.channels, liked.hours)
            after = [was if now is None else now for was, now in zip(before.wishes.parts, parts, strict=True)]
            sums = {key: sum_ for key, sum_ in before.book.sums.items() if key.month not in one.months}
            for book in one.months.values():
                sums |= book.sums
            contracts = before.contracts if one.contracts is None else one.contracts
            behaviour = before.behaviour if one.behaviour is None else one.behaviour
            new = (one.contracts, one.behaviour, *parts)
            if one.months or any(part is not None for part in new):
                self.known[one.customer_id] = Remembered(Wishes(*after), Book(sums), contracts, behaviour)
            if liked.lesson:
                before_it, day, basket = liked.lesson
                self.lessons[one.customer_id] = PackedLesson(before_it.pack(), day, sorted(basket))

    async def leaf(self, after: str | None, limit: int) -> Leaf:
        ids = self._next(after, limit)
        packed = [self.known[customer].wishes.products.pack() for customer in ids]
        return Leaf(ids, packed, [self.lessons.get(customer) for customer in ids])

    async def books(self, customer_id: str) -> Book | None:
        return self.known[customer_id].book if customer_id in self.known else None

    async def ledger(self, after: str | None, limit: int) -> Ledger:
        ids = self._next(after, limit)
        return Ledger(ids, [self.known[customer].book for customer in ids])

    async def contracts(self, customer_id: str) -> Contracts:
        return self.known.get(customer_id, Remembered()).contracts

    async def signed(self, after: str | None, limit: int) -> tuple[Sequence[str], Sequence[Contracts]]:
        everybody = self._next(after, len(self.known))
        ids = [customer for customer in everybody if self.known[customer].contracts.facts][:limit]
        return ids, [self.known[customer].contracts for customer in ids]

    async def behaviours(self, customers: Collection[str]) -> dict[str, bytes]:
        return {c: self.known[c].behaviour for c in customers if c in self.known and self.known[c].behaviour}

    def _next(self, after: str | None, limit: int) -> list[str]:
        return sorted(customer for customer in self.known if after is None or customer > after)[:limit]


def _months(book: Book, months: Collection[int]) -> Book:
    return Book({key: sum_ for key, sum_ in book.sums.items() if key.month in months})


@dataclass
class MemoryNames:
    given: dict[Name, int] = field(default_factory=dict)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)

    async def numbers(self, names: Collection[Name]) -> dict[Name, int]:
        return {name: self.given.setdefault(name, len(self.given)) for name in sorted(names)}

    async def categorise(self, categories: Mapping[str, str]) -> None:
        self.told.update(categories)

    async def describe(self, product: str, *, name: str | None, category: str | None, available: bool) -> Product:
        await self.numbers([Name("product", product)])
        self.said[product] = {"name": name, "category": category, "available": available}
        return self._product(product)

    async def texts(self, numbers: Collection[int]) -> dict[int, str]:
        return {number: name.text for name, number in self.given.items() if number in numbers}

    async def described(self, numbers: Collection[int]) -> dict[int, Product]:
        return {one.number: one for one in await self.products() if one.number in numbers}

    async def product(self, product: str) -> Product | None:
        return self._product(product) if Name("product", product) in self.given else None

    async def products(self, after: str | None = None, limit: int = 0) -> list[Product]:
        names = sorted(name.text for name in self.given if name.kind == "product")
        later = [name for name in names if after is None or name > after]
        return [self._product(name) for name in (later[:limit] if limit else later)]

    def _product(self, product: str) -> Product:
        said = self.said.get(product, {})
        category, available = said.get("category") or self.told.get(product), said.get("available", True)
        return Product(product, self.given[Name("product", product)], said.get("name"), category, available)
