"""Who is who: the platform's customer ids against the books' customer numbers, by the identifiers that were told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.torture.judge.books import Account, Books
from tests.torture.judge.breach import Breaches

RULE = "one customer"


@dataclass(frozen=True, slots=True)
class Naming:
    """How the load names customers: `{scheme}:{prefix}{number}` by channel, one for all channels, and the e-mail."""

    channels: Sequence[str]
    """`scheme:prefix` by channel, in the books' order of channels."""
    common: str
    email: tuple[str, str]
    """What stands before and behind the number in an e-mail identifier."""
    digits: int = 7

    def identifiers(self, account: Account) -> set[str]:
        if account.known_by is not None:
            return set(account.known_by)
        number = f"{account.customer:0{self.digits}d}"
        names = {self.channels[channel] + number for channel in account.channels} | {self.common + number}
        return names | ({self.email[0] + str(account.customer) + self.email[1]} if account.reports else set())

    def customer(self, identifier: str) -> int | None:
        """The number in an identifier; None for one that the load never tells."""
        for prefix in (*self.channels, self.common):
            if identifier.startswith(prefix) and identifier[len(prefix) :].isdigit():
                return int(identifier[len(prefix) :])
        before, behind = self.email
        inner = identifier.removeprefix(before).removesuffix(behind)
        return int(inner) if identifier == before + inner + behind and inner.isdigit() else None


@dataclass(slots=True)
class Identities:
    """Both ways between customer numbers and the platform's ids."""

    ids: dict[int, str] = field(default_factory=dict)
    customers: dict[str, int] = field(default_factory=dict)

    def customer(self, customer_id: str | None) -> int | None:
        return None if customer_id is None else self.customers.get(customer_id)


def identities(
    books: Books,
    naming: Naming,
    owners: Iterable[tuple[str, str]],
    conflicts: int,
    breaches: Breaches,
    erased: Mapping[str, int] | None = None,
) -> Identities:
    """`owners` are pairs of identifier and customer id, as contacts keeps them. One number, one id, and the reverse.

    `erased` are the numbers by the ids of those who are no more: their identifiers are nobody's, or somebody new's.
    """
    found, told = Identities(customers=dict(erased or {})), set()
    free = set(found.customers.values())
    for identifier, customer_id in owners:
        number = naming.customer(identifier)
        if number is None or number not in books.accounts:
            breaches.expect(RULE, f"identifier {identifier}", "told by nobody, so unknown", customer_id)
            continue
        told.add(identifier)
        first = found.ids.setdefault(number, customer_id)
        breaches.expect(RULE, f"customer {number} by {identifier}", first, customer_id, customer=number)
        other = found.customers.setdefault(customer_id, number)
        breaches.expect(RULE, f"customer id {customer_id}", other, number, customer=number)
    for number, account in books.accounts.items():
        if number in free:
            continue
        missing = naming.identifiers(account) - told
        breaches.expect(RULE, f"customer {number}: identifiers nobody keeps", set(), missing, customer=number)
    breaches.expect(RULE, "pairs of customers taken for one", 0, conflicts)
    return found


def by_scheme(rows: Iterable[Mapping[str, str]]) -> Iterable[tuple[str, str]]:
    return ((row["_id"], row["customer_id"]) for row in rows)
