"""Whether what customers do foretells how contracts end better than their age: tried out of time, as churn is.

The base's hazards know a contract's age and whether a payment is missing, and nothing of the customer. A model of causes is
learnt from rows that had matured when each of two windows began, and held against them by the log loss of what came: by
choice, by fate, or neither.
"""

import json
from dataclasses import dataclass

import numpy as np

from services.scoring.domain.calibration import CERTAIN, Calibration
from services.scoring.domain.churn.calendar import Calendar
from services.scoring.domain.contracts.hazards import Hazards
from services.scoring.domain.contracts.periods import Ints
from services.scoring.domain.contracts.population import Population
from services.scoring.domain.contracts.rows import ENCODER, Known, Rows, known
from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.maturing import Fold
from services.scoring.domain.promotion import Window, gain, promoted
from services.scoring.domain.supervised.causes import INVOLUNTARY, STAYED, VOLUNTARY, Causes, fit_causes_encoded

SEED = 0
FOLDS = 4


@dataclass(frozen=True)
class Foreteller:
    """Causes, and the hazards by which their rows were told the base's figures."""

    causes: Causes
    hazards: Hazards

    def probabilities(self, rows: Rows, horizon: int) -> tuple[Floats, Floats]:
        """(n,) each: ended by choice, and by fate, within the horizon."""
        return self.causes.probabilities_of(known(rows, self.hazards, horizon).features)

    def to_text(self) -> str:
        """JSON; reading it runs nothing but numbers."""
        tables = {"active": self.hazards.active.tolist(), "failing": self.hazards.failing.tolist()}
        return json.dumps({"causes": self.causes.to_text(), "hazards": tables})

    @classmethod
    def from_text(cls, text: str) -> "Foreteller":
        data = json.loads(text)
        tables = data["hazards"]
        return cls(Causes.from_text(data["causes"]), Hazards(np.array(tables["active"]), np.array(tables["failing"])))


@dataclass(frozen=True)
class Learnt:
    """A model of all rows, and the windows in which its like was tried, the oldest first; or a doubt instead."""

    model: Foreteller | None
    windows: tuple[Window, ...]
    doubt: Doubt | None

    @property
    def proven(self) -> bool:
        """Better than the hazards beyond doubt in each window, with probabilities of leaving that hold."""
        return self.model is not None and promoted(list(self.windows))


def learn(rows: Rows, calendar: Calendar, base: Population) -> Learnt:
    windows: list[Window] = []
    for begin, end in calendar.windows():
        hazards = Hazards.fitted(base.tables_at(begin))
        if isinstance(hazards, Doubt):
            return Learnt(None, tuple(windows), hazards)
        fold, then = calendar.maturity.split(rows.decided, begin), known(rows, hazards, calendar.horizon)
        model = _fitted(then.features, rows, fold.train, calendar, begin)
        if isinstance(model, Doubt):
            return Learnt(None, tuple(windows), model)
        windows.append(_tried(model, then, rows, fold.valid[rows.decided[fold.valid] <= end]))
    hazards = Hazards.fitted(base.tables_at(calendar.today))
    if isinstance(hazards, Doubt):
        return Learnt(None, tuple(windows), hazards)
    today = known(rows, hazards, calendar.horizon)
    model = _fitted(today.features, rows, np.arange(len(rows)), calendar, calendar.today)
    if isinstance(model, Doubt):
        return Learnt(None, tuple(windows), model)
    return Learnt(Foreteller(model, hazards), tuple(windows), None)


def log_loss(voluntary: Floats, involuntary: Floats, way: Ints) -> Floats:
    """(n,): nats short of certainty of what came."""
    staying = 1.0 - voluntary - involuntary
    came = np.select([way == VOLUNTARY, way == INVOLUNTARY], [voluntary, involuntary], staying)
    loss: Floats = -np.log(came.clip(CERTAIN))
    return loss


def _tried(model: Causes, then: Known, rows: Rows, valid: Ints) -> Window:
    base = then.voluntary[valid], then.involuntary[valid]
    said, way = model.probabilities_of(then.features[valid]), rows.way[valid]
    left = (way != STAYED).astype(np.float64)
    gains = log_loss(*base, way) - log_loss(*said, way)
    tables = (Calibration.of(voluntary + involuntary, left) for voluntary, involuntary in (base, said))
    return Window(gain(gains, rows.decided[valid], SEED), *tables)


def _fitted(matrix: Floats, rows: Rows, which: Ints, calendar: Calendar, now: int) -> Causes | Doubt:
    """Folds go forward in time; where too little time has passed for two, they are drawn."""
    folds: list[Fold] = calendar.maturity.folds(rows.decided[which], now, FOLDS)
    usable = folds if len(folds) > 1 else []
    return fit_causes_encoded(ENCODER, matrix[which], rows.way[which], SEED, usable)
