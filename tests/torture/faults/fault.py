"""What every fault is: one strike, drawn from a seed, that begins and ends. The kinds are in their own files."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Fault(Protocol):
    """One strike. Between `strike` and `heal` the caller waits `seconds`, as they were drawn; or less, or more."""

    @property
    def kind(self) -> str:
        """`service killed`, `kafka killed`, `link cut` ...: what the report counts by."""

    @property
    def target(self) -> str:
        """What is struck: `scoring-2`, `mongo`, `sync-1>kafka` ..."""

    @property
    def seconds(self) -> float:
        """How long it is to last; zero where it is over as soon as it has begun."""

    async def strike(self) -> None:
        """Begin. Returns when the fault is in force."""

    async def heal(self) -> None:
        """End. Safe to call twice, and without `strike`. Returns when nothing of the fault is left but its consequences."""
