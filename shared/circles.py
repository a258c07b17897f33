"""Everybody whom a batch of facts about customers who are one concerns. What becomes of them is each service's business."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from shared.contracts.merges import root_of


class Belonging(Protocol):
    """What a service keeps of a customer says with whom it has made them one so far."""

    @property
    def merged_into(self) -> str | None: ...

    @property
    def members(self) -> tuple[str, ...]: ...


Held = TypeVar("Held", bound=Belonging)
Among = Callable[[Iterable[str]], Collection[str]]
"""Of these customers, those of a kind: for circles those who were erased."""


def nobody(_: Iterable[str]) -> Collection[str]:
    """Where nobody is of the kind."""
    return ()


@dataclass
class Circle(Generic[Held]):
    """All who are one with somebody in the batch, or were so until now."""

    held: dict[str, Held] = field(default_factory=dict)
    """What is kept of them; nothing of those of whom nothing has come yet."""
    customers: set[str] = field(default_factory=set)
    into: dict[str, str] = field(default_factory=dict)
    """The links as they are now."""

    def leave_out(self, erased: Collection[str]) -> None:
        """Whoever is erased is one with nobody, and those who were one through them only are so no more."""
        self.customers -= set(erased)
        self.into = {one: into for one, into in self.into.items() if one not in erased and into not in erased}

    def trees(self) -> dict[str, list[str]]:
        """By root, all who belong to it, the root too."""
        trees = defaultdict(list)
        for customer in sorted(self.customers):
            trees[root_of(customer, self.into)].append(customer)
        return dict(trees)


async def circle_of(
    customers: Iterable[str],
    load: Callable[[Collection[str]], Awaitable[Mapping[str, Held]]],
    around: Callable[[Collection[str]], Awaitable[Mapping[str, str]]],
) -> Circle[Held]:
    """Found from these customers on, by what is kept of them and by the links; both read in the caller's transaction."""
    circle = Circle[Held]()
    frontier = set(customers)
    while frontier:
        circle.customers |= frontier
        held, into = await load(frontier), await around(frontier)
        circle.held |= held
        circle.into |= into
        met = {*into, *into.values()}
        for one in held.values():
            met |= {*one.members, *([one.merged_into] if one.merged_into else [])}
        frontier = met - circle.customers
    return circle
