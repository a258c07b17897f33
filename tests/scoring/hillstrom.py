"""Hillstrom's e-mail challenge as randomised trials, and the protocol by which learners are judged on it."""

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from services.scoring.domain.fitting import Floats
from services.scoring.domain.uplift.choice import Choice, choose
from services.scoring.domain.uplift.learners import learn
from services.scoring.domain.uplift.measuring import RESPONSE, Effort, Recipe
from services.scoring.domain.uplift.ranking import qini_auc, uplift_at
from services.scoring.domain.uplift.trial import Trial

FILE = Path(__file__).parent / "data" / "hillstrom.csv.gz"
CONTROL, MENS, WOMENS = "No E-Mail", "Mens E-Mail", "Womens E-Mail"
SEEDS = range(5)


@dataclass(frozen=True)
class Mailing:
    """All three arms: `features` (64000, 13), `arm` and `outcomes` by name."""

    features: Floats
    arm: npt.NDArray[np.str_]
    outcomes: dict[str, Floats]
    history: Floats

    def of(self, outcome: str, arm: str) -> Floats:
        of_arm: Floats = self.outcomes[outcome][self.arm == arm]
        return of_arm

    def trial(self, arm: str, outcome: str) -> Trial:
        """One arm against those who were not mailed."""
        which = (self.arm == arm) | (self.arm == CONTROL)
        return Trial.even(self.features[which], (self.arm == arm)[which], self.outcomes[outcome][which])


@cache
def mailing() -> Mailing:
    with gzip.open(FILE, "rt") as file:
        rows = list(csv.DictReader(file))
    column = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    history = column["history"].astype(np.float64)
    one_hot = [
        column[name] == value
        for name, values in (
            ("zip_code", ("Rural", "Surburban", "Urban")),
            ("channel", ("Multichannel", "Phone", "Web")),
        )
        for value in values
    ]
    segment = np.array([float(name[0]) for name in column["history_segment"]])
    plain = [column[name].astype(np.float64) for name in ("recency", "mens", "womens", "newbie")]
    features = np.column_stack([*plain, history, np.log(history), segment, *one_hot]).astype(np.float64)
    outcomes = {name: column[name].astype(np.float64) for name in ("visit", "conversion", "spend")}
    return Mailing(features, column["segment"], outcomes, history)


def halves(trial: Trial, seed: int) -> tuple[Trial, Trial]:
    """70 % to learn from and 30 % to judge by, stratified on arm and outcome."""
    kind = 2 * trial.treated + (trial.outcome > 0)
    train, test = train_test_split(np.arange(len(trial)), test_size=0.3, random_state=seed, stratify=kind)
    return trial.part(train), trial.part(test)


@dataclass(frozen=True)
class Judged:
    """What was chosen within the 70 %, and how it and the response model did on the 30 % that nothing had seen."""

    choice: Choice
    qini: float
    response: float
    first_30: float


def judge(arm: str, outcome: str, seed: int, recipes: Sequence[Recipe], effort: Effort) -> Judged:
    train, test = halves(mailing().trial(arm, outcome), seed)
    choice = choose(train, seed, recipes, effort)
    assert isinstance(choice, Choice)
    response = learn(RESPONSE.learner, RESPONSE.base, train, seed)
    score = choice.scorer.predict(test.features)
    first_30 = uplift_at(0.3, test.outcome, score, test.treated)
    assert first_30 is not None
    return Judged(
        choice,
        qini_auc(test.outcome, score, test.treated),
        qini_auc(test.outcome, response.predict(test.features), test.treated),
        first_30,
    )
