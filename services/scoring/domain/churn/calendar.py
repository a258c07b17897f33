"""On which days of the past customers are decided about, so that labels are mature and the time to come is never known.

A customer has a row once a horizon, so that no two of their labels share a day. On which day of the horizon is drawn for each
customer once and for all: over the base, decisions lie on thirteen days of each horizon, and evidence that whole days are
drawn again for (`promotion`) has enough of them.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from services.scoring.domain.maturing import Maturity

PHASES = 13
"""Decision days a horizon: one a week where it is 90 days. `promotion.MIN_BLOCKS` of them are needed."""
PERIODS = 8
"""Horizons that are looked back: two to be tried on, one between, and five to learn from; of 90 days, two years."""
WINDOWS = 2
"""The newest horizons, each tried on by what was learnt before it."""
LATENESS_DAYS = 7
"""So late may a channel tell of a purchase, a return or a cancellation and be heard by the labels."""


class Draw(NamedTuple):
    """Of a customer: the place in samples, from 0 to 1, and the phase."""

    place: float
    phase: int


def draw(customer_id: str) -> Draw:
    """From the id alone: the same everywhere, at every look."""
    digest = int.from_bytes(blake2b(customer_id.encode(), digest_size=8, person=b"churn").digest(), "big")
    return Draw((digest >> 32) / 2**32, (digest & 0xFFFFFFFF) % PHASES)


@dataclass(frozen=True)
class Calendar:
    """As of a day (since 1970), of which nothing is used: it is not over. A decision is made at the beginning of its day."""

    today: int
    horizon: int

    @property
    def maturity(self) -> Maturity:
        return Maturity(self.horizon, LATENESS_DAYS)

    @property
    def period(self) -> int:
        """A horizon, or as many days as there are phases."""
        return max(self.horizon, PHASES)

    @property
    def newest(self) -> int:
        """The last day whose labels are mature."""
        return self.today - self.maturity.gap

    def day(self, phase: int, periods_ago: int) -> int:
        return self.newest - phase * self.period // PHASES - periods_ago * self.period

    def windows(self) -> list[tuple[int, int]]:
        """First and last day of each, the oldest first."""
        ends = [self.newest - ago * self.period for ago in reversed(range(WINDOWS))]
        return [(end - self.period + 1, end) for end in ends]
