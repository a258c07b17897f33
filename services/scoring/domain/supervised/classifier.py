"""The churn classifier: trees, logistic regression, or the mean of both, as cross-validation inside its rows decides.

Everything is chosen on rows that the candidate has not learnt from: the number of rounds, the candidate, and whether its
probabilities need mending. Contributions add up on the log-odds scale, where the mean of two models is a model too.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.maturing import Fold
from services.scoring.domain.supervised.features import Encoder, Row, Value
from services.scoring.domain.supervised.logistic import Logistic
from services.scoring.domain.supervised.recalibrating import Calibrator, chosen, losses
from services.scoring.domain.supervised.trees import Rehearsal, Trees, rehearsed

MIN_CLASS = 30
"""Rows of each outcome without which nothing is learnt."""
FOLDS = 5
SHARES = (1.0, 0.5, 0.0)
"""Candidates: the share of the trees in the log-odds; the rest is the logistic regression's."""
CLEAR = 2.0
"""Standard errors by which the base rate must be beaten: the best of several candidates is lucky a little."""


class Reason(NamedTuple):
    """A feature, the customer's value, and what it adds to the log-odds before calibration; above 0: towards leaving."""

    feature: str
    value: Value
    contribution: float


@dataclass(frozen=True)
class Evidence:
    """On rows that had not been learnt from, within the training rows: nats a row."""

    rows: int
    happened: int
    rounds: int
    base_loss: float
    """Of saying the base rate to everybody."""
    candidates: tuple[tuple[float, float], ...]
    """Share of the trees, and log loss."""

    @property
    def loss(self) -> float:
        return min(loss for _, loss in self.candidates)


@dataclass(frozen=True)
class Classifier:
    """A fitted model: plain numbers and LightGBM's text. `tree_share` 1 is trees alone, 0 logistic regression alone."""

    encoder: Encoder
    trees: Trees
    logistic: Logistic
    tree_share: float
    calibrator: Calibrator
    evidence: Evidence

    def probability(self, rows: Sequence[Row]) -> Floats:
        """(rows,) of what the model was made to foretell, in rows of the same features."""
        return self.probability_of(self.encoder.matrix(rows))

    def probability_of(self, matrix: Floats) -> Floats:
        """Of rows that are encoded already."""
        odds = _mixed(self.tree_share, self.trees.log_odds(matrix), self.logistic.log_odds(matrix))
        return self.calibrator.probability(odds)

    def reasons(self, rows: Sequence[Row], top: int = 3) -> list[list[Reason]]:
        """The features that moved each row's probability most, the strongest first."""
        contributions, _ = self.contributions(rows)
        names = sorted(set(self.encoder.features))
        told = []
        for row, added in zip(rows, contributions, strict=True):
            strongest = np.argsort(-np.abs(added), kind="stable")[:top]
            told.append([Reason(names[i], row.get(names[i]), float(added[i])) for i in strongest])
        return told

    def contributions(self, rows: Sequence[Row]) -> tuple[Floats, float]:
        """(rows, features by name) and what is expected of nobody in particular; their sum is the log-odds before calibration."""
        return self.contributions_of(self.encoder.matrix(rows))

    def contributions_of(self, matrix: Floats) -> tuple[Floats, float]:
        """Of rows that are encoded already."""
        share = self.tree_share
        by_trees = self.trees.contributions(matrix)
        by_column = share * by_trees[:, :-1] + (1 - share) * self.logistic.contributions(matrix)
        base = share * by_trees[0, -1] + (1 - share) * self.logistic.intercept if len(matrix) else 0.0
        names = self.encoder.features
        by_feature = [by_column[:, [own == name for own in names]].sum(axis=1) for name in sorted(set(names))]
        return np.stack(by_feature, axis=1), float(base)

    def to_text(self) -> str:
        """JSON; reading it runs nothing but numbers."""
        data = {
            "encoder": self.encoder.as_json(),
            "trees": self.trees.text,
            "logistic": self.logistic.as_json(),
            "tree_share": self.tree_share,
            "calibrator": self.calibrator.as_json(),
            "evidence": asdict(self.evidence),
        }
        return json.dumps(data)

    @classmethod
    def from_text(cls, text: str) -> "Classifier":
        data = json.loads(text)
        evidence = data["evidence"]
        evidence["candidates"] = tuple((share, loss) for share, loss in evidence["candidates"])
        return cls(
            Encoder.from_json(data["encoder"]),
            Trees(data["trees"]),
            Logistic.from_json(data["logistic"]),
            float(data["tree_share"]),
            Calibrator.from_json(data["calibrator"]),
            Evidence(**evidence),
        )


def fit(
    rows: Sequence[Row], happened: Floats, seed: int, folds: Sequence[Fold] = (), threads: int = 1
) -> Classifier | Doubt:
    """Learn from rows and what came of them, (rows,) 0 or 1.

    `folds` for rows that follow each other in time (`Maturity.folds`); without them, five that hold equal shares of those to
    whom it happened. A doubt where there are too few of either outcome, or where nothing beats the base rate out of fold.
    """
    encoder = Encoder.of(rows)
    return fit_encoded(encoder, encoder.matrix(rows), happened, seed, folds, threads)


def fit_encoded(
    encoder: Encoder, matrix: Floats, happened: Floats, seed: int, folds: Sequence[Fold] = (), threads: int = 1
) -> Classifier | Doubt:
    """The same from a matrix, (rows, columns) as the encoder makes it: many rows are too large as mappings."""
    yes = float(happened.sum())
    if min(yes, len(happened) - yes) < MIN_CLASS:
        return Doubt.TOO_FEW
    trial = _tried(matrix, happened, folds or stratified(happened, FOLDS, seed), seed, threads)
    if trial is None:
        return Doubt.TOO_FEW
    rate = trial.happened.mean()
    base = losses(np.full(len(trial.happened), np.log(rate / (1 - rate))), trial.happened)
    candidates = [(share, float(losses(trial.log_odds(share), trial.happened).mean())) for share in SHARES]
    share, _ = min(candidates, key=lambda one: one[1])
    calibrator = chosen(trial.log_odds(share), trial.happened, trial.fold)
    gains = base - losses(calibrator.log_odds(trial.log_odds(share)), trial.happened)
    if gains.mean() <= CLEAR * gains.std() / np.sqrt(len(gains)):
        return Doubt.NO_SIGNAL
    trees = Trees.fitted(matrix, happened, trial.rounds, seed, threads)
    evidence = Evidence(len(matrix), int(yes), trial.rounds, float(base.mean()), tuple(candidates))
    return Classifier(encoder, trees, Logistic.fitted(matrix, happened), share, calibrator, evidence)


def stratified(happened: Floats, count: int, seed: int) -> list[Fold]:
    """Folds that hold equal shares of both outcomes, drawn by the seed."""
    random = np.random.default_rng(seed)
    fold = np.empty(len(happened), np.int64)
    for outcome in (0.0, 1.0):
        members = random.permutation(np.flatnonzero(happened == outcome))
        fold[members] = np.arange(len(members)) % count
    return [Fold(np.flatnonzero(fold != one), np.flatnonzero(fold == one)) for one in range(count)]


@dataclass(frozen=True)
class _Trial:
    """Log-odds of rows out of fold, what came, and the fold of each."""

    by_trees: Floats
    by_logistic: Floats
    happened: Floats
    fold: npt.NDArray[np.int64]
    rounds: int

    def log_odds(self, share: float) -> Floats:
        return _mixed(share, self.by_trees, self.by_logistic)


def _tried(matrix: Floats, happened: Floats, folds: Sequence[Fold], seed: int, threads: int) -> _Trial | None:
    """None if no fold has both outcomes to learn from."""
    usable = [fold for fold in folds if 0 < happened[fold.train].mean() < 1 and len(fold.valid)]
    if len(usable) < 2:
        return None
    rehearsals: list[Rehearsal] = []
    by_logistic = []
    for train, valid in usable:
        learnt = matrix[train], happened[train]
        rehearsals.append(rehearsed(learnt, (matrix[valid], happened[valid]), seed, threads))
        by_logistic.append(Logistic.fitted(*learnt).log_odds(matrix[valid]))
    rounds = int(np.median([one.best for one in rehearsals]))
    by_trees = [one.log_odds(matrix[fold.valid], rounds) for one, fold in zip(rehearsals, usable, strict=True)]
    number = np.repeat(np.arange(len(usable)), [len(fold.valid) for fold in usable])
    came = happened[np.concatenate([fold.valid for fold in usable])]
    return _Trial(np.concatenate(by_trees), np.concatenate(by_logistic), came, number, rounds)


def _mixed(share: float, by_trees: Floats, by_logistic: Floats) -> Floats:
    return share * by_trees + (1.0 - share) * by_logistic
