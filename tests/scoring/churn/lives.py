"""Simulated customers who buy, complain and leave; complaints foretell who leaves, or are noise."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from services.scoring.domain.behaviour import Behaviour, Doing
from services.scoring.domain.purchases import Order, Purchases
from tests.scoring.orders import START

HORIZON = 30
DAYS = 420
COMPLAINT_DAYS = 220.0
"""Between complaints, on average."""
LEAVES = 0.9
END = START + timedelta(days=DAYS)


class Life(NamedTuple):
    """When somebody bought and complained."""

    bought: list[datetime]
    spent: list[Decimal]
    complained: list[datetime]

    @property
    def purchases(self) -> Purchases:
        return Purchases.of(Order(*one) for one in zip(self.bought, self.spent, strict=True))

    @property
    def behaviour(self) -> Behaviour:
        return Behaviour.of((at, Doing.COMPLAINT) for at in self.complained)


def lives(customers: int, seed: int, *, telling: bool) -> list[Life]:
    """Who complains leaves with probability 0.9, if complaints are telling; else they come about as often whatever happens.

    Purchases and leaving are otherwise as MBG/NBD has them, so that the base model knows all there is to know without them.
    """
    random = np.random.default_rng(seed)
    found = []
    for _ in range(customers):
        rate, dropout = random.gamma(4.0, 1 / 60.0), random.beta(1.0, 25.0)
        at = float(random.uniform(0, 0.7 * DAYS))
        usual = 60.0 / random.gamma(3.8)
        bought, spent, complained = [], [], []
        complaint = at + random.exponential(COMPLAINT_DAYS)
        while at < DAYS:
            bought.append(START + timedelta(days=at))
            spent.append(Decimal(f"{usual * random.gamma(6.0) / 6.0 + 0.01:.2f}"))
            following = at + max(random.exponential(1 / rate), 0.01)
            left = random.random() < dropout
            while complaint < (DAYS if left and not telling else min(following, DAYS)):
                complained.append(START + timedelta(days=complaint))
                left = left or (telling and random.random() < LEAVES)
                complaint += random.exponential(COMPLAINT_DAYS)
            if left:
                break
            at = following
        found.append(Life(bought, spent, complained))
    return found
