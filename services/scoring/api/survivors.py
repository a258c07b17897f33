"""Who answers for a customer who is asked for: the survivor, if they were merged into another."""

from typing import Protocol


class Survivors(Protocol):
    async def root(self, customer: str, /) -> str:
        """Raises Restricted: nobody answers for whoever is restricted."""
        ...
