"""A customer's own share: whether uplift by features ranks customers better than their segments do, out of time.

Only customers whose arm was drawn belong here: exploration, and the universal control, who were all left alone. Among
those whom an action or nothing was drawn for, everybody's arm had a known probability.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from services.scoring.domain.behaviour import Doing
from services.scoring.domain.churn.rows import BASE_FEATURES
from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.histogram import Ints
from services.scoring.domain.retention.catalogue import NO_ACTION, Prior
from services.scoring.domain.retention.evidence import Evidence, Outcome
from services.scoring.domain.retention.persuasion import beliefs
from services.scoring.domain.uplift.choice import SMALLEST_ARM, Calibration, Choice, choose
from services.scoring.domain.uplift.effects import Interval
from services.scoring.domain.uplift.learners import Scorer, scorer_of, written
from services.scoring.domain.uplift.measuring import RECIPES, Effort, Measured, Recipe
from services.scoring.domain.uplift.trial import Bools, Trial

Features = Mapping[str, float | None]
"""Of one customer, by name; None: never."""
NEVER_DAYS = 730.0
"""What was never done, or longer ago than this, was last done so many days ago: two of the years that are looked at."""
READ = (
    *(f"{doing.name.lower()}_{of}" for doing in Doing for of in ("90", "days_since")),
    *BASE_FEATURES,
)
"""Fewer than churn reads: effects are weak, and each feature that says nothing hides those that do."""
PLAIN = frozenset({"base_log_odds", "base_p_alive"})
"""All others are counts, days and money, whose logarithms count."""
SEED = 0


class Lesson(NamedTuple):
    """A decision drawn at random, and its outcome. `day` since 1970; `open`: actions that could have been drawn; `control`
    and `exploration`: the shares of customers at that time.
    """

    customer_id: str
    day: int
    action: str
    open: Sequence[str]
    stratum: str
    stayed: bool
    control: float
    exploration: float
    features: Features

    @property
    def propensity(self) -> float:
        """Of the action among those who got it or nothing, both at random."""
        drawn = self.exploration / (len(self.open) + 1)
        return drawn / (2 * drawn + self.control)


class Tried(NamedTuple):
    """The lessons about one action as a trial, with day and stratum of each, (n,)."""

    trial: Trial
    day: Ints
    stratum: Sequence[str]

    def part(self, which: Bools) -> "Tried":
        return Tried(self.trial.part(which), self.day[which], [self.stratum[i] for i in np.flatnonzero(which).tolist()])


@dataclass(frozen=True)
class Own:
    """What tells a customer's own share of being persuaded."""

    scorer: Scorer
    calibration: Calibration

    def share(self, features: Features) -> float:
        return float(self.calibration.effect(self.scorer.predict(np.array([columns(features)])))[0])

    def to_text(self) -> str:
        calibration = self.calibration
        figures = {"mean": calibration.mean, "slope": calibration.slope, "centre": calibration.centre}
        return json.dumps({"scorer": written(self.scorer), "calibration": figures})

    @classmethod
    def from_text(cls, text: str) -> "Own":
        data = json.loads(text)
        return cls(scorer_of(data["scorer"]), Calibration(**data["calibration"]))


@dataclass(frozen=True)
class Judged:
    """What is known of one action. `qini` and `over_segments` (its gain in Qini) are of the later lessons, by a ranking learnt
    from the earlier; `whole` is the effect on all. None where it did not come to that.
    """

    action: str
    lessons: int
    treated: int
    tried: int = 0
    doubt: Doubt | None = None
    recipe: str | None = None
    qini: Interval | None = None
    over_segments: Interval | None = None
    whole: Interval | None = None
    own: Own | None = None

    @property
    def proven(self) -> bool:
        """Better than no ranking and than the segments' beyond doubt, out of time; and still so with all that is known by now."""
        rankings = (self.qini, self.over_segments)
        return self.own is not None and all(one is not None and one.low > 0 for one in rankings)


def columns(features: Features) -> list[float]:
    """As learners read them, in the order of `READ`."""
    return [_column(name, features.get(name)) for name in READ]


def _column(name: str, value: float | None) -> float:
    if name in PLAIN:
        return 0.0 if value is None else value
    if name.endswith("_days_since"):
        value = NEVER_DAYS if value is None else min(value, NEVER_DAYS)
    return float(np.log1p(max(value or 0.0, 0.0)))


def tried(lessons: Sequence[Lesson], action: str) -> Tried | None:
    """None while one of the arms is empty."""
    drawn = [one for one in lessons if one.exploration > 0 and action in one.open]
    some = [one for one in drawn if one.action in {action, NO_ACTION}]
    treated = np.array([one.action == action for one in some], dtype=bool)
    if not treated.any() or treated.all():
        return None
    trial = Trial(
        np.array([columns(one.features) for one in some]),
        treated,
        np.array([one.stayed for one in some], dtype=np.float64),
        np.array([one.propensity for one in some]),
    )
    return Tried(trial, np.array([one.day for one in some], np.int64), [one.stratum for one in some])


def judge(
    lessons: Sequence[Lesson],
    action: str,
    prior: Prior,
    horizon: int,
    recipes: Sequence[Recipe] = RECIPES,
    effort: Effort | None = None,
) -> Judged:
    """One lesson a customer. What is learnt from ends a horizon before what it is tried on begins."""
    known, effort = tried(lessons, action), effort or Effort()
    if known is None:
        return Judged(action, 0, 0, doubt=Doubt.TOO_FEW)
    size, treated = len(known.trial), int(known.trial.treated.sum())
    begin, end = int(known.day.min()), int(known.day.max())
    cut = begin + (end - begin + horizon + 1) // 2 + 1
    earlier, later = known.day + horizon < cut, known.day >= cut
    if min(_smaller_arm(known, earlier), _smaller_arm(known, later)) < SMALLEST_ARM:
        return Judged(action, size, treated, int(later.sum()), Doubt.TOO_FEW)
    before, after = known.part(earlier), known.part(later)
    then = choose(before.trial, SEED, recipes, effort)
    if isinstance(then, Doubt):
        return Judged(action, size, treated, int(later.sum()), then)
    scores = np.stack([then.uplift(after.trial.features), _by_segment(before, after, action, prior)])
    measured = Measured.of(after.trial, [scores], effort, SEED)
    now = choose(known.trial, SEED, recipes, effort)
    return _judged(Judged(action, size, treated, int(later.sum())), now, measured)


def _judged(about: Judged, now: Choice | Doubt, measured: Measured) -> Judged:
    if isinstance(now, Doubt):
        return Judged(about.action, about.lessons, about.treated, about.tried, now)
    return Judged(
        *(about.action, about.lessons, about.treated, about.tried),
        recipe=now.chosen.recipe.name,
        qini=measured.alone(0),
        over_segments=measured.gain(0, over=1),
        whole=now.whole,
        own=Own(now.scorer, now.calibration) if now.policy == "by uplift" else None,
    )


def _smaller_arm(known: Tried, which: Bools) -> int:
    treated = known.trial.treated[which]
    return int(min(treated.sum(), (~treated).sum()))


def _by_segment(before: Tried, after: Tried, action: str, prior: Prior) -> Floats:
    """(n,): what the segments' evidence of before says of those after."""
    arms = zip(before.stratum, before.trial.treated.tolist(), before.trial.outcome.tolist(), strict=True)
    evidence = Evidence.of(Outcome(action, stratum, treated, stayed > 0) for stratum, treated, stayed in arms)
    known = beliefs(evidence, action, prior)
    return np.array([known.of(stratum).mean for stratum in after.stratum])
