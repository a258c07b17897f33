"""May we, for this purpose, on this channel: asked of thousands of customers at once."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.contacts.domain.access import Rows
from services.contacts.domain.permission import ERASED, UNKNOWN, Permission, Question, permission
from shared.clock import Clock
from shared.contracts.contacts import Consent, DoNotContact

BREATH = 500
"""Customers who are judged before others have their turn: some milliseconds."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Of one who answers for themselves: what is needed to say whether we may, and nothing else."""

    customer_id: str
    consents: Sequence[Consent]
    do_not_contact: Sequence[DoNotContact]
    territory: str | None
    owner: str | None


class Allowances(Protocol):
    """Where it is read. Each call is a query or two, however many customers it is about."""

    async def owners(self, identifiers: Collection[str]) -> Mapping[str, str]:
        """Whose these identifiers are; unknown ones are absent."""
        ...

    async def roots(self, customers: Collection[str]) -> Mapping[str, str]:
        """Who answers for each of these customers: mostly themselves. Unknown ones are absent."""
        ...

    async def allowances(self, roots: Collection[str], question: Question) -> Mapping[str, Allowance]:
        """Of these, as all whom they are found to be make them: what speaks of this question."""
        ...

    async def restricted(self, roots: Collection[str]) -> Collection[str]: ...

    async def erased(self, customers: Collection[str]) -> Collection[str]: ...


class Permitting:
    """The use case."""

    def __init__(self, kept: Allowances, clock: Clock) -> None:
        self.kept = kept
        self.clock = clock

    async def ask(
        self, question: Question, customers: Sequence[str], identifiers: Sequence[str], rows: Rows
    ) -> tuple[dict[str, Permission], dict[str, Permission]]:
        """By customer and by identifier. Whoever is not to be seen is unknown, and so is whoever was erased to whom sees some only."""
        owners = await self.kept.owners(identifiers) if identifiers else {}
        asked = {*customers, *owners.values()}
        roots = await self.kept.roots(asked)
        found = await self._of_roots(question, set(roots.values()), rows)
        answers = {customer: found.get(roots.get(customer, ""), UNKNOWN) for customer in asked}
        gone = [customer for customer in customers if customer not in roots] if rows.all else []
        if gone:
            answers |= dict.fromkeys(await self.kept.erased(gone), ERASED)
        named = {name: answers[owners[name]] if name in owners else UNKNOWN for name in identifiers}
        return {customer: answers[customer] for customer in customers}, named

    async def _of_roots(self, question: Question, roots: Collection[str], rows: Rows) -> dict[str, Permission]:
        now = await self.clock.now()
        kept = await self.kept.allowances(roots, question)
        restricted = set(await self.kept.restricted(roots))
        answers: dict[str, Permission] = {}
        for index, (root, one) in enumerate(kept.items()):
            if index % BREATH == BREATH - 1:
                await asyncio.sleep(0)
            if not rows.has(one.territory, one.owner):
                continue
            if root in restricted:
                answers[root] = Permission(allowed=False, reason="restricted", customer_id=root)
            else:
                answers[root] = permission(question, one.consents, one.do_not_contact, now, root)
        return answers
