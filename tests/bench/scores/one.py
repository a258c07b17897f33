"""One competitor's work in a process of its own: `python -m tests.bench.scores.one NAME BASE.npz`, figures as JSON.

Each fits its model to all customers and then says of everybody what is expected within the horizon and whether they are
still there. Seconds by the wall and of CPU, without imports; compilation that a first call needs counts for the fit.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.scores.base import HORIZON_DAYS, Base

Figures = dict[str, Any]


@contextmanager
def timed(figures: Figures, what: str) -> Iterator[None]:
    began, used = time.perf_counter(), time.process_time()
    yield
    figures[f"{what} s"] = time.perf_counter() - began
    figures[f"{what} CPU s"] = time.process_time() - used


def rapport(base: Base) -> Figures:
    """The service's own refit from its histogram, cold and warm, and its sweep: predictions, places, days to look again."""
    from services.scoring.domain import rfm
    from services.scoring.domain.due import due_days
    from services.scoring.domain.histogram import NONE, Histogram
    from services.scoring.domain.mbg_cnbd import MbgCnbd
    from services.scoring.domain.model import Held, refit
    from services.scoring.domain.money_cells import cells_of
    from services.scoring.domain.population import Population
    from services.scoring.domain.prediction import Histories, predict
    from services.scoring.domain.tempo import Tempo
    from services.scoring.domain.yearly import Season

    figures: Figures = {}
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=base.today)
    logs = [
        np.where(money > 0, np.rint(np.log(np.maximum(money, 1e-9)) * 1e6), NONE) for money in (base.spend, base.money)
    ]
    rows = np.stack([np.ones(len(base.x)), base.x, base.first_day, base.t_x, *logs], axis=1).astype(np.int32)
    histogram = Histogram().plus(rows)
    figures["cells"] = histogram.cells
    with timed(figures, "fit"):
        cold = refit(histogram, now)
    if isinstance(cold, Held):
        raise SystemExit(f"the fit is held: {cold.doubts}")
    with timed(figures, "fit again"):
        refit(histogram, now, cold.parameters)
    micros = np.rint(base.money * 1e6).astype(np.int64)
    last_day = base.first_day + base.t_x
    bought = np.searchsorted(_x_edges(), base.x, side="right")
    cells = np.stack([np.ones_like(micros), last_day.astype(np.int64), bought, cells_of(micros)], axis=1)
    standing = Population(histogram, rfm.Base().plus(cells)).standing
    last_gap = np.where(base.x > 0, base.t_x / np.maximum(base.x, 1.0), np.nan)
    histories = Histories(base.x, base.first_day, last_day, base.spend, base.money, last_gap)
    with timed(figures, "score"):
        said = predict(cold.parameters, histories, now, HORIZON_DAYS)
    with timed(figures, "rank and plan"):
        ranked = histories.ranked(standing)
        due_days(cold.parameters, histories, said.told(ranked), said, base.today, HORIZON_DAYS)
    regular = replace(cold.parameters, visits=MbgCnbd(3, 2.4, 50.0, 0.9, 2.5))
    with timed(figures, "score with a rhythm"):
        by_rhythm = predict(regular, histories, now, HORIZON_DAYS)
    with timed(figures, "plan with a rhythm"):
        due_days(regular, histories, by_rhythm.told(ranked), by_rhythm, base.today, HORIZON_DAYS)
    turning = replace(regular, season=Season.of(np.linspace(0.7, 1.3, 13)), tempo=Tempo(-0.4, 0.3, 50.0, 3.5))
    with timed(figures, "score with a season and paces, too"):
        by_all = predict(turning, histories, now, HORIZON_DAYS)
    with timed(figures, "plan with a season and paces, too"):
        due_days(turning, histories, by_all.told(ranked), by_all, base.today, HORIZON_DAYS)
    return figures | _result(said.expected_purchases, said.p_alive)


def _x_edges() -> Any:
    from services.scoring.domain.histogram import X_EDGES

    return X_EDGES


def lifetimes(base: Base) -> Figures:
    import lifetimes as package

    figures: Figures = {}
    with timed(figures, "fit"):
        model = package.BetaGeoFitter()
        model.fit(base.x, base.t_x, base.age)
    with timed(figures, "score"):
        expected = model.conditional_expected_number_of_purchases_up_to_time(HORIZON_DAYS, base.x, base.t_x, base.age)
        alive = model.conditional_probability_alive(base.x, base.t_x, base.age)
    return figures | _result(np.asarray(expected), np.asarray(alive))


def pymc_marketing(base: Base) -> Figures:
    """The maximum of the posterior, as the others' maximum of the likelihood; sampling takes far longer."""
    import pandas as pd
    from pymc_marketing import clv

    figures: Figures = {}
    rows = {"customer_id": np.arange(len(base.x)), "frequency": base.x, "recency": base.t_x, "T": base.age}
    data = pd.DataFrame(rows)
    with timed(figures, "fit"):
        model = clv.BetaGeoModel(data=data)
        model.fit(method="map", progressbar=False)
    with timed(figures, "score"):
        expected = model.expected_purchases(future_t=HORIZON_DAYS)
        alive = model.expected_probability_alive()
    return figures | _result(np.asarray(expected).ravel(), np.asarray(alive).ravel())


def _result(expected: Any, alive: Any) -> Figures:
    """What must be about the same for all, or somebody has done other work."""
    return {"expected": float(np.sum(expected)), "alive": float(np.mean(alive))}


COMPETITORS: dict[str, Callable[[Base], Figures]] = {
    "rapport": rapport,
    "lifetimes": lifetimes,
    "pymc-marketing": pymc_marketing,
}


def main() -> None:
    name, place = sys.argv[1:]
    warnings.simplefilter("ignore")
    print(json.dumps(COMPETITORS[name](Base.load(Path(place)))))


if __name__ == "__main__":
    main()
