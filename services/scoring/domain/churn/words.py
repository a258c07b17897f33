"""Why a probability of leaving is what it is, in words: what was done, how often, and whether it speaks for leaving."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from services.scoring.domain.behaviour import FEATURES, WINDOWS, Doing
from services.scoring.domain.churn.rows import BASE_FEATURES, NAMES
from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.prediction import P_BAND
from services.scoring.domain.reasons.words import ago, times
from services.scoring.domain.supervised.classifier import Classifier

MOST = 3
LEAST = P_BAND / 0.25
"""Log-odds: about what moves a probability of one half by a band of material change. Less is not worth a word."""
WAS: dict[Doing, str] = {
    Doing.CONTACT: "was in contact with us",
    Doing.COMPLAINT: "complained",
    Doing.VISIT: "visited us",
    Doing.PURCHASE: "bought",
    Doing.PAYMENT_FAILED: "failed to pay",
    Doing.CAMPAIGN_RECEIVED: "was reached by a campaign",
    Doing.CAMPAIGN_ANSWERED: "answered a campaign",
    Doing.SERVICE: "asked for help",
}
DOUBTS: dict[Doubt, str] = {
    Doubt.TOO_FEW: "too few customers have left or stayed to learn from",
    Doubt.NO_SIGNAL: "nothing that customers did foretells who leaves",
}
EACH = len(FEATURES) // len(Doing)


class Moved(NamedTuple):
    """What about a customer has moved the probability. `contribution` in log-odds, above 0 towards leaving."""

    about: str
    """A doing in small letters, or `purchases`: the base model and all that it was told."""
    text: str
    contribution: float


def moved(classifier: Classifier, features: Floats) -> list[Moved]:
    """Of one customer, (1, NAMES): the strongest first. What belongs together is added up, since it has one cause."""
    # Features by name, as the classifier sorts them, back in the order of the columns.
    contributions, _ = classifier.contributions_of(features)
    by_name = dict(zip(sorted(NAMES), contributions[0].tolist(), strict=True))
    values = dict(zip(NAMES, features[0].tolist(), strict=True))
    found = [_of(doing, values, by_name) for doing in Doing]
    found.append(Moved("purchases", _base(values), sum(by_name[name] for name in BASE_FEATURES)))
    telling = [one for one in found if abs(one.contribution) >= LEAST]
    return sorted(telling, key=lambda one: -abs(one.contribution))[:MOST]


def why(doubt: Doubt | None, *, proven: bool) -> str:
    """Which model speaks, and why."""
    if doubt is not None:
        return f"By purchases alone: {DOUBTS.get(doubt, str(doubt))}."
    if proven:
        return "By behaviour too: it foretold better than purchases alone in each of the last two horizons."
    return "By purchases alone: behaviour did not foretell better, beyond doubt, in each of the last two horizons."


def _of(doing: Doing, values: dict[str, float], by_name: dict[str, float]) -> Moved:
    name = doing.name.lower()
    added = sum(by_name[one] for one in _names(doing))
    return Moved(name, _done(doing, values), added)


def _names(doing: Doing) -> Sequence[str]:
    return FEATURES[doing * EACH : (doing + 1) * EACH]


def _done(doing: Doing, values: dict[str, float]) -> str:
    name, was = doing.name.lower(), WAS[doing]
    since = values[f"{name}_days_since"]
    if np.isnan(since):
        return f"never {was.removeprefix('was ')}"
    last = ago(round(since) - 1)
    for window in WINDOWS:
        if count := round(values[f"{name}_{window}"]):
            return f"{was} {times(count)} in the last {window} days, last {last}"
    return f"{was} last {last}"


def _base(values: dict[str, float]) -> str:
    silent = 1.0 / (1.0 + np.exp(-values["base_log_odds"]))
    return f"purchases alone say {100 * silent:.0f} % of no further one"
