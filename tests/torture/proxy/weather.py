"""What the network does to the bytes that go one way. Only words; `stream` lets it happen."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weather:
    """One direction of a link. All as it stands is a fair network."""

    latency: float = 0.0
    """Seconds that every piece is on its way."""
    jitter: float = 0.0
    """So much more or less, drawn for each piece; pieces never overtake each other, as in any TCP stream."""
    bandwidth: float | None = None
    """Bytes a second; None is as many as there are."""
    slices: int | None = None
    """Cut pieces to so many bytes, so that no message arrives in one; None leaves them whole."""
    cut: bool = False
    """Nothing passes, not even the end of a connection; what was sent meanwhile arrives when the cut has healed, as it
    would after TCP's retransmissions. An end that gives up earlier leaves the other one half-open."""

    @property
    def fair(self) -> bool:
        return self == FAIR

    def delay(self, rng: random.Random) -> float:
        """How long the next piece is on its way."""
        return max(0.0, self.latency + rng.uniform(-self.jitter, self.jitter)) if self.latency or self.jitter else 0.0


FAIR = Weather()
