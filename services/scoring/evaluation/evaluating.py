"""The evaluation: fit and choose on the calibration, forecast the holdout, and hold both against each other."""

from dataclasses import dataclass

import numpy as np

from services.scoring.domain.choice import Candidate, candidates, choose
from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.gamma_gamma import Spends, SpendsFit, fit_spends
from services.scoring.evaluation.accuracy import Accuracy, Figures, of_money, of_purchases
from services.scoring.evaluation.cautions import cautions
from services.scoring.evaluation.forecasts import Forecast, baselines, cells, forecast
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
    candidates: tuple[Candidate, ...]
    chosen: Candidate | None
    models: dict[str, Judged]
    baselines: dict[str, Judged]
    value: Value
    warnings: tuple[str, ...]

    @property
    def judged(self) -> Judged | None:
        return self.models[self.chosen.name] if self.chosen else None


def evaluate(sales: Sales, end: int, until: int) -> Evaluation:
    """Days counted from 1970-01-01: the calibration's last and the holdout's last. The choice never sees the holdout."""
    cut = split(sales, end, until)
    fitted = candidates(cells(cut), float(cut.base.log_gaps.sum()))
    best = fitted if isinstance(fitted, Doubt) else choose(fitted)
    chosen, tried = (best, fitted) if isinstance(best, Candidate) and not isinstance(fitted, Doubt) else (None, [])
    spends = _fit_spends(cut)
    value = _value(cut, spends, forecast(chosen, cut) if chosen else None)
    return Evaluation(
        sales=sales,
        split=cut,
        candidates=tuple(tried),
        chosen=chosen,
        models=_judge([forecast(one, cut) for one in tried], cut),
        baselines=_judge(baselines(cut), cut),
        value=value,
        warnings=tuple(cautions(sales, cut, best, spends)),
    )


def _judge(forecasts: list[Forecast], cut: Split) -> dict[str, Judged]:
    return {one.name: Judged(one, of_purchases(one, cut.future.purchases)) for one in forecasts}


def _fit_spends(cut: Split) -> SpendsFit | Doubt:
    repeated = cut.base.spend > 0
    return fit_spends(Spends(cut.base.x[repeated], cut.base.spend[repeated], np.ones(int(repeated.sum()))))


def _value(cut: Split, spends: SpendsFit | Doubt, made: Forecast | None) -> Value:
    base, came = cut.base, cut.future.money
    past = of_money(base.money, came)
    usable = isinstance(spends, SpendsFit) and spends.doubt is None
    if not usable or made is None or isinstance(spends, Doubt):
        return Value(None, None, None, past)
    spend = spends.parameters.expected_spend(np.where(base.spend > 0, base.x, 0.0), base.spend)
    expected = made.purchases * spend
    return Value(spends, expected, of_money(expected, came), past)
