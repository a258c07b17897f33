"""Made-up trials whose true effects are known."""

from dataclasses import dataclass

import numpy as np

from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.uplift.choice import Choice
from services.scoring.domain.uplift.trial import Trial


@dataclass(frozen=True)
class Made:
    trial: Trial
    effect: Floats


def made(customers: int, seed: int, *, strength: float = 0.15, share: float = 0.5, amounts: bool = False) -> Made:
    """The first feature moves the outcome, the second the effect, the third neither; treated with this share."""
    rng = np.random.default_rng(seed)
    features = rng.uniform(-1, 1, (customers, 3))
    treated = rng.random(customers) < share
    effect = 0.1 + strength * features[:, 1]
    chance = 0.4 + 0.2 * features[:, 0] + effect * treated
    outcome = (rng.random(customers) < chance).astype(np.float64)
    if amounts:
        outcome *= rng.gamma(2.0, 10.0, customers)
        effect = effect * 20.0
    return Made(Trial(features, treated, outcome, np.full(customers, share)), effect)


def chosen(choice: Choice | Doubt) -> Choice:
    assert isinstance(choice, Choice)
    return choice
