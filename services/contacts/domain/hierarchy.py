"""Organisations in a hierarchy: who stands above whom, read as a tree with sums. Pure.

Everybody has one parent at a time (`links.upward`). Late reports and merges can still make a circle of them, whatever is checked
on writing; it is read as if the oldest link in it were not there, so that everybody sees the same tree.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from services.contacts.domain.links import fits, over, upward
from shared.contracts.contacts import Contact
from shared.contracts.parties import HeldKind

MAX_LEVELS = 20
"""Of a hierarchy. Groups of companies have some ten; who has more is a mistake, or an attack."""
MAX_PARTIES = 1000
"""That are read of a hierarchy at a time."""


class Above(NamedTuple):
    """The way up from a party: each with its link to the next, the last with none."""

    path: tuple[Contact, ...]
    complete: bool
    """False: it goes on beyond `MAX_LEVELS`."""

    @property
    def top(self) -> str:
        return self.path[-1].customer_id


@dataclass
class Climb:
    """The way up, step by step: `follow` says whom to read next, until None."""

    now: datetime
    path: list[Contact] = field(default_factory=list)
    complete: bool = True

    def follow(self, contact: Contact, parent: Contact | None) -> bool:
        """Go from a contact to its parent, as it was read (None: there is none). Whether there is more to climb."""
        self.path.append(contact)
        link = upward(contact.links, self.now)
        if link is None or parent is None or not fits(link.kind, contact, parent):
            return False
        if parent.customer_id in {one.customer_id for one in self.path}:
            self._cut(parent.customer_id)
            return False
        self.complete = len(self.path) < MAX_LEVELS
        return self.complete

    def _cut(self, again: str) -> None:
        """The path has come round to a party on it: it ends where the oldest link of the circle is."""
        start = next(number for number, one in enumerate(self.path) if one.customer_id == again)
        circle = range(start, len(self.path))
        oldest = min(circle, key=lambda number: _age(self.path[number], self.now))
        # Who stands in the circle goes round it up to the one whose link is the oldest.
        self.path = self.path[: oldest + 1]

    def above(self) -> Above:
        return Above(tuple(self.path), self.complete)


def _age(contact: Contact, now: datetime) -> tuple[datetime, str]:
    link = upward(contact.links, now)
    assert link is not None, "who stands in a circle has a parent"
    assert link.stated_at is not None, "a link upward was said to be so"
    return link.stated_at, contact.customer_id


class Sums(NamedTuple):
    """Of a party and all beneath it. `people`: who works there; `customers`: those of them who are; each place counts."""

    organisations: int
    people: int
    customers: int


@dataclass
class Node:
    """A party in the tree. `kind`: of its link to the one above; None: it is where reading began."""

    contact: Contact
    kind: HeldKind | None
    people: int = 0
    customers: int = 0
    children: list["Node"] = field(default_factory=list)

    def walk(self) -> Iterator["Node"]:
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def sums(self) -> Sums:
        nodes = list(self.walk())
        return Sums(len(nodes), sum(one.people for one in nodes), sum(one.customers for one in nodes))


def grown(
    nodes: Mapping[str, Node], found: Sequence[Contact], roots: Mapping[str, str], top: str, now: datetime
) -> dict[str, Node]:
    """Hang those who were found beneath the nodes of a level, and return them as the next level.

    `roots`: who answers for whoever a link was made to; `top`: of the hierarchy, who has nobody above even if a link says so.
    """
    level: dict[str, Node] = {}
    for contact in found:
        link = upward(contact.links, now)
        parent = nodes.get(roots.get(link.to, link.to)) if link else None
        if link and parent and contact.customer_id != top and fits(link.kind, contact, parent.contact):
            level[contact.customer_id] = node = Node(contact, link.kind)
            parent.children.append(node)
    return level


def works_at(person: Contact, roots: Mapping[str, str], now: datetime) -> set[str]:
    """Where somebody works at a time, by who answers for it."""
    here = (one for one in person.links if one.kind == "works-at" and over(one, now) is None)
    return {roots.get(one.to, one.to) for one in here} if person.party == "person" else set()
