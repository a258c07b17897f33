"""Customers whose behaviour says, as much as it can, whether they will leave."""

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.supervised.features import Row

PLANS = ("monthly", "yearly", "two years")


def customers(count: int, seed: int) -> tuple[list[Row], Floats, Floats]:
    """Rows, whether each left, and with what probability: complaints above two weigh, monthly plans too; colour does not."""
    random = np.random.default_rng(seed)
    complaints, visits = random.poisson(1.5, count), random.gamma(2.0, 3.0, count)
    plan, colour = random.integers(0, 3, count), random.integers(0, 4, count)
    log_odds = -1.5 + 1.2 * np.maximum(complaints - 2, 0) - 0.15 * visits + np.array([1.5, 0.0, -0.5])[plan]
    p = 1 / (1 + np.exp(-log_odds))
    left = (random.random(count) < p).astype(float)
    known = random.random(count) < 0.9
    rows: list[Row] = [
        {
            "complaints": float(complaints[i]),
            "visits": float(visits[i]) if known[i] else None,
            "plan": PLANS[plan[i]],
            "colour": f"colour {colour[i]}",
        }
        for i in range(count)
    ]
    return rows, left, p
