"""All links of a stage, by name. Everything here belongs to one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from tests.torture.proxy.link import Address, Link


class Links:
    """Made as they are asked for, closed together."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._links: dict[str, Link] = {}

    async def open(self, name: str, targets: Sequence[Address]) -> Link:
        """The link of this name; a second call gives the same one."""
        if name not in self._links:
            self._links[name] = await Link(name, targets, self._seed).open()
        return self._links[name]

    def __getitem__(self, name: str) -> Link:
        return self._links[name]

    def __iter__(self) -> Iterator[Link]:
        return iter(list(self._links.values()))

    def named(self, start: str = "", end: str = "") -> list[Link]:
        """Those that begin at one place, end at another, or both, in a settled order."""
        return [link for name, link in sorted(self._links.items()) if name.startswith(start) and name.endswith(end)]

    async def calm(self) -> None:
        for link in self:
            await link.calm()

    async def close(self) -> None:
        await asyncio.gather(*(link.close() for link in self))
        self._links.clear()
