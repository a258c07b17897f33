"""What the company has decided of its customers, and the books as they must be afterwards."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from demo.ledger.accounts import Account, Accounts
from demo.ledger.cards import Cards


@dataclass(frozen=True, slots=True)
class Decisions:
    """By the numbers of cards. A merge that was taken back is none."""

    merged: frozenset[Cards] = field(default_factory=frozenset)
    erased: frozenset[int] = field(default_factory=frozenset)

    def whose(self, card: int) -> int | None:
        """The smallest number of all cards that are one customer's with this one; None for whoever is erased."""
        mine = {card}
        while more := {number for pair in self.merged if mine & set(pair) for number in pair} - mine:
            mine |= more
        return None if mine & self.erased else min(mine)


def folded(accounts: Accounts, decisions: Decisions) -> Accounts:
    """One account a customer; the erased have none."""
    parts: dict[int, list[Account]] = {}
    for card, account in accounts.items():
        if (whose := decisions.whose(card)) is not None:
            parts.setdefault(whose, []).append(account)
    return {whose: together(found) for whose, found in parts.items()}


def forgotten(accounts: Accounts, decisions: Decisions) -> Accounts:
    """The accounts of the erased, each card's by itself."""
    return {card: account for card, account in accounts.items() if decisions.whose(card) is None}


def together(accounts: Iterable[Account]) -> Account:
    """As if they had always been one; of what was written twice the later form holds."""
    first, *others = sorted(accounts, key=lambda account: (account.applied_at, account.household))
    if not others:
        return first
    whole = Account(min(first.household, *(other.household for other in others)))
    for part in (first, *others):
        whole.identifiers |= part.identifiers
        whole.attributes |= part.attributes
        whole.orders |= part.orders
        whole.interactions += part.interactions
        whole.contract_events += part.contract_events
        whole.parts |= part.parts
        whole.party = part.party
        whole.applied_at = part.applied_at
        whole.name = part.name or whole.name
        whole.street = part.street or whole.street
        whole.email = part.email or whole.email
    return whole
