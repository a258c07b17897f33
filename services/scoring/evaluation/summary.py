"""An evaluation as JSON for programs, and as a few lines for the person at the terminal."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from services.scoring.evaluation.accuracy import Accuracy, Figures
from services.scoring.evaluation.contest import Entry
from services.scoring.evaluation.dates import EPOCH
from services.scoring.evaluation.evaluating import Evaluation
from services.scoring.evaluation.explaining import NO_MODEL, Json, calendar_told, pace_told, parameters_of, pool_of, why
from services.scoring.evaluation.forecasts import BASELINES
from services.scoring.evaluation.metrics import reliability

FIGURES = ("mae", "mae_of_expectation", "rmse", "correlation", "total_error", "auc", "brier", "ece")
UNSHOWN = ("auc_of_probability", "total_error_of_whole")
WHOLE = (
    "mae is of the forecast in whole purchase days: the most probable purchases of the base, as many as are expected in all; "
    "mae_of_expectation and every other figure is of the expectations, which minimise squared and not absolute errors"
)


def as_json(evaluation: Evaluation) -> Json:
    """All figures; one that does not exist is null, and `reasons` beside it says why. Times in weeks."""
    chosen = evaluation.chosen
    return {
        "model": chosen.name if chosen else None,
        "parameters": parameters_of(chosen) if chosen else None,
        "log_likelihood": chosen.candidate.log_likelihood if chosen else None,
        "time_unit": "week",
        "choice": {
            "why": why(evaluation),
            "candidates": [_candidate(one, evaluation) for one in evaluation.contest.entries],
            "calendar": calendar_told(evaluation.contest.calendar),
            "pool": pool_of(chosen) if chosen else [],
            "pace": pace_told(evaluation.contest.paces),
        },
        "warnings": list(evaluation.warnings),
        "periods": _periods(evaluation),
        "data": _data(evaluation),
        "holdout": _holdout(evaluation),
        "whole": WHOLE,
        "baselines": {
            name: {"rule": BASELINES[name], **_accuracy(judged.accuracy)}
            for name, judged in evaluation.baselines.items()
        },
        "compared_with": {
            name: {
                "parameters": vars(one.model),
                "log_likelihood": one.log_likelihood,
                "holdout": _accuracy(one.accuracy),
            }
            for name, one in evaluation.peers.items()
        },
        "spend": _spend(evaluation),
        "reliability": _reliability(evaluation),
    }


def _candidate(entry: Entry, evaluation: Evaluation) -> Json:
    return {
        "model": entry.name,
        "parameters": parameters_of(entry),
        "log_likelihood": entry.candidate.log_likelihood,
        "chosen": entry is evaluation.chosen,
        "doubt": entry.candidate.doubt,
        "holdout": _accuracy(evaluation.models[entry.name].accuracy),
    }


def _accuracy(accuracy: Accuracy) -> Json:
    return {
        "customers": accuracy.customers,
        "transactions": accuracy.transactions,
        **accuracy.figures,
        "reasons": accuracy.reasons,
    }


def _holdout(evaluation: Evaluation) -> Json:
    judged = evaluation.judged
    if judged:
        return _accuracy(judged.accuracy)
    came = evaluation.split.future.purchases
    nothing = {
        "customers": len(came),
        "transactions": int(came.sum()),
        **dict.fromkeys((*FIGURES, *UNSHOWN)),
    }
    return {**nothing, "reasons": dict.fromkeys((*FIGURES, *UNSHOWN), NO_MODEL)}


def _periods(evaluation: Evaluation) -> Json:
    cut = evaluation.split
    return {
        "calibration": [day_text(cut.start), day_text(cut.end)],
        "holdout": [day_text(cut.end + 1), day_text(cut.until)],
        "holdout_weeks": cut.future.weeks,
    }


def _data(evaluation: Evaluation) -> Json:
    sales, cut = evaluation.sales, evaluation.split
    return {
        "rows": sales.rows,
        "rows_used": len(sales.day),
        "rows_after_holdout": cut.later_rows,
        "set_aside": [vars(one) for one in sales.set_aside],
        "duplicate_rows": sales.duplicates,
        "returns": int((sales.amount < 0).sum()),
        "returns_without_purchase": cut.lost_returns,
        "date_format": sales.date_pattern,
        "customers": len(cut.base.x),
        "customers_who_repeat": int((cut.base.x > 0).sum()),
        "repeat_purchases": int(cut.base.x.sum()),
        "customers_first_seen_in_holdout": cut.newcomers,
    }


def _spend(evaluation: Evaluation) -> Json:
    value = evaluation.value
    fit = value.spends
    return {
        "model": "gamma-gamma" if fit else None,
        "parameters": vars(fit.parameters) if fit else None,
        "log_likelihood": fit.log_likelihood if fit else None,
        "value": value.figures,
        "past_money_as_value": value.past_money,
    }


def _reliability(evaluation: Evaluation) -> list[Json]:
    judged = evaluation.judged
    if not judged:
        return []
    return [vars(one) for one in reliability(judged.forecast.p_purchase, _bought(evaluation))]


def _bought(evaluation: Evaluation) -> Any:
    return (evaluation.split.future.purchases > 0).astype(float)


def day_text(day: int) -> str:
    return date.fromordinal(day + EPOCH).isoformat()


def lines(evaluation: Evaluation) -> Iterator[str]:
    """What was chosen and why, the figures beside those of the rules of thumb, and the warnings."""
    cut = evaluation.split
    yield f"calibration {day_text(cut.start)} to {day_text(cut.end)}, holdout to {day_text(cut.until)}"
    came = cut.future.purchases
    yield f"{len(came):,} customers, {int(came.sum()):,} purchase days in the holdout; {cut.newcomers:,} customers first seen there"
    yield why(evaluation)
    if evaluation.chosen:
        shown = (f"{name} {figure:.4g}" for name, figure in parameters_of(evaluation.chosen).items())
        yield f"parameters (time in weeks): {', '.join(shown)}"
    yield ""
    yield from table(evaluation)
    if evaluation.warnings:
        yield ""
    yield from (f"warning: {warning}" for warning in evaluation.warnings)


def table(evaluation: Evaluation) -> Iterator[str]:
    """The figures, one line a forecast, the chosen one first."""
    rows = list(ranked(evaluation))
    wide = max(len(name) for name, _ in rows)
    yield f"{'':{wide}}" + "".join(f"{name:>{_width(name)}}" for name in FIGURES)
    for name, figures in rows:
        yield f"{name:{wide}}" + "".join(f"{shown(figure, figures[figure]):>{_width(figure)}}" for figure in FIGURES)
    yield WHOLE


def _width(name: str) -> int:
    return max(len(name) + 2, 9)


def ranked(evaluation: Evaluation) -> Iterator[tuple[str, Figures]]:
    """The chosen model, those of others, and the rules of thumb."""
    if evaluation.judged:
        yield evaluation.judged.forecast.name, evaluation.judged.accuracy.figures
    yield from ((name, one.accuracy.figures) for name, one in evaluation.peers.items())
    yield from ((name, one.accuracy.figures) for name, one in evaluation.baselines.items())


def shown(name: str, figure: float | None) -> str:
    if figure is None:
        return "-"
    return f"{figure:+.1%}" if name == "total_error" else f"{figure:.3f}"
