"""Mistakes in what services make of facts. Every function plants one, before the service that it is about is loaded."""

from __future__ import annotations

import dataclasses
import itertools
from decimal import Decimal
from typing import Any

from tests.torture.planted.bug import reached, replaced


def duplicates_counted() -> None:
    from services.interactions import domain

    numbers = itertools.count()

    def make(real: Any) -> Any:
        def name_of(*parts: str) -> Any:
            reached("duplicates-counted")
            return real(*parts, str(next(numbers)))

        return name_of

    replaced(domain, "name_of", make)


def total_rounded() -> None:
    from services.interactions import domain

    def make(real: Any) -> Any:
        def sums(lines: Any) -> tuple[Decimal, Decimal]:
            total, discount = real(lines)
            reached("total-rounded")
            return total.quantize(Decimal(1)), discount

        return sums

    replaced(domain, "sums", make)


def last_arrival_wins() -> None:
    from services.contacts.domain import survivorship

    def make(_: Any) -> Any:
        def wins(*_: Any) -> bool:
            reached("last-arrival-wins")
            return True

        return wins

    replaced(survivorship, "_wins", make)


def version_stands_still() -> None:
    from services.sync.domain import view

    def make(real: Any) -> Any:
        def next_version(before: Any, after: Any, origins: Any, now: Any) -> Any:
            told = list(origins)
            held = real(before, after, told, now)
            if held is None or before is None or set(told) != {None}:
                return held
            reached("version-stands-still")
            same = before.view.version
            return dataclasses.replace(held, view=held.view.model_copy(update={"version": same}))

        return next_version

    replaced(view, "next_version", make)


def score_left_out() -> None:
    from services.sync.domain import view

    def make(_: Any) -> Any:
        def is_newer(score: Any, known: Any) -> bool:
            reached("score-left-out")
            return known is None

        return is_newer

    replaced(view, "is_newer", make)
