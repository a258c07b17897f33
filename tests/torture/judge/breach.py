"""A rule that does not hold, and the collection of all of them. What the rules are is not said here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

KEPT = 200
"""Breaches of one rule that are kept in full; the others are counted."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that is not as it must be."""

    rule: str
    what: str
    expected: object
    found: object
    event: int | None = None
    """The number of the event that it is about, if it is about one."""
    customer: int | None = None

    def __str__(self) -> str:
        return f"[{self.rule}] {self.what}: expected {self.expected!s}, found {self.found!s}"


@dataclass(slots=True)
class Breaches:
    """All that was found, by rule."""

    counts: Counter[str] = field(default_factory=Counter)
    kept: list[Breach] = field(default_factory=list)
    checks: Counter[str] = field(default_factory=Counter)
    """How often each rule was held against something: a rule that never was proves nothing."""

    def add(self, breach: Breach) -> None:
        self.counts[breach.rule] += 1
        if self.counts[breach.rule] <= KEPT:
            self.kept.append(breach)

    def expect(
        self,
        rule: str,
        what: str,
        expected: object,
        found: object,
        *,
        event: int | None = None,
        customer: int | None = None,
    ) -> bool:
        """Hold the rule against one thing; say whether it holds."""
        self.checks[rule] += 1
        if expected == found:
            return True
        self.add(Breach(rule, what, expected, found, event, customer))
        return False

    def __iter__(self) -> Iterator[Breach]:
        return iter(self.kept)

    def __len__(self) -> int:
        return self.counts.total()

    @property
    def first_event(self) -> Breach | None:
        """The breach about the earliest event, else about any customer: where to look first."""
        about_events = [breach for breach in self.kept if breach.event is not None]
        if about_events:
            return min(about_events, key=lambda breach: breach.event or 0)
        return next((breach for breach in self.kept if breach.customer is not None), None)
