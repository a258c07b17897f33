"""What customers do, read of all who are one together. What came under each id stays in that one's document (`deeds`)."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import reduce
from itertools import chain
from typing import TypeVar

from services.scoring.domain.behaviour import Behaviour
from services.scoring.domain.contracts.facts import Contracts
from services.scoring.domain.profit.book import Book
from services.scoring.domain.purchases import BeyondTheBooks
from services.scoring.domain.wishes.customer import Memories, Wishes
from services.scoring.domain.wishes.habits import Habits
from services.scoring.handlers import Leaf, Ledger, PackedLesson
from services.scoring.store.deeds import MongoDeeds
from services.scoring.store.restrictions import MongoRestrictions
from shared.links import LinkStore, Tree

MEMORIES = Memories()
T = TypeVar("T")
Page = Mapping[str, T]
"""By customer, in the order of their ids."""


class JoinedDeeds:
    """Reading for one customer answers for all who are one with them. In looks through the base several who are one are met
    once, where the first of them is who has done anything; whoever is restricted, or one with somebody who is, is not met.
    """

    def __init__(self, deeds: MongoDeeds, links: LinkStore, restrictions: MongoRestrictions) -> None:
        self._deeds = deeds
        self._links = links
        self._restrictions = restrictions

    async def wishes(self, customer_id: str) -> Wishes | None:
        tree = await self._links.tree(customer_id)
        found = [wishes for one in _in_order(tree) if (wishes := await self._deeds.wishes(one)) is not None]
        return reduce(_more_wishes, found) if found else None

    async def books(self, customer_id: str) -> Book | None:
        tree = await self._links.tree(customer_id)
        found = await self._deeds.load(tree.members, whole=())
        return reduce(_more_book, (found[one].book for one in _in_order(tree, found))) if found else None

    async def contracts(self, customer_id: str) -> Contracts:
        tree = await self._links.tree(customer_id)
        return reduce(Contracts.plus, [await self._deeds.contracts(one) for one in _in_order(tree)])

    async def behaviours(self, customers: Collection[str]) -> dict[str, bytes]:
        found = await self._deeds.behaviours(customers)
        for tree in await self._links.trees(customers):
            theirs = await self._deeds.behaviours(tree.members)
            if theirs:
                packed = reduce(_more_behaviour, (theirs[one] for one in _in_order(tree, theirs)))
                found |= dict.fromkeys(tree.members & set(customers), packed)
        return found

    async def leaf(self, after: str | None, limit: int) -> Leaf:
        """Of several who are one there is no lesson: which basket was the last is known of each part only."""

        async def page(after: str | None) -> Page[tuple[bytes, PackedLesson | None]]:
            found = await self._deeds.leaf(after, limit)
            return dict(zip(found.customers, zip(found.products, found.lessons, strict=True), strict=True))

        async def products(customers: Collection[str]) -> Page[tuple[bytes, PackedLesson | None]]:
            found = await self._deeds.load(customers, (), whole=())
            return {one: (known.wishes.products.pack(), None) for one, known in found.items()}

        joined = await self._next(after, page, products, _more_products)
        return (
            Leaf(list(joined), *(list(column) for column in zip(*joined.values(), strict=True))) if joined else NO_LEAF
        )

    async def ledger(self, after: str | None, limit: int) -> Ledger:
        async def page(after: str | None) -> Page[Book]:
            found = await self._deeds.ledger(after, limit)
            return dict(zip(found.customers, found.books, strict=True))

        async def books(customers: Collection[str]) -> Page[Book]:
            return {one: known.book for one, known in (await self._deeds.load(customers, whole=())).items()}

        joined = await self._next(after, page, books, _more_book)
        return Ledger(list(joined), list(joined.values()))

    async def signed(self, after: str | None, limit: int) -> tuple[Sequence[str], Sequence[Contracts]]:
        async def page(after: str | None) -> Page[Contracts]:
            return dict(zip(*await self._deeds.signed(after, limit), strict=True))

        async def contracts(customers: Collection[str]) -> Page[Contracts]:
            found = {one: await self._deeds.contracts(one) for one in customers}
            return {one: signed for one, signed in found.items() if signed.facts}

        joined = await self._next(after, page, contracts, Contracts.plus)
        return list(joined), list(joined.values())

    async def _next(
        self,
        after: str | None,
        page: Callable[[str | None], Awaitable[Page[T]]],
        load: Callable[[Collection[str]], Awaitable[Page[T]]],
        plus: Callable[[T, T], T],
    ) -> dict[str, T]:
        """The next page on which anybody is met: all of it may be of customers who were met before."""
        while found := await page(after):
            joined = dict(found)
            trees = await self._links.trees(joined.keys())
            restricted = await self._restrictions.among({*joined, *chain.from_iterable(one.members for one in trees)})
            for tree in trees:
                theirs = await load(tree.members)
                first = min(theirs, default="")
                whole = reduce(plus, (theirs[one] for one in _in_order(tree, theirs))) if theirs else None
                for one in tree.members & joined.keys():
                    if one == first and whole is not None and restricted.isdisjoint(tree.members):
                        joined[one] = whole
                    else:
                        del joined[one]
            for one in restricted & joined.keys():
                del joined[one]
            if joined:
                return joined
            after = max(found)
        return {}


NO_LEAF = Leaf([], [], [])


def _in_order(tree: Tree, known: Collection[str] | None = None) -> list[str]:
    """The root first; of those that are known."""
    return sorted(tree.members if known is None else tree.members & set(known), key=lambda one: (one != tree.root, one))


def _more_wishes(one: Wishes, other: Wishes) -> Wishes:
    return one.plus(other, MEMORIES)


def _more_products(
    one: tuple[bytes, PackedLesson | None], other: tuple[bytes, PackedLesson | None]
) -> tuple[bytes, PackedLesson | None]:
    habits = Habits.unpack(one[0]).plus(Habits.unpack(other[0]), MEMORIES.products)
    return habits.pack(), None


def _more_book(one: Book, other: Book) -> Book:
    """What no book can hold any more is left out, as of one customer."""
    try:
        return one.plus(other)
    except BeyondTheBooks:
        return one


def _more_behaviour(one: bytes, other: bytes) -> bytes:
    return Behaviour.unpack(one).plus(Behaviour.unpack(other)).pack()
