"""How long to wait before trying again."""

import random


class Backoff:
    """Doubling waits with full jitter: failing clients must not come back all at once. Seconds."""

    def __init__(self, first: float = 0.1, most: float = 15.0) -> None:
        self._first = first
        self._most = most
        self.failures = 0

    def next(self) -> float:
        ceiling = min(self._most, self._first * 2 ** min(self.failures, 32))
        self.failures += 1
        return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - spreading load, not guarding a secret

    def reset(self) -> None:
        self.failures = 0
