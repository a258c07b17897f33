"""Whose an identifier is. Pure; the map that all this reads and extends is the store's."""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.contracts.channels import ContactReported
from shared.contracts.fact import Identifier

MAX_VALUE = 256
PHONE_PUNCTUATION = re.compile(r"[\s().\-/]")


def normalised(identifier: Identifier) -> Identifier:
    """One spelling for one identifier: e-mail in lower case, telephone numbers without punctuation."""
    value = spelling(identifier.scheme, identifier.value)
    return identifier if value == identifier.value else Identifier(scheme=identifier.scheme, value=value)


def spelling(scheme: str, typed: str) -> str:
    """The value of a normalised identifier."""
    value = typed.strip()
    match scheme:
        case "email":
            value = value.lower()
        case "phone":
            value = re.sub(r"^00", "+", PHONE_PUNCTUATION.sub("", value))
    # Lower case can be longer than upper case; what no longer fits stays as it came.
    return value if 0 < len(value) <= MAX_VALUE else typed


def distinct(identifiers: Iterable[Identifier]) -> list[Identifier]:
    """Normalised, each once, the first stays first."""
    return list({str(one): one for one in map(normalised, identifiers)}.values())


def identified(report: ContactReported) -> list[Identifier]:
    """Everything that says who a report is about. E-mail and telephone come last: families share them."""
    email = [Identifier(scheme="email", value=report.email)] if report.email else []
    phone = [Identifier(scheme="phone", value=report.phone)] if report.phone else []
    return distinct([*report.customer, *email, *phone])


@dataclass(frozen=True)
class Conflict:
    """Identifiers said to be one customer's belong to two. Nothing is taken away from either; merging is for later."""

    kept: str
    other: str
    identifiers: tuple[str, ...]


@dataclass(frozen=True)
class Resolution:
    """Whose each list is. `owners` is the whole map, what was known and what is new; `attached` is what is new."""

    customers: list[str]
    owners: Mapping[str, str]
    attached: dict[str, list[Identifier]]
    registered: frozenset[str]
    conflicts: list[Conflict]

    def own(self, index: int, identifiers: Iterable[Identifier]) -> list[Identifier]:
        """Those of a list's identifiers that are its customer's."""
        customer = self.customers[index]
        return [one for one in identifiers if self.owners[str(one)] == customer]


def resolve(lists: Sequence[Sequence[Identifier]], known: Mapping[str, str], new_id: Callable[[], str]) -> Resolution:
    """Give every list of (distinct, at least one) identifiers its customer.

    The first listed identifier that is known decides, and the unknown ones become that customer's. Lists that share an
    identifier share the customer. A customer is made for lists of which nothing is known. Linear in the input.
    """
    names = [[str(one) for one in identifiers] for identifiers in lists]
    spread = _Spread(names, known, new_id)
    spread.over(index for index, listed in enumerate(names) if any(name in known for name in listed))
    for index in range(len(names)):
        spread.over([index])
    customers = [spread.customers[index] for index in range(len(names))]
    return Resolution(
        customers,
        spread.owners,
        _attached(lists, known, spread.owners),
        frozenset(spread.registered),
        _conflicts(names, customers, spread.owners),
    )


class _Spread:
    """Carries ownership from list to list over the identifiers they share."""

    def __init__(self, names: list[list[str]], known: Mapping[str, str], new_id: Callable[[], str]) -> None:
        self.names = names
        self.known = known
        self.new_id = new_id
        self.owners = dict(known)
        self.registered: set[str] = set()
        self.customers: dict[int, str] = {}
        self.holders: dict[str, list[int]] = defaultdict(list)
        for index, listed in enumerate(names):
            for name in listed:
                self.holders[name].append(index)

    def over(self, start: Iterable[int]) -> None:
        queue = deque(start)
        while queue:
            index = queue.popleft()
            if index not in self.customers:
                self.customers[index] = self._winner(self.names[index])
                queue.extend(self._claim(index))

    def _winner(self, listed: list[str]) -> str:
        for owner_of in (self.known, self.owners):
            for name in listed:
                if name in owner_of:
                    return owner_of[name]
        customer = self.new_id()
        self.registered.add(customer)
        return customer

    def _claim(self, index: int) -> Iterator[int]:
        """Give the list's unowned identifiers to its customer; yields the other lists that have them."""
        for name in self.names[index]:
            if name not in self.owners:
                self.owners[name] = self.customers[index]
                yield from self.holders[name]


def _attached(
    lists: Sequence[Sequence[Identifier]], known: Mapping[str, str], owners: Mapping[str, str]
) -> dict[str, list[Identifier]]:
    new = {str(one): one for identifiers in lists for one in identifiers if str(one) not in known}
    attached = defaultdict(list)
    for name, one in new.items():
        attached[owners[name]].append(one)
    return dict(attached)


def _conflicts(names: list[list[str]], customers: list[str], owners: Mapping[str, str]) -> list[Conflict]:
    found = {}
    for listed, kept in zip(names, customers, strict=True):
        for name in listed:
            if owners[name] != kept:
                found[kept, owners[name]] = Conflict(kept, owners[name], tuple(listed))
    return list(found.values())
