"""The links between customers who are one, as a service keeps them in its own database. The rules are the contracts'."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from pymongo import ASCENDING, ReplaceOne

from shared.circles import Among
from shared.contracts.merges import Link, LinkFact, newest, root_of
from shared.mongo import Database, Document, Session

COLLECTION = "links"


class Tree(NamedTuple):
    """All who are one, and who answers for them."""

    root: str
    members: set[str]
    """The root too."""


def naming(customers: Collection[str]) -> Document:
    """Links of which one of these is an end."""
    among = {"$in": list(customers)}
    return {"$or": [{"_id": among}, {"into": among}]}


def without(erased: Among, facts: Iterable[LinkFact]) -> list[LinkFact]:
    """Nothing is kept that names somebody who was erased, though it is told under the other's id."""
    return [fact for fact in facts if not erased((fact.survivor, fact.absorbed))]


class LinkStore:
    """One document for each customer who was ever absorbed: into whom at present, as of which turn."""

    def __init__(self, database: Database) -> None:
        self._links = database[COLLECTION]

    async def prepare(self) -> None:
        await self._links.create_index([("into", ASCENDING)], sparse=True)

    async def take(self, facts: Iterable[LinkFact], session: Session | None) -> list[Link]:
        """Take over what is newer than what is known, and return it."""
        told = newest(facts)
        if not told:
            return []
        turns = {
            row["_id"]: row["turn"] async for row in self._links.find({"_id": {"$in": list(told)}}, session=session)
        }
        newer = [link for link in told.values() if link.turn > turns.get(link.absorbed, 0)]
        if newer:
            writes = [
                ReplaceOne({"_id": one.absorbed}, {"into": one.into, "turn": one.turn}, upsert=True) for one in newer
            ]
            await self._links.bulk_write(writes, ordered=False, session=session)
        return newer

    async def forget(self, customers: Collection[str], session: Session | None) -> int:
        """Every link that names one of these; how many those were."""
        return (await self._links.delete_many(naming(customers), session=session)).deleted_count

    async def around(self, customers: Collection[str], session: Session | None) -> dict[str, str]:
        """Who is merged into whom, where one of the two is among these customers."""
        among = {"$in": list(customers)}
        wanted = {"$or": [{"_id": among, "into": {"$ne": None}}, {"into": among}]}
        return {row["_id"]: row["into"] async for row in self._links.find(wanted, session=session)}

    async def members(self, customer: str, session: Session | None = None) -> set[str]:
        """All who are one with a customer, themselves too."""
        return (await self.tree(customer, session)).members

    async def tree(self, customer: str, session: Session | None = None) -> Tree:
        """With whom a customer is one; alone with themselves, as nearly all are."""
        trees = await self.trees([customer], session)
        return next((one for one in trees if customer in one.members), Tree(customer, {customer}))

    async def root(self, customer: str) -> str:
        """Who answers for a customer: nearly always they themselves."""
        return (await self.tree(customer)).root

    async def trees(self, customers: Collection[str], session: Session | None = None) -> list[Tree]:
        """Of those among these customers who are not alone."""
        seen: set[str] = set()
        into: dict[str, str] = {}
        frontier = set(customers)
        while frontier:
            seen |= frontier
            into |= await self.around(frontier, session)
            frontier = {*into, *into.values()} - seen
        trees: dict[str, Tree] = {}
        for customer in {*into, *into.values()}:
            root = root_of(customer, into)
            trees.setdefault(root, Tree(root, set())).members.add(customer)
        return list(trees.values())
