"""The evaluation: fit and choose on the calibration, forecast the holdout, and hold both against each other."""

from dataclasses import dataclass

import numpy as np

from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.gamma_gamma import Spends, SpendsFit, fit_spends
from services.scoring.domain.histogram import Histogram
from services.scoring.evaluation.accuracy import Accuracy, Figures, of_money, of_purchases
from services.scoring.evaluation.cautions import cautions
from services.scoring.evaluation.comparing import Compared, compare
from services.scoring.evaluation.contest import Contest, Entry, hold
from services.scoring.evaluation.forecasts import EXACT_CELLS, Forecast, baselines
from services.scoring.evaluation.reading import Sales
from services.scoring.evaluation.splitting import Split, split


@dataclass(frozen=True)
class Judged:
    forecast: Forecast
    accuracy: Accuracy


@dataclass(frozen=True)
class Value:
    """Money within the holdout: expected purchases times expected spend, against what came and against the past's money."""

    spends: SpendsFit | None
    expected: Floats | None
    figures: Figures | None
    past_money: Figures


@dataclass(frozen=True)
class Evaluation:
    """Everything there is to report. `chosen` is None where no model could be fitted, for the reason in the warnings."""

    sales: Sales
    split: Split
    contest: Contest
    chosen: Entry | None
    models: dict[str, Judged]
    baselines: dict[str, Judged]
    peers: dict[str, Compared]
    value: Value
    warnings: tuple[str, ...]

    @property
    def judged(self) -> Judged | None:
        return self.models[self.chosen.name] if self.chosen else None


def evaluate(sales: Sales, end: int, until: int) -> Evaluation:
    """Days counted from 1970-01-01: the calibration's last and the holdout's last. The choice never sees the holdout."""
    cut = split(sales, end, until)
    contest = hold(cut)
    winner = contest.winner
    chosen, doubt = (None, winner) if isinstance(winner, Doubt) else (winner, winner.candidate.doubt)
    models = _judge([entry.forecast(cut) for entry in contest.entries], cut)
    spends = _fit_spends(cut)
    return Evaluation(
        sales=sales,
        split=cut,
        contest=contest,
        chosen=chosen,
        models=models,
        baselines=_judge(baselines(cut), cut),
        peers=compare(cut),
        value=_value(cut, spends, models[chosen.name].forecast if chosen else None),
        warnings=tuple(cautions(sales, cut, doubt, spends)),
    )


def _judge(forecasts: list[Forecast], cut: Split) -> dict[str, Judged]:
    return {one.name: Judged(one, of_purchases(one, cut.future.purchases)) for one in forecasts}


def _fit_spends(cut: Split) -> SpendsFit | Doubt:
    repeated = cut.base.spend > 0
    x, spend = cut.base.x[repeated], cut.base.spend[repeated]
    if len(x) <= EXACT_CELLS:
        return fit_spends(Spends(x, spend, np.ones_like(x)))
    logs = np.rint(np.log(spend) * 1e6).astype(np.int64)
    nothing = np.zeros_like(logs)
    rows = np.stack([nothing + 1, x.astype(np.int64), nothing, nothing, logs, logs], axis=1)
    return fit_spends(Histogram().plus(rows.astype(np.int32)).repeat_spends())


def _value(cut: Split, spends: SpendsFit | Doubt, made: Forecast | None) -> Value:
    base, came = cut.base, cut.future.money
    past = of_money(base.money, came)
    usable = isinstance(spends, SpendsFit) and spends.doubt is None
    if not usable or made is None or isinstance(spends, Doubt):
        return Value(None, None, None, past)
    spend = spends.parameters.expected_spend(np.where(base.spend > 0, base.x, 0.0), base.spend)
    expected = made.purchases * spend
    return Value(spends, expected, of_money(expected, came), past)
