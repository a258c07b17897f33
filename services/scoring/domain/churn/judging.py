"""Whether behaviour foretells who leaves better than purchases alone: tried out of time, on rows that follow what was learnt.

What is judged is the way of learning: at the beginning of each of two windows a model is made of what had matured by then and
tried on the window. The one that is served learns in the same way, from all of it.
"""

from dataclasses import dataclass

import numpy as np

from services.scoring.domain.churn.calendar import Calendar
from services.scoring.domain.churn.rows import ENCODER, Rows, known
from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.histogram import Ints
from services.scoring.domain.maturing import Fold
from services.scoring.domain.model import Parameters
from services.scoring.domain.promotion import Window, compare, promoted
from services.scoring.domain.supervised.classifier import Classifier, fit_encoded

SEED = 0
FOLDS = 4
"""Forward in time, inside what is learnt from: for the number of trees, the candidate and its calibration."""


@dataclass(frozen=True)
class Learnt:
    """A model of all rows, and the windows in which its like was tried, the oldest first; or a doubt instead."""

    classifier: Classifier | None
    windows: tuple[Window, ...]
    doubt: Doubt | None

    @property
    def proven(self) -> bool:
        """Better than the base model beyond doubt in each window, with probabilities that hold."""
        return self.classifier is not None and promoted(list(self.windows))


def learn(rows: Rows, calendar: Calendar, before: Parameters, now: Parameters) -> Learnt:
    """`before`: the base model's parameters as they were when the first window began, so that it knows no more than the model
    that it is held against; `now`: those of today, for the model that is served.
    """
    windows: list[Window] = []
    then = known(rows, before, calendar.horizon)
    for begin, end in calendar.windows():
        fold = calendar.maturity.split(rows.decided, begin)
        model = _fitted(then.features, rows, fold.train, calendar, begin)
        if isinstance(model, Doubt):
            return Learnt(None, tuple(windows), model)
        valid = fold.valid[rows.decided[fold.valid] <= end]
        said = model.probability_of(then.features[valid])
        windows.append(compare(then.base[valid], said, rows.left[valid], rows.decided[valid], SEED))
    today = known(rows, now, calendar.horizon)
    model = _fitted(today.features, rows, np.arange(len(rows)), calendar, calendar.today)
    if isinstance(model, Doubt):
        return Learnt(None, tuple(windows), model)
    return Learnt(model, tuple(windows), None)


def _fitted(matrix: Floats, rows: Rows, which: Ints, calendar: Calendar, now: int) -> Classifier | Doubt:
    """Folds go forward in time; where too little time has passed for two, they are drawn."""
    folds: list[Fold] = calendar.maturity.folds(rows.decided[which], now, FOLDS)
    usable = folds if len(folds) > 1 else []
    return fit_encoded(ENCODER, matrix[which], rows.left[which], SEED, usable)
