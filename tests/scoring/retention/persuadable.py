"""Simulated lessons: calls persuade those who have complained, or everybody alike."""

import numpy as np

from services.scoring.domain.retention.catalogue import NO_ACTION
from services.scoring.domain.retention.own import Features, Lesson
from services.scoring.domain.uplift.bases import Linear
from services.scoring.domain.uplift.measuring import Effort, Recipe
from tests.scoring.events import customer

HORIZON = 90
QUICK = Effort(divisions=2, parts=3, draws=60)
QUICK_RECIPES = (Recipe("T", Linear()), Recipe("DR", Linear()))
SEGMENTS = ("regular", "slipping", "new")


def lessons(customers: int, seed: int, *, differ: bool, days: int = 400, by_segment: bool = False) -> list[Lesson]:
    """A call is drawn as often as nothing; as many again are left alone for good.

    With `differ`, calls keep 40 % of those who have complained, and 5 % fewer of the others; else 10 % of everybody. With
    `by_segment`, all who have complained are slipping and nobody else is.
    """
    random = np.random.default_rng(seed)
    found = []
    for number in range(customers):
        complaints = int(random.poisson(0.7))
        group = random.choice(["call", "nothing", "control"])
        effect = (0.4 if complaints else -0.05) if differ else 0.1
        chance = 0.35 + 0.1 * random.random() + effect * (group == "call")
        stratum = ("slipping" if complaints else "regular") if by_segment else str(random.choice(SEGMENTS))
        features: Features = {
            "complaint_90": float(complaints),
            "complaint_days_since": float(random.integers(1, 90)) if complaints else None,
            "visit_90": float(random.poisson(3)),
            "money": float(random.gamma(2, 50)),
            "base_log_odds": float(random.normal()),
        }
        day, action = 20_000 + int(random.integers(0, days)), "call" if group == "call" else NO_ACTION
        stayed = bool(random.random() < chance)
        found.append(Lesson(customer(number), day, action, ["call"], stratum, stayed, 0.05, 0.1, features))
    return found
