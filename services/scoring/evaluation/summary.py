"""An evaluation as JSON for programs, and as a few lines for the person at the terminal."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from services.scoring.domain.choice import Candidate
from services.scoring.evaluation.accuracy import Accuracy
from services.scoring.evaluation.dates import EPOCH
from services.scoring.evaluation.evaluating import Evaluation
from services.scoring.evaluation.forecasts import BASELINES
from services.scoring.evaluation.metrics import reliability

Json = dict[str, Any]
NO_MODEL = "no model was fitted; the warnings say why"
FIGURES = ("mae", "rmse", "correlation", "total_error", "auc", "brier", "ece")


def as_json(evaluation: Evaluation) -> Json:
    """All figures; one that does not exist is null, and `reasons` beside it says why. Times in weeks."""
    chosen = evaluation.chosen
    return {
        "model": chosen.name if chosen else None,
        "parameters": _parameters(chosen) if chosen else None,
        "log_likelihood": chosen.log_likelihood if chosen else None,
        "time_unit": "week",
        "choice": {
            "why": why(evaluation),
            "candidates": [_candidate(one, evaluation) for one in evaluation.candidates],
        },
        "warnings": list(evaluation.warnings),
        "periods": _periods(evaluation),
        "data": _data(evaluation),
        "holdout": _holdout(evaluation),
        "baselines": {
            name: {"rule": BASELINES[name], **_accuracy(judged.accuracy)}
            for name, judged in evaluation.baselines.items()
        },
        "spend": _spend(evaluation),
        "reliability": _reliability(evaluation),
    }


def why(evaluation: Evaluation) -> str:
    """How the model was chosen, in one sentence."""
    chosen = evaluation.chosen
    if not chosen:
        return NO_MODEL
    others = [one for one in evaluation.candidates if one is not chosen]
    rivals = ", ".join(f"{one.name} {one.log_likelihood:,.1f}" for one in others)
    likely = f"log-likelihood of the calibration {chosen.log_likelihood:,.1f}, against {rivals}"
    leaving = (
        f"leaving explains it better than nobody leaving by {chosen.gain:,.1f}"
        if chosen.model.a
        else "nobody is seen to leave"
    )
    return f"{chosen.name}: {likely}; {leaving}. The holdout was not looked at."


def _parameters(one: Candidate) -> Json:
    model = one.model
    leaving = {"a": model.a, "b": model.b} if model.a else {}
    return {"k": model.k, "r": model.r, "alpha": model.alpha, **leaving}


def _candidate(one: Candidate, evaluation: Evaluation) -> Json:
    return {
        "model": one.name,
        "parameters": _parameters(one),
        "log_likelihood": one.log_likelihood,
        "chosen": one is evaluation.chosen,
        "doubt": one.doubt,
        "holdout": _accuracy(evaluation.models[one.name].accuracy),
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
    nothing = {"customers": len(came), "transactions": int(came.sum()), **dict.fromkeys(FIGURES)}
    return {**nothing, "reasons": dict.fromkeys(FIGURES, NO_MODEL)}


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
        shown = (f"{name} {figure:.4g}" for name, figure in _parameters(evaluation.chosen).items())
        yield f"parameters (time in weeks): {', '.join(shown)}"
    yield ""
    yield from table(evaluation)
    if evaluation.warnings:
        yield ""
    yield from (f"warning: {warning}" for warning in evaluation.warnings)


def table(evaluation: Evaluation) -> Iterator[str]:
    """The figures, one line a forecast, the chosen one first."""
    judged = [evaluation.judged] if evaluation.judged else []
    yield f"{'':14}" + "".join(f"{name:>12}" for name in FIGURES)
    for one in (*judged, *evaluation.baselines.values()):
        yield f"{one.forecast.name:14}" + "".join(f"{shown(name, one.accuracy.figures[name]):>12}" for name in FIGURES)


def shown(name: str, figure: float | None) -> str:
    if figure is None:
        return "-"
    return f"{figure:+.1%}" if name == "total_error" else f"{figure:.3f}"
