"""Links between customers who are one, in memory, and the facts that make and end them."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.contracts.contacts import ContactMerged, ContactUnmerged
from shared.contracts.merges import Link, LinkFact, newest, root_of
from shared.links import Tree

MERGE_ID = "01960000-0000-7000-8000-{:012x}"
START = datetime(2017, 6, 1, tzinfo=UTC)


class MemoryLinks:
    """As `shared.links.LinkStore` keeps them."""

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}

    async def take(self, facts: Iterable[LinkFact], session: Any = None) -> list[Link]:
        told = newest(facts).values()
        newer = [one for one in told if one.absorbed not in self.links or one.turn > self.links[one.absorbed].turn]
        self.links |= {one.absorbed: one for one in newer}
        return newer

    async def around(self, customers: Collection[str], session: Any = None) -> dict[str, str]:
        return {one: into for one, into in self.into().items() if one in customers or into in customers}

    async def forget(self, customers: Collection[str], session: Any = None) -> int:
        gone = [one.absorbed for one in self.links.values() if {one.absorbed, one.into} & set(customers)]
        for one in gone:
            del self.links[one]
        return len(gone)

    async def tree(self, customer: str, session: Any = None) -> Tree:
        return next(iter(await self.trees([customer])), Tree(customer, {customer}))

    async def members(self, customer: str, session: Any = None) -> set[str]:
        return next((tree.members for tree in await self.trees([customer])), {customer})

    async def trees(self, customers: Collection[str], session: Any = None) -> list[Tree]:
        trees: dict[str, Tree] = {}
        for one in {*self.into(), *self.into().values()}:
            root = root_of(one, self.into())
            trees.setdefault(root, Tree(root, set())).members.add(one)
        return [tree for tree in trees.values() if tree.members & set(customers)]

    def into(self) -> dict[str, str]:
        return {one.absorbed: one.into for one in self.links.values() if one.into is not None}


def link(absorbed: str, survivor: str, turn: int) -> LinkFact:
    """Of one customer, odd turns merge and even ones undo it."""
    at, merge_id = START + timedelta(days=turn), MERGE_ID.format(turn)
    ends: dict[str, Any] = {"merge_id": merge_id, "survivor": survivor, "absorbed": absorbed, "turn": turn}
    return ContactMerged(**ends, merged_at=at) if turn % 2 else ContactUnmerged(**ends, unmerged_at=at)


def links_among(customers: Collection[str]) -> st.SearchStrategy[list[LinkFact]]:
    """All that contacts may ever have told of who is one with whom, each fact as often as it is told: under both ids."""
    pairs = st.tuples(st.sampled_from(sorted(customers)), st.sampled_from(sorted(customers))).filter(
        lambda pair: pair[0] != pair[1]
    )
    return st.lists(st.tuples(pairs, st.booleans()), max_size=6).map(_told)


def _told(story: list[tuple[tuple[str, str], bool]]) -> list[LinkFact]:
    facts, turns = list[LinkFact](), dict[str, int]()
    for (absorbed, survivor), undone in story:
        turn = turns.get(absorbed, -1) + 2
        facts += [link(absorbed, survivor, turn)] * 2
        if undone:
            facts += [link(absorbed, survivor, turn + 1)] * 2
        turns[absorbed] = turn
    return facts
