"""What was chosen, with which parameters and why: in words, and as JSON."""

from typing import Any

from services.scoring.domain.choice import name_of
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.evaluation.calendar_effects import Calendar
from services.scoring.evaluation.contest import Entry
from services.scoring.evaluation.evaluating import Evaluation
from services.scoring.evaluation.paces import Paces

Json = dict[str, Any]
NO_MODEL = "no model was fitted; the warnings say why"


def why(evaluation: Evaluation) -> str:
    """How the model was chosen, in a few sentences."""
    chosen = evaluation.chosen
    if not chosen:
        return NO_MODEL
    candidate = chosen.candidate
    rivals = ", ".join(
        f"{one.name} {one.candidate.log_likelihood:,.1f}"
        for one in evaluation.contest.entries
        if one.candidate is not candidate
    )
    leaving = f"it is {candidate.gain:,.1f} above nobody leaving" if candidate.model.a else "nobody is seen to leave"
    return (
        f"{chosen.name}: log-likelihood of the calibration {candidate.log_likelihood:,.1f}, against {rivals or 'no other'}; "
        f"{leaving}. Rhythm: {evaluation.contest.rhythm}. Calendar: {evaluation.contest.calendar.why}. "
        f"{_why_pooled(chosen)}Pace: {evaluation.contest.paces.why}. The holdout was not looked at."
    )


def _why_pooled(entry: Entry) -> str:
    if not entry.pool:
        return ""
    weights = " and ".join(f"{one['model']} {one['weight']:.2f}" for one in pool_of(entry))
    likely = entry.candidate.name
    return f"Pool: under {weights} what came in the calibration's last quarter was most probable; the likelihood is that of {likely}. "


def parameters_of(entry: Entry) -> Json:
    """Of the most likely model; the others of its pool stand under `choice`."""
    pace = {f"pace_{name}": value for name, value in vars(entry.pace).items()} if entry.pace else {}
    return {**_of_model(entry.candidate.model), **pace}


def _of_model(model: MbgCnbd) -> Json:
    leaving = {"a": model.a, "b": model.b} if model.a else {}
    loyal = {"loyal": model.loyal} if model.loyal else {}
    return {"k": model.k, "r": model.r, "alpha": model.alpha, **leaving, **loyal}


def pool_of(entry: Entry) -> list[Json]:
    """The models whose forecasts are mixed, and their weights; empty where there is one model alone."""
    if not entry.pool:
        return []
    members = zip(entry.pool.models, entry.pool.weights, strict=True)
    return [{"model": name_of(model), "weight": weight, "parameters": _of_model(model)} for model, weight in members]


def pace_told(paces: Paces) -> Json:
    """What a unit of each trait adds to the logarithm of a customer's speed; `held_back_gain` in nats."""
    coefficients = vars(paces.pace) if paces.pace else {}
    return {"used": paces.pace is not None, "why": paces.why, "held_back_gain": paces.gain, **coefficients}


def calendar_told(calendar: Calendar) -> Json:
    """Levels by period, `until` in weeks since the base's first purchase; the last of them lie in the holdout."""
    clock = calendar.clock
    levels = zip(clock.edges[1:].tolist(), clock.levels.tolist(), strict=True) if clock else ()
    return {
        "used": clock is not None,
        "why": calendar.why,
        "held_back_gain": calendar.gain,
        "levels": [{"until": until, "level": level} for until, level in levels],
    }
