"""Mistakes in what services make of facts. Every function plants one, before the service that it is about is loaded."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from tests.torture.planted.bug import reached, replaced


def duplicates_counted() -> None:
    from services.interactions.domain import entries

    numbers = itertools.count()

    def make(real: Any) -> Any:
        def name_of(*parts: str) -> Any:
            reached("duplicates-counted")
            return real(*parts, str(next(numbers)))

        return name_of

    replaced(entries, "name_of", make)


def total_rounded() -> None:
    from services.interactions.domain import facts

    def make(real: Any) -> Any:
        def sums(lines: Any) -> tuple[Decimal, Decimal]:
            total, discount = real(lines)
            reached("total-rounded")
            return total.quantize(Decimal(1)), discount

        return sums

    replaced(facts, "sums", make)


def last_arrival_wins() -> None:
    from services.contacts.domain.standing import Standing

    def make(_: Any) -> Any:
        def wins(*_: Any) -> bool:
            reached("last-arrival-wins")
            return True

        return wins

    replaced(Standing, "_newer", make)


def score_left_out() -> None:
    from services.sync.domain import view
    from shared.contracts.scoring import ScoreChanged

    def make(real: Any) -> Any:
        def take(known: Any, fact: Any) -> Any:
            if isinstance(fact, ScoreChanged) and getattr(known, "score", None) not in {None, b"null"}:
                reached("score-left-out")
                return known
            return real(known, fact)

        return take

    replaced(view, "take", make)
