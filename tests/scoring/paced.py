"""A base whose customers buy at rates that come and go: somebody whose last wait was short is in a mood for buying."""

import numpy as np

from services.scoring.domain.purchases import PurchaseDay, Purchases, day_of
from tests.scoring.orders import START

STAYS = 0.8
"""How much of a mood is left at the next purchase."""


def paced_base(
    customers: int, days: int, seed: int, moods: float = 1.0, first: float = 1.0
) -> tuple[list[Purchases], int]:
    """Who arrive evenly over so many days from START on, and the last of the days.

    `moods`: standard deviation of the logarithm by which a customer's rate is off its mean. `first`: how much of the
    logarithm of the mean rate shows in the first purchase's money, and in no other. Both 0: MBG/NBD.
    """
    random, money_of, begin = np.random.default_rng(seed), np.random.default_rng([seed, 1]), day_of(START)
    base = []
    for _ in range(customers):
        mean, leaves, mood = random.gamma(1.5, 1 / 45.0), random.beta(0.8, 6.0), moods * random.normal()
        opening = 30.0 * np.exp(random.normal(0, 0.3)) * (mean * 30.0) ** first
        came = int(random.integers(0, days))
        bought, moment = {begin + came}, float(begin + came)
        while random.random() > leaves:
            moment += random.exponential(1 / (mean * np.exp(mood)))
            if moment >= begin + days:
                break
            bought.add(int(moment))
            mood = STAYS * mood + moods * np.sqrt(1 - STAYS**2) * random.normal()
        spend = 6.0 / money_of.gamma(3.8, 1 / 15.0)
        paid = [opening, *(spend * random.gamma(6.0, 1 / 6.0, len(bought) - 1))]
        records = zip(sorted(bought), paid, strict=True)
        base.append(Purchases(tuple(PurchaseDay(day, 1, max(1, round(money * 1e6)), 0, 0) for day, money in records)))
    return base, begin + days - 1
