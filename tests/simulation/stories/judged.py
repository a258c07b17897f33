"""What a story finds to be wrong in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Wrong:
    """A broken promise, and the event that shows it, if there is one."""

    promise: str
    detail: str
    event: str | None = None

    def __str__(self) -> str:
        return f"{self.promise}: {self.detail}"


def difference(promise: str, where: object, found: Sequence[Any], expected: Sequence[Any]) -> list[Wrong]:
    """Nothing if both are the same; else what is wrong, named by the first that differs."""
    if list(found) == list(expected):
        return []
    place = next((n for n, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b), None)
    if place is None:
        place = min(len(found), len(expected))
    first = (list(expected)[place : place + 1] or list(found)[place : place + 1])[0]
    detail = f"{where} has {list(found)}, expected {list(expected)}"
    return [Wrong(promise, detail, str(first))]
