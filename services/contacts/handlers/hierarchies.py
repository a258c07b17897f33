"""Hierarchies of organisations with the people in them, and households with their members, read as a whole."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from services.contacts.domain.hierarchy import MAX_PARTIES, Above, Node, grown, works_at
from services.contacts.domain.links import UPWARD, trouble
from services.contacts.handlers.errors import NoSuchContact
from services.contacts.handlers.linking import Linking
from shared.contracts.contacts import Contact
from shared.contracts.parties import HeldKind, PartyLink

MAX_MEMBERS = 200
"""Of a household, that are shown. Whoever has more is an institution."""


class Staff(NamedTuple):
    """So many people of a stage who work at all of these places."""

    places: frozenset[str]
    stage: str
    people: int


class HierarchyReads(Protocol):
    """What is read of links, for many at a time."""

    async def published(self, customers: Collection[str]) -> dict[str, Contact]: ...

    async def holders(
        self, others: Collection[str], kinds: Collection[HeldKind], *, after: str = "", limit: int = MAX_PARTIES
    ) -> list[str]: ...

    async def staff(self, places: Collection[str], now: datetime) -> list[Staff]:
        """Who works there now, of customers who are alone."""
        ...

    async def merged_staff(self, places: Collection[str], limit: int) -> list[Contact]:
        """Those of several parts, one of whom has ever worked there."""
        ...


class Hierarchy(NamedTuple):
    """A party with all beneath it. `complete`: False if there is more than was read."""

    above: Above
    tree: Node
    complete: bool


class NoHousehold(ValueError):
    """The contact is a party of another kind."""


class Household(NamedTuple):
    """A household and who belongs to it now, each with the link that says so."""

    contact: Contact
    members: list[tuple[Contact, PartyLink]]
    complete: bool


class Hierarchies:
    """The use cases of reading parties together."""

    def __init__(self, linking: Linking, reads: HierarchyReads) -> None:
        self.linking = linking
        self.reads = reads

    async def tree(self, customer: str, levels: int) -> Hierarchy:
        """So many levels below a customer, at most `MAX_PARTIES` parties. Raises NoSuchContact."""
        above = await self.linking.above(customer)
        now = await self.linking.clock.now()
        root = Node(above.path[0], None)
        nodes = level = {root.contact.customer_id: root}
        complete = True
        for _ in range(levels):
            level, whole = await self._below(level, MAX_PARTIES - len(nodes), above.top, now)
            complete = complete and whole
            nodes = nodes | level
            if not level:
                break
        if level:
            deeper, whole = await self._below(level, 1, above.top, now)
            complete = complete and whole and not deeper
            for node in level.values():
                node.children.clear()
        await self._people(nodes, now)
        return Hierarchy(above, root, complete)

    async def _below(
        self, level: Mapping[str, Node], room: int, top: str, now: datetime
    ) -> tuple[dict[str, Node], bool]:
        """The next level, and whether that is all of it."""
        roots = _answering(level)
        if room <= 0:
            return {}, not await self.reads.holders(roots, UPWARD, limit=1)
        parts = await self.reads.holders(roots, UPWARD, limit=room)
        found = {one.customer_id: one for one in (await self.reads.published(parts)).values()}
        return grown(level, list(found.values()), roots, top, now), len(parts) < room

    async def _people(self, nodes: Mapping[str, Node], now: datetime) -> None:
        roots = _answering(nodes)
        for staff in await self.reads.staff(roots, now):
            for place in {roots[one] for one in staff.places}:
                _count(nodes[place], staff.people, staff.stage)
        for person in await self.reads.merged_staff(roots, MAX_PARTIES):
            for place in works_at(person, roots, now) & nodes.keys():
                _count(nodes[place], 1, person.stage)

    async def household(self, customer: str) -> Household:
        """Raises NoSuchContact, NoHousehold."""
        contact = (await self.reads.published([customer])).get(customer)
        if contact is None:
            raise NoSuchContact(customer)
        if contact.party != "household":
            raise NoHousehold(contact.party)
        own = {contact.customer_id, *contact.absorbed}
        parts = await self.reads.holders(own, {"member-of"}, limit=MAX_MEMBERS)
        found = {one.customer_id: one for one in (await self.reads.published(parts)).values()}
        now = await self.linking.clock.now()
        members = [
            (one, link)
            for _, one in sorted(found.items())
            for link in one.links
            if link.kind == "member-of" and link.to in own and trouble(one, link, contact, now) is None
        ]
        once = {one.customer_id: (one, link) for one, link in members}
        return Household(contact, list(once.values()), len(parts) < MAX_MEMBERS)


def _answering(nodes: Mapping[str, Node]) -> dict[str, str]:
    """Everybody that these parties were found to be, and who answers for them."""
    return {one: root for root, node in nodes.items() for one in (root, *node.contact.absorbed)}


def _count(node: Node, people: int, stage: str) -> None:
    node.people += people
    node.customers += people if stage == "customer" else 0
