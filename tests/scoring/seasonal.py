"""A base that obeys MBG/NBD on a clock of its own: in a high season it runs faster, so that everybody buys more."""

from datetime import date, datetime, timedelta

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.purchases import EPOCH, PurchaseDay, Purchases, day_of
from services.scoring.domain.yearly import PERIODS, Season, periods
from tests.scoring.orders import START

SUMMER_AND_CHRISTMAS = np.array([0.9, 1.0, 1.0, 1.05, 1.0, 0.95, 0.75, 0.7, 0.9, 1.05, 1.1, 1.25, 1.5])
NO_SEASON = np.ones(PERIODS)


def seasonal_base(
    customers: int,
    days: int,
    seed: int,
    levels: Floats = SUMMER_AND_CHRISTMAS,
    gap: float = 40.0,
) -> tuple[list[Purchases], datetime]:
    """Customers who arrive evenly over so many days from START on; `gap`: their mean days between purchases."""
    random = np.random.default_rng(seed)
    first = day_of(START)
    on = np.array(Season.of(levels).levels)[periods(first + np.arange(days)) % PERIODS]
    shown = np.concatenate([[0.0], np.cumsum(on)])
    base = []
    for _ in range(customers):
        rate, leaves = random.gamma(1.5, 1 / (1.5 * gap)), random.beta(0.8, 4.0)
        spend = 6.0 / random.gamma(3.8, 1 / 15.0)
        came = int(random.integers(0, days))
        bought, moment = {first + came}, shown[came]
        while random.random() > leaves and (moment := moment + random.exponential(1 / rate)) < shown[-1]:
            bought.add(first + int(np.searchsorted(shown, moment, side="right")) - 1)
        paid = [max(1, round(spend * random.gamma(6.0) / 6.0 * 100)) * 10_000 for _ in bought]
        records = zip(sorted(bought), paid, strict=True)
        base.append(Purchases(tuple(PurchaseDay(day, 1, money, 0, 0) for day, money in records)))
    return base, EPOCH + timedelta(days=first + days)


def until(base: list[Purchases], end: date) -> list[Purchases]:
    """As known at the end of that day; nobody who had not come yet."""
    day = (end - EPOCH.date()).days
    return [known for one in base if (known := one.until(day)).days]
