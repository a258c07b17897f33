"""Rules that ask for something sensitive of customers: for whom they are answered, and that whoever hears it is in the audit trail."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.campaigns.domain.fields import attribute
from services.campaigns.domain.rules import fields_of
from shared.audit import Accessed, Trail
from shared.contracts.sensitive import SEE_SENSITIVE, SENSITIVE, bare
from shared.http import Problem
from shared.security import Principal


class Discretion:
    """Who asks whom a rule describes learns of each what the rule asks for: a date of birth in a few questions.

    What the company has defined as sensitive stands apart in contacts, and no rule can ask for it.
    """

    def __init__(self, trail: Trail, codes: Iterable[str] = SENSITIVE) -> None:
        self._trail = trail
        self._codes = frozenset(map(bare, codes))

    def asked(self, rule: Mapping[str, Any]) -> list[str]:
        """What of a rule, as JSON, is sensitive."""
        return sorted({name for name in fields_of(rule) if bare(attribute(name) or "") in self._codes})

    def check(self, principal: Principal, rule: Mapping[str, Any], where: str) -> None:
        """Raises Problem, if the rule asks for what the key may not know."""
        if (asked := self.asked(rule)) and not principal.may(SEE_SENSITIVE):
            why = f"asks for {', '.join(asked)}, which is sensitive: the key lacks the scope `{SEE_SENSITIVE}`"
            raise Problem(403, "Sensitive fields", errors=[(where, why)])

    async def note(self, action: str, principal: Principal, rule: Mapping[str, Any], customers: Sequence[str]) -> None:
        """Into the audit trail, if something sensitive is learnt of them. Returns once it is kept."""
        if asked := self.asked(rule):
            await self._trail.write(Accessed(action, principal, customers, asked))
