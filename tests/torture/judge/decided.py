"""What was decided about persons, as the platform has answered: who was merged, parted again, erased. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple, TypeVar

NEVER = float("inf")
Key = TypeVar("Key", int, str)


class Merge(NamedTuple):
    """Two customers who were found to be one."""

    survivor: str
    absorbed: str


@dataclass(slots=True)
class Erasure:
    """Whoever wanted to be forgotten, with all who were one with them."""

    customers: tuple[str, ...]
    receipted_at: float = NEVER
    """When it was seen that interactions is done; monotonic. What is sent from then on is about somebody new."""


class Wrong(NamedTuple):
    """An answer that does not follow from those before it."""

    what: str
    expected: object
    found: object
    customer: int


@dataclass(slots=True)
class Decided:
    """All decisions whose outcome is known. Answers may come in any order: no rule here depends on it."""

    numbers: dict[str, int] = field(default_factory=dict)
    """The customer's number by the id that the platform has given them."""
    merges: dict[str, Merge] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    erasures: dict[str, Erasure] = field(default_factory=dict)
    answers: int = 0
    asked_again: int = 0
    """Requests whose outcome was unknown."""
    wrong: list[Wrong] = field(default_factory=list)

    @property
    def erased(self) -> dict[str, str]:
        """The erasure by the id of the customer who is no more."""
        return {customer: name for name, erasure in self.erasures.items() for customer in erasure.customers}

    def into(self) -> dict[str, str]:
        """Who is merged into whom, now."""
        gone = self.erased
        standing = (merge for merge_id, merge in self.merges.items() if merge_id not in self.undone)
        return {one.absorbed: one.survivor for one in standing if one.absorbed not in gone and one.survivor not in gone}

    def standing(self, customers: Iterable[str]) -> list[str]:
        """The merges between these that were not taken back, in the order of their ids."""
        among = set(customers)
        return sorted(
            merge_id
            for merge_id, merge in self.merges.items()
            if merge_id not in self.undone and merge.survivor in among and merge.absorbed in among
        )

    def one_with(self, customer: str) -> set[str]:
        """All who are one with a customer, themselves too."""
        into = self.into()
        root = root_of(customer, into)
        return {one for one in {customer, *into, *into.values()} if root_of(one, into) == root}

    def answer_to_merge(self, survivor: str, absorbed: str) -> HTTPStatus:
        """What the platform must say, where nobody asks for anything else at the same time."""
        into, gone = self.into(), self.erased
        if survivor in gone or absorbed in gone:
            return HTTPStatus.NOT_FOUND
        if into.get(absorbed) == survivor or not {survivor, absorbed} & into.keys():
            return HTTPStatus.OK
        return HTTPStatus.CONFLICT

    def expect(self, what: str, expected: object, found: object, customer: str) -> None:
        self.answers += 1
        if expected != found:
            self.wrong.append(Wrong(what, expected, found, self.numbers[customer]))


def root_of(customer: Key, into: Mapping[Key, Key]) -> Key:
    """Who answers for a customer."""
    for _ in range(len(into) + 1):
        if customer not in into:
            return customer
        customer = into[customer]
    raise ValueError(f"links of {customer} make a circle")


def trees(into: Mapping[Key, Key]) -> dict[Key, list[Key]]:
    """By root, all who are one with it, the root first."""
    found: dict[Key, list[Key]] = {}
    for customer in sorted(into):
        root = root_of(customer, into)
        found.setdefault(root, [root]).append(customer)
    return found
