"""Models beside each other on the same customers: what each said, four weeks at a time, of who would buy nothing.

Purchases are kept by day, so both are fitted on what was known at the beginning of a span and held against what came in
it, for as many spans as the past has. Spans do not overlap, so that each tells something of its own; four whole weeks,
because one horizon each would take years to come to any evidence.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from services.scoring.domain.calibration import Calibration
from services.scoring.domain.drift import Cusum
from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.hindsight import Then
from services.scoring.domain.mbg_nbd import Visits, enough
from services.scoring.domain.pareto_nbd import ParetoFit, ParetoNbd, fit_pareto
from services.scoring.domain.promotion import MIN_BLOCKS, WINDOWS, Window, promoted, window
from services.scoring.domain.purchasing import Family, Fitted, Purchasing, fit_family
from services.scoring.domain.yearly import Season

SPAN_DAYS = 28
SPANS = MIN_BLOCKS * WINDOWS
PARETO = "pareto-nbd"
"""Its days of next change have no closed form, and its values no interval: it is held beside, and never used."""
WEATHER = 0.02
"""A part of the customers by which a span may be off without anybody asking why, as in `PageHinkley.allowed`: with a
million customers chance is so small that every model would be off."""
SEED = 20
Rival = Purchasing | ParetoNbd
Tables = Mapping[int, Mapping[str, Calibration]]
"""By span and model."""


def spans(first_day: int, today: int) -> list[int]:
    """The newest spans that are over, oldest first. Span n is of the days after 28 n, and there was a base before it."""
    newest = (today - 1) // SPAN_DAYS - 1
    oldest = max(newest - SPANS + 1, -(-first_day // SPAN_DAYS) + 1)
    return list(range(oldest, newest + 1))


def fit_rival(visits: Visits, rival: Family | None) -> Rival | None:
    """A family, or Pareto/NBD (None), as of then; None where too little was known."""
    if not len(visits.x) or not enough(visits):
        return None
    if rival is None:
        pareto = fit_pareto(visits)
        return pareto.parameters if isinstance(pareto, ParetoFit) and pareto.doubt is None else None
    fit = fit_family(visits, rival)
    if fit is Doubt.NO_DROPOUT:
        fit = fit_family(visits, Family(rival.k, leaving=False))
    return fit.model if isinstance(fit, Fitted) else None


def table(model: Rival, seen: Then, cut: int, season: Season) -> Calibration:
    """What it said at the end of that day of no purchase in the span, which had this season, against what came."""
    if not len(seen.purchases):
        return Calibration.empty()
    known = seen.histories
    t_x: Floats = known.last_day - known.first_day
    quiet = model.p_no_purchase(known.x, t_x, np.maximum(cut - known.first_day, t_x), season.ahead(cut, SPAN_DAYS))
    return Calibration.of(np.clip(quiet, 0.0, 1.0), (seen.purchases == 0).astype(np.float64))


class Verdict(NamedTuple):
    """`windows`: the newest is the last. `gains`: span by span, the number of the span and nats a customer."""

    challenger: str
    gains: tuple[tuple[int, float], ...]
    windows: tuple[Window, ...]
    better: bool
    """Beyond doubt, in both windows: it may take the champion's place."""


def verdict(tables: Tables, champion: str, challenger: str) -> Verdict:
    both = [span for span, said in sorted(tables.items()) if all(_rows(said, name) for name in (champion, challenger))]
    parts = [both[-2 * MIN_BLOCKS : -MIN_BLOCKS], both[-MIN_BLOCKS:]]
    windows = [
        window([tables[span][champion] for span in part], [tables[span][challenger] for span in part], SEED)
        for part in parts
        if part
    ]
    gains = tuple((span, _gain(tables[span][champion], tables[span][challenger])) for span in both)
    return Verdict(challenger, gains, tuple(windows), promoted(windows))


def _gain(mine: Calibration, theirs: Calibration) -> float:
    return (mine.total_log_loss - theirs.total_log_loss) / mine.rows


def _rows(said: Mapping[str, Calibration], name: str) -> int:
    return said[name].rows if name in said else 0


def calibration_drift(tables: Sequence[Calibration]) -> Cusum:
    """Spans in the order of time: whether more, or fewer, keep silent than was said, again and again."""
    watch = Cusum()
    for one in tables:
        if one.rows:
            came, said, variance = one.came_and_said
            watch = watch.after(came, said, variance + (WEATHER * one.rows) ** 2)
    return watch
