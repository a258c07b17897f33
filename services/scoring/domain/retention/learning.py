"""What decisions teach once their outcome is known, and which models may speak for customers."""

from collections.abc import Mapping, Sequence

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.retention.catalogue import NO_ACTION
from services.scoring.domain.retention.decision import Decision
from services.scoring.domain.retention.evidence import Outcome
from services.scoring.domain.uplift.choice import Choice
from services.scoring.domain.uplift.off_policy import Log


def taught(decision: Decision, *, stayed: bool) -> list[Outcome]:
    """Facts for the evidence, from exploration only.

    What profit decided compares nobody with anybody. The universal control was not drawn among the open actions, of
    which some customers have fewer than others; it is there to measure all that is done, against nothing being done.
    """
    if decision.group != "exploration":
        return []
    if decision.action != NO_ACTION:
        return [Outcome(decision.action, decision.stratum, True, stayed)]
    return [Outcome(option.action, decision.stratum, False, stayed) for option in decision.options]


def proven(choices: Mapping[str, Choice], features: Floats) -> dict[str, Floats]:
    """For `decide`: (n,) shares persuaded, by actions whose model ranks better than chance. `features`: (n, d)."""
    return {name: choice.uplift(features) for name, choice in choices.items() if choice.policy == "by uplift"}


def log_of(decisions: Sequence[Decision], rewards: Floats, codes: Mapping[str, int]) -> Log:
    """Decisions as a log by which other policies can be valued. `codes`: of each action, NO_ACTION among them."""
    action = np.array([codes[decision.action] for decision in decisions], dtype=np.int64)
    return Log(action, np.array([decision.propensity for decision in decisions]), rewards)
