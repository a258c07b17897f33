"""Keys that are known to be too frequent to be followed, so that nobody asks for them again and again."""

import time
from collections.abc import Callable, Collection, Iterable

FORGOTTEN_SECONDS = 1_800.0
"""A key is asked for again after this time, or after twice as long: those who held it may be gone."""
MOST = 100_000
"""Keys that are known at a time, twice over: some ten megabytes."""


class FrequentKeys:
    """Two generations, of which the older is forgotten when the younger is old or large enough."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._young: set[int] = set()
        self._old: set[int] = set()
        self._since = now()

    def add(self, keys: Collection[int]) -> None:
        self._young.update(keys)
        if len(self._young) >= MOST:
            self._turn()

    def without(self, keys: Iterable[int]) -> set[int]:
        """Those of the keys that are to be asked for."""
        while self._now() >= self._since + FORGOTTEN_SECONDS:
            self._since += FORGOTTEN_SECONDS
            self._turn()
        return {key for key in keys if key not in self._young and key not in self._old}

    def _turn(self) -> None:
        self._young, self._old = set(), self._young
