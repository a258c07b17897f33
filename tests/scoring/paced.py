"""A base whose customers go on faster or slower than their rate so far: as their last gap was, and as their first purchase."""

import numpy as np

from services.scoring.domain.purchases import PurchaseDay, Purchases, day_of
from tests.scoring.orders import START

CHANGE = 0.35
"""Standard deviation of the logarithm by which a customer's rate moves with every purchase."""


def paced_base(
    customers: int, days: int, seed: int, change: float = CHANGE, first: float = 0.4
) -> tuple[list[Purchases], int]:
    """Who arrive evenly over so many days from START on, and the last of the days. Rates change from gap to gap by `change`
    and are known by the first purchase's money as far as `first` says; both 0: MBG/NBD.
    """
    random, begin = np.random.default_rng(seed), day_of(START)
    base = []
    for _ in range(customers):
        rate, leaves = random.gamma(1.5, 1 / 45.0), random.beta(0.8, 6.0)
        spend = 30.0 * np.exp(random.normal(0, 0.6)) * (rate * 30.0) ** first
        came = int(random.integers(0, days))
        bought, moment = {begin + came}, float(begin + came)
        while random.random() > leaves:
            rate *= np.exp(random.normal(0, change))
            moment += random.exponential(1 / rate)
            if moment >= begin + days:
                break
            bought.add(int(moment))
        # Later purchases cost what anybody's do.
        paid = [spend, *(30.0 * random.gamma(6.0, 1 / 6.0) for _ in range(len(bought) - 1))]
        records = zip(sorted(bought), paid, strict=True)
        base.append(Purchases(tuple(PurchaseDay(day, 1, max(1, round(money * 1e6)), 0, 0) for day, money in records)))
    return base, begin + days - 1
