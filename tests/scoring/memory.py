"""Scoring's stores in memory; they pass the same tests as MongoDB's. Transactions do not roll back here."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

import numpy as np

from services.scoring.domain.calibration import Calibration
from services.scoring.domain.channels import code
from services.scoring.domain.contracts.facts import Contracts
from services.scoring.domain.histogram import Ints
from services.scoring.domain.merging import Bond
from services.scoring.domain.model import Model
from services.scoring.domain.population import Changes, Population, Ranked, Standing
from services.scoring.domain.prediction import Histories, Told
from services.scoring.domain.profit import NOTHING_KNOWN, Book, CostModel
from services.scoring.domain.purchases import EPOCH, Purchases
from services.scoring.domain.rivals import Tables
from services.scoring.domain.segments import SEGMENTS
from services.scoring.domain.wishes.customer import Wishes
from services.scoring.handlers import (
    Change,
    ChannelLook,
    Choice,
    ChurnVersion,
    Known,
    Leaf,
    Ledger,
    Look,
    Name,
    PaceLook,
    Packed,
    PackedLesson,
    Product,
    Regrouped,
    Remembered,
    Report,
    Review,
    Scored,
    Sheet,
    Summary,
    UpliftVersion,
)
from shared.contracts.scoring import Score, ScoreChanged
from shared.messaging import Received, Unit
from shared.mongo import Session

T = TypeVar("T")


@dataclass
class MemoryCustomers:
    known: dict[str, Scored] = field(default_factory=dict)
    bonds: dict[str, Bond] = field(default_factory=dict)
    withdrawn: dict[str, datetime] = field(default_factory=dict)
    """Who has no score any more, and since when."""

    async def load(self, customers: Collection[str], session: Session | None = None) -> dict[str, Known]:
        kept = self.known.keys() | self.bonds.keys() | self.withdrawn.keys()
        return {customer: self._one(customer) for customer in kept & set(customers)}

    def _one(self, customer: str) -> Known:
        bond = self.bonds.get(customer)
        if one := self.known.get(customer):
            return Known(one.purchases, one.score.as_of, one.ranks, one.first, bond)
        return Known(Purchases(), self.withdrawn.get(customer, EPOCH), bond=bond)

    async def save(self, scored: Sequence[Scored], session: Session) -> None:
        self.known.update({one.customer_id: one for one in scored})

    async def regroup(self, some: Sequence[Regrouped], session: Session) -> None:
        for one in some:
            self.bonds.pop(one.customer_id, None)
            if one.bond:
                self.bonds[one.customer_id] = one.bond
            if one.withdrawn_at:
                self.withdrawn[one.customer_id] = one.withdrawn_at
                self.known.pop(one.customer_id, None)

    async def remove(self, customers: Collection[str], session: Session) -> int:
        for one in customers:
            for kept in (self.known, self.bonds, self.withdrawn):
                kept.pop(one, None)
        return len(customers)

    async def sheet(self, after: str | None, limit: int) -> Sheet:
        buying = (customer for customer, one in self.known.items() if one.purchases.days)
        return self._sheet(sorted(customer for customer in buying if after is None or customer > after)[:limit])

    async def packed(self, after: str | None, limit: int) -> Packed:
        ids = (await self.sheet(after, limit)).customers
        return Packed(ids, [self.known[customer].purchases.pack() for customer in ids], self._came(ids))

    async def channel(self, code_: int) -> str | None:
        firsts = (one.first for one in self.known.values())
        return next((first.channel for first in firsts if first and code(first) == code_), None)

    def _came(self, ids: Sequence[str]) -> Ints:
        return np.array([code(self.known[customer].first) for customer in ids], dtype=np.int64)

    async def ids(self, after: str | None, limit: int) -> Sequence[str]:
        return sorted(customer for customer in self.known if after is None or customer > after)[:limit]

    async def days(self, customers: Collection[str]) -> dict[str, bytes]:
        return {one: self.known[one].purchases.pack() for one in customers if one in self.known}

    async def due(self, day: int, limit: int) -> Sheet:
        passed = [customer for customer, one in self.known.items() if one.due <= day]
        return self._sheet(sorted(passed, key=lambda customer: self.known[customer].due)[:limit])

    async def postpone(self, days: Sequence[tuple[str, int, int]]) -> None:
        for customer, day, later in days:
            if self.known[customer].due == day:
                self.known[customer] = self.known[customer]._replace(due=later)

    def _sheet(self, ids: Sequence[str]) -> Sheet:
        scores = [self.known[customer].score for customer in ids]
        alive, churn, value = np.array([(s.p_alive, s.p_churn, s.value) for s in scores], float).reshape(-1, 3).T
        segments = np.array([SEGMENTS.index(s.segment) if s.segment else -1 for s in scores], dtype=np.int8)
        histories = Histories.of([self.known[customer].purchases for customer in ids], self._came(ids))
        ranked = Ranked.unpack(self.known[customer].ranks for customer in ids)
        due = np.array([self.known[customer].due for customer in ids], dtype=np.int64)
        return Sheet(ids, histories, Told(alive, churn, value, segments, ranked), due)

    async def page(
        self, segment: str | None, sort: str, after: tuple[Decimal | None, str] | None, limit: int
    ) -> list[Score]:
        def place(value: Decimal | None, customer: str) -> tuple[Any, ...]:
            return (value is None, -(value or 0), customer) if sort == "value" else (customer,)

        scores = [one.score for one in self.known.values() if segment in (None, one.score.segment)]
        scores.sort(key=lambda score: place(score.value, score.customer_id))
        return [s for s in scores if after is None or place(s.value, s.customer_id) > place(*after)][:limit]

    async def summary(self) -> list[Summary]:
        scores = [one.score for one in self.known.values() if one.purchases.days]
        return [
            Summary(
                segment,
                len(group),
                sum(score.purchases for score in group),
                sum((score.money for score in group), Decimal(0)),
                sum((score.value or Decimal(0) for score in group), Decimal(0)),
            )
            for segment in (*SEGMENTS, None)
            if (group := [score for score in scores if score.segment == segment])
        ]


@dataclass
class MemoryPopulation:
    changes: list[Changes] = field(default_factory=list)
    base: Population = field(default_factory=Population)

    async def add(self, some: Changes, session: Session) -> None:
        self.changes.append(some)

    async def gather(self, session: Session) -> tuple[Population, bool]:
        some, self.changes = self.changes, []
        self.base = self.base.plus(some)
        return self.base, False


@dataclass
class MemoryModels:
    models: dict[int, Model] = field(default_factory=dict)
    report: Report | None = None
    sweep: tuple[int, int] | None = None
    holder: str | None = None
    stands: Standing | None = None

    async def standing(self) -> Standing | None:
        return self.stands

    async def note_standing(self, standing: Standing) -> None:
        self.stands = standing

    async def latest(self) -> Model | None:
        return self.models[max(self.models)] if self.models else None

    async def version(self, version: int) -> Model | None:
        return self.models.get(version)

    async def as_of(self, moment: datetime) -> Model | None:
        return max(
            (one for one in self.models.values() if one.fit.as_of <= moment), key=lambda one: one.version, default=None
        )

    async def page(self, before: int | None, limit: int) -> list[Model]:
        versions = sorted((v for v in self.models if before is None or v < before), reverse=True)
        return [self.models[version] for version in versions[:limit]]

    async def add(self, model: Model) -> bool:
        return self.models.setdefault(model.version, model) is model

    async def note(self, report: Report) -> None:
        self.report = report

    async def last_refit(self) -> Report | None:
        return self.report

    async def swept(self) -> tuple[int, int] | None:
        return self.sweep

    async def note_sweep(self, version: int, day: int) -> None:
        self.sweep = version, day

    async def claim(self, holder: str, seconds: float) -> bool:
        self.holder = self.holder or holder
        return self.holder == holder

    async def release(self, holder: str) -> None:
        if self.holder == holder:
            self.holder = None


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
class MemoryChurnModels:
    versions: dict[int, ChurnVersion] = field(default_factory=dict)
    texts: dict[int, str | None] = field(default_factory=dict)

    async def latest(self) -> ChurnVersion | None:
        return self.versions[max(self.versions)] if self.versions else None

    async def version(self, version: int) -> ChurnVersion | None:
        return self.versions.get(version)

    async def page(self, before: int | None, limit: int) -> list[ChurnVersion]:
        older = sorted((one for one in self.versions if before is None or one < before), reverse=True)
        return [self.versions[one] for one in older[:limit]]

    async def text(self, version: int) -> str | None:
        return self.texts.get(version)

    async def add(self, version: ChurnVersion, text: str | None) -> bool:
        if version.version in self.versions:
            return False
        self.versions[version.version], self.texts[version.version] = version, text
        return True


@dataclass
class MemoryUpliftModels:
    versions: dict[int, UpliftVersion] = field(default_factory=dict)
    kept: dict[int, Mapping[str, str]] = field(default_factory=dict)

    async def latest(self) -> UpliftVersion | None:
        return self.versions[max(self.versions)] if self.versions else None

    async def version(self, version: int) -> UpliftVersion | None:
        return self.versions.get(version)

    async def page(self, before: int | None, limit: int) -> list[UpliftVersion]:
        older = sorted((one for one in self.versions if before is None or one < before), reverse=True)
        return [self.versions[one] for one in older[:limit]]

    async def texts(self, version: int) -> dict[str, str]:
        return dict(self.kept.get(version, {}))

    async def add(self, version: UpliftVersion, texts: Mapping[str, str]) -> bool:
        if version.version in self.versions:
            return False
        self.versions[version.version], self.kept[version.version] = version, dict(texts)
        return True


@dataclass
class MemoryCosts:
    costs: CostModel = NOTHING_KNOWN
    look: Look | None = None

    async def model(self) -> CostModel:
        return self.costs

    async def set(self, model: CostModel) -> None:
        self.costs = model

    async def last_look(self) -> Look | None:
        return self.look

    async def note_look(self, look: Look) -> None:
        self.look = look


@dataclass
class MemoryReviews:
    reviews: dict[tuple[int, int], Review] = field(default_factory=dict)

    async def add(self, review: Review) -> None:
        self.reviews[review.cut, review.horizon_days] = review

    async def newest(self, limit: int = 1, before: int | None = None) -> list[Review]:
        older = [review for review in self.reviews.values() if before is None or review.cut < before]
        return sorted(older, key=lambda review: (review.cut, review.at), reverse=True)[:limit]


@dataclass
class MemoryChoices:
    noted: Choice | None = None

    async def choice(self) -> Choice | None:
        return self.noted

    async def note_choice(self, choice: Choice) -> None:
        self.noted = choice


@dataclass
class MemoryPaceLooks:
    noted: PaceLook | None = None

    async def pace_look(self) -> PaceLook | None:
        return self.noted

    async def note_pace_look(self, look: PaceLook) -> None:
        self.noted = look


@dataclass
class MemoryChannelLooks:
    noted: ChannelLook | None = None

    async def channel_look(self) -> ChannelLook | None:
        return self.noted

    async def note_channel_look(self, look: ChannelLook) -> None:
        self.noted = look


@dataclass
class MemoryContests:
    said: dict[int, dict[str, Calibration]] = field(default_factory=dict)
    last: tuple[datetime, int] | None = None

    async def tables(self, spans: Sequence[int]) -> Tables:
        return {span: self.said[span] for span in spans if span in self.said}

    async def add(self, span: int, said: Mapping[str, Calibration]) -> None:
        self.said[span] = self.said.get(span, {}) | dict(said)

    async def forget(self) -> None:
        self.said.clear()

    async def contested(self) -> tuple[datetime, int] | None:
        return self.last

    async def note_contest(self, at: datetime, customers: int) -> None:
        self.last = at, customers


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


def new_unit() -> Unit:
    return Unit("scoring", cast("Any", None), cast("Any", None), "scoring")


@dataclass
class MemoryTransactions:
    """Runs the change and keeps what it tells."""

    units: list[Unit] = field(default_factory=list)

    async def transact(self, change: Callable[[Unit], Awaitable[T]]) -> T:
        unit = new_unit()
        result = await change(unit)
        self.units.append(unit)
        return result

    def told(self) -> list[Score]:
        return [score for unit in self.units for score in told(unit)]


def told(unit: Unit) -> Iterator[Score]:
    for record in unit.outgoing:
        yield ScoreChanged.model_validate_json(record.value or b"").score


@dataclass
class SetClock:
    """A clock that tests set."""

    at: datetime

    async def now(self, session: Session | None = None) -> datetime:
        return self.at

    async def witness(self, unit: Unit, events: Sequence[Received]) -> None:
        pass
