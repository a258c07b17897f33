"""What customers like: remembered with every order and contact, and read as offers, interests, channel and hour."""

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Literal, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from services.scoring.domain.purchases import day_of
from services.scoring.domain.wishes.customer import Memories, Wishes
from services.scoring.domain.wishes.habits import Habits
from services.scoring.domain.wishes.offers import offers
from services.scoring.domain.wishes.preferences import Hour, interests, preferred_channel, preferred_hour
from services.scoring.domain.wishes.profiles import Profiles
from services.scoring.domain.wishes.reasons import reason
from services.scoring.domain.wishes.shelf import Shelf
from services.scoring.handlers.booking import Deed
from shared.clock import Clock
from shared.contracts.interactions import InteractionRecorded, OrderPlaced
from shared.messaging import Received

Kind = Literal["product", "category", "channel"]
Told = OrderPlaced | InteractionRecorded
"""What says something about a customer's wishes. That an order was returned or cancelled does not undo the wish."""
PUPILS = 10
"""From one customer in so many is learnt what foretells a next basket."""
INTERESTS = 5


class Name(NamedTuple):
    """What a number stands for in all that is remembered."""

    kind: Kind
    text: str


class Product(NamedTuple):
    """As far as the catalogue describes it; `name` and `category` are None where nobody has told."""

    product: str
    number: int
    name: str | None = None
    category: str | None = None
    available: bool = True


class LastBasket(NamedTuple):
    """A customer's last basket, and the products remembered before it."""

    before: Habits
    day: int
    basket: frozenset[int]


class Liked(NamedTuple):
    """What has changed of a customer's wishes; parts that have not are None."""

    products: Habits | None
    categories: Habits | None
    channels: Habits | None
    hours: Habits | None
    lesson: LastBasket | None


class Remembering(Protocol):
    """Where customers' wishes are kept."""

    async def wishes(self, customer_id: str) -> Wishes | None: ...


class Names(Protocol):
    """Numbers of products, categories and channels, given once and for ever, and the catalogue of products."""

    async def numbers(self, names: Collection[Name]) -> Mapping[Name, int]: ...

    async def categorise(self, categories: Mapping[str, str]) -> None:
        """Product -> category, as orders tell it."""
        ...

    async def texts(self, numbers: Collection[int]) -> Mapping[int, str]: ...

    async def described(self, numbers: Collection[int]) -> Mapping[int, Product]: ...


class Offer(NamedTuple):
    product: Product
    score: float
    reason: str


class Interest(NamedTuple):
    category: str
    share: float


class Wished(NamedTuple):
    """What a customer is likely to want next, and how they like to be met. Nothing is said where too little is known."""

    customer_id: str
    as_of: datetime
    offers: Sequence[Offer]
    interests: Sequence[Interest]
    channel: str | None
    hour: Hour | None


@dataclass
class Wishing:
    """The use cases around one customer's wishes. `shelf`: what the whole base says, None before it was first looked at."""

    remembered: Remembering
    names: Names
    clock: Clock
    zone_name: str = "UTC"
    memories: Memories = field(default_factory=Memories)
    shelf: Shelf | None = None
    _zone: tzinfo = field(init=False)

    def __post_init__(self) -> None:
        # Without time zone data on the machine, UTC is there all the same.
        self._zone = UTC if self.zone_name == "UTC" else ZoneInfo(self.zone_name)

    async def number(self, events: Sequence[Received]) -> Mapping[Name, int]:
        """Before the transaction: the numbers of all that a batch names. Numbers that nobody needs in the end are no harm."""
        facts: list[Told] = [event.fact for event in events if isinstance(event.fact, Told)]
        names = {Name("channel", fact.channel) for fact in facts if _own_doing(fact)}
        categories: dict[str, str] = {}
        for fact in facts:
            if isinstance(fact, OrderPlaced):
                names.update(Name("product", line.product) for line in fact.lines)
                told = {line.product: line.category for line in fact.lines if line.category is not None}
                # All of them: of a product that two lines put into different categories, only one is kept.
                names.update(Name("category", line.category) for line in fact.lines if line.category is not None)
                categories.update(told)
        numbers = await self.names.numbers(names)
        if categories:
            await self.names.categorise(categories)
        return numbers

    def after(self, before: Wishes, customer_id: str, facts: Sequence[Deed], numbers: Mapping[Name, int]) -> Liked:
        """What is new of a customer's wishes after such facts."""
        after, lesson, learns = before, None, is_pupil(customer_id)
        for fact in facts:
            if not isinstance(fact, Told) or not _own_doing(fact):
                continue
            new = self._met(fact, numbers)
            if isinstance(fact, OrderPlaced):
                bought = self._bought(fact, numbers)
                new = Wishes(bought.products, bought.categories, new.channels, new.hours)
            if learns and new.products.day > after.products.day and after.products.kept:
                basket = frozenset(habit.item for habit in new.products.kept)
                lesson = LastBasket(after.products, new.products.day, basket)
            after = after.plus(new, self.memories)
        products, categories, channels, hours = (
            now if now is not was else None for was, now in zip(before.parts, after.parts, strict=True)
        )
        return Liked(products, categories, channels, hours, lesson)

    def _bought(self, order: OrderPlaced, numbers: Mapping[Name, int]) -> Wishes:
        products = {numbers[Name("product", line.product)] for line in order.lines}
        categories = {numbers[Name("category", line.category)] for line in order.lines if line.category is not None}
        return Wishes.of_purchase(day_of(order.ordered_at), products, categories)

    def _met(self, fact: Told, numbers: Mapping[Name, int]) -> Wishes:
        at = fact.ordered_at if isinstance(fact, OrderPlaced) else fact.occurred_at
        here = at.astimezone(self._zone)
        return Wishes.of_contact(day_of(at), numbers[Name("channel", fact.channel)], here.weekday() * 24 + here.hour)

    async def read(self, customer_id: str, number: int) -> Wished | None:
        """Up to so many offers, and what else is known; None of a customer of whom nothing is."""
        wishes = await self.remembered.wishes(customer_id)
        if wishes is None:
            return None
        now = await self.clock.now()
        day = max(day_of(now), wishes.products.day)
        liked = interests(wishes.categories, INTERESTS, self.memories.categories)
        channel = preferred_channel(wishes.channels, day, self.memories.channels)
        wanted = [category for category, _ in liked] + ([] if channel is None else [channel])
        texts = await self.names.texts(wanted)
        return Wished(
            customer_id,
            now,
            await self._offers(wishes.products, day, number),
            [Interest(texts[category], share) for category, share in liked],
            None if channel is None else texts[channel],
            preferred_hour(wishes.hours, day, self.memories.hours),
        )

    async def _offers(self, products: Habits, day: int, number: int) -> list[Offer]:
        shelf, memory = self.shelf, self.memories.products
        if shelf is None:
            return []
        found = offers(shelf, Profiles.of([products.pack()]), day, memory, number)
        best = [
            (int(item), float(score)) for item, score in zip(found.items[0], found.scores[0], strict=True) if item >= 0
        ]
        behind = [reason(shelf, products, item, day, memory) for item, _ in best]
        habits = {one.habit.item for one in behind if one and one.habit}
        described = await self.names.described({item for item, _ in best} | habits)

        def called(item: int) -> str:
            return described[item].name or described[item].product

        return [
            Offer(described[item], score, why.words(called))
            for (item, score), why in zip(best, behind, strict=True)
            if why is not None
        ]


def is_pupil(customer_id: str) -> bool:
    return zlib.crc32(customer_id.encode()) % PUPILS == 0


def _own_doing(fact: Told) -> bool:
    """Our mails and calls say nothing about what a customer likes."""
    return isinstance(fact, OrderPlaced) or fact.direction != "outbound"
