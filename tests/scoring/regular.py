"""A base of regular buyers: between two purchases lie three steps (Erlang-3), so that MBG/CNBD-3 is what it obeys."""

from datetime import datetime, timedelta

import numpy as np

from services.scoring.domain.purchases import EPOCH, PurchaseDay, Purchases
from tests.scoring.orders import START


def regular_base(
    customers: int, days: int, seed: int, leaving: float = 0.25, steps: int = 3
) -> tuple[list[Purchases], datetime]:
    """Customers who arrive evenly over so many days. `leaving`: the mean probability to leave after a purchase."""
    random = np.random.default_rng(seed)
    first = (START - EPOCH).days
    base = []
    for _ in range(customers):
        gap, spend = 40.0 / random.gamma(8.0, 1 / 8.0), 6.0 / random.gamma(3.8, 1 / 15.0)
        leaves = random.beta(10 * leaving, 10 * (1 - leaving)) if leaving else 0.0
        at = first + int(random.integers(0, days))
        bought, moment = {at}, float(at)
        while random.random() >= leaves and (moment := moment + random.gamma(steps, gap / steps)) < first + days:
            bought.add(int(moment))
        paid = [max(1, round(spend * random.gamma(6.0) / 6.0 * 100)) * 10_000 for _ in bought]
        base.append(
            Purchases(tuple(PurchaseDay(day, 1, money, 0, 0) for day, money in zip(sorted(bought), paid, strict=True)))
        )
    return base, EPOCH + timedelta(days=first + days)
