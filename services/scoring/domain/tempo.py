"""Customers' own pace as a version carries it: by what factor the time to come passes faster or slower for a customer.

From the two facts of `pace`: was the last time between two purchases shorter than this customer's usual one, and how much was
the first purchase? Whether a base is given one is found in `pacing`.
"""

from dataclasses import dataclass

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.pace import FASTEST

SAME = 0.005
FREE = 0.005
"""Money below half a cent is none: the first purchase's is told as a difference of sums."""


@dataclass(frozen=True)
class Tempo:
    """`trend`, `money`: by how much a unit of each trait makes time faster, in logarithms. `usual_days` between two purchases
    and `usual_money` (its logarithm) of a first purchase are the base's. `level` leaves the base's total as it was.
    """

    trend: float = 0.0
    money: float = 0.0
    usual_days: float = 0.0
    usual_money: float = 0.0
    level: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.trend or self.money)

    def of(self, traits: Floats) -> Floats:
        """(customers,) from (customers, 2): a horizon of n days is to each as good as so many times n."""
        logs = traits @ np.array([self.trend, self.money]) - self.level
        factor: Floats = np.exp(np.clip(logs, -np.log(FASTEST), np.log(FASTEST)))
        return factor

    def traits(self, x: Floats, age: Floats, last_gap: Floats, first_money: Floats) -> Floats:
        """(customers, 2), in logarithms: the last gap to the mean of all, the present silence among them and both drawn to the
        base's; and the first purchase's money to the base's, one by the purchases: the less worth, the more is known.

        0 where nothing is to be seen: no repeat purchase or a gap that is not known (NaN); nothing paid. Times in days.
        """
        traits = np.zeros((len(x), 2))
        again, paid = (x > 0) & np.isfinite(last_gap), first_money >= FREE
        if self.usual_days > 0:
            mean_gap = age[again] / (x[again] + 1.0)
            traits[again, 0] = np.log((last_gap[again] + self.usual_days) / (mean_gap + self.usual_days))
        traits[paid, 1] = (np.log(first_money[paid]) - self.usual_money) / (1.0 + x[paid])
        return traits

    def days_until(self, x: Floats, age: Floats, growth: Floats) -> Floats:
        """(customers,): days without a purchase until time passes faster by this factor, within the limits of `of`; infinite where
        it never does. The mean gap grows with the silence.
        """
        if not self.trend or self.usual_days <= 0:
            return np.full_like(age, np.inf)
        drawn = age + self.usual_days * (x + 1.0)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            days = drawn * np.expm1(np.log(growth) / -self.trend)
        reached = (x > 0) & (days >= 0)
        return np.where(reached, days, np.inf)

    def close_to(self, other: "Tempo") -> bool:
        """Whatever is usual, where no coefficient reads it."""
        if not self and not other:
            return True
        mine, theirs = (tuple(vars(one).values()) for one in (self, other))
        return bool(np.allclose(mine, theirs, rtol=SAME, atol=SAME))


EVEN = Tempo()
"""Time passes alike for everybody."""
