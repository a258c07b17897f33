"""Registers unlike those the rules were made with, made up with what makes real ones hard. A seed decides everything."""

from __future__ import annotations

from collections.abc import Callable

from tests.bench.duplicates.hard.history import history
from tests.bench.duplicates.hard.patients import patients
from tests.bench.duplicates.hard.shop import shop
from tests.bench.duplicates.hard.suppliers import suppliers
from tests.bench.duplicates.hard.voters import voters
from tests.contacts.matching.people import Register

SEED = 29
HARD: dict[str, Callable[[int, int], Register]] = {
    "history": lambda records, seed: history(records * 2 // 11, seed, parts=True),
    "history, names in full": lambda records, seed: history(records * 2 // 11, seed, parts=False),
    "voters": lambda records, seed: voters(records * 10 // 54, seed),
    "patients": lambda records, seed: patients(records * 10 // 40, seed),
    "orders": lambda records, seed: shop(records * 10 // 49, seed),
    "suppliers": lambda records, seed: suppliers(records * 10 // 26, seed),
}


def hard(name: str, records: int = 10_000, seed: int = SEED) -> Register:
    """About so many records of a kind."""
    return HARD[name](records, seed)
