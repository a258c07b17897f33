"""An evaluation as one HTML file that a manager can open: no script, nothing from elsewhere."""

from collections.abc import Iterator
from html import escape

from services.scoring.evaluation.evaluating import Evaluation
from services.scoring.evaluation.explaining import why
from services.scoring.evaluation.forecasts import BASELINES
from services.scoring.evaluation.plots import plots
from services.scoring.evaluation.summary import FIGURES, day_text, ranked, shown

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .7rem;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}figure{display:inline-block;width:30rem;max-width:100%;margin:.5rem 0}
figcaption{font-weight:600}svg{width:100%}svg text{font:11px system-ui,sans-serif;fill:#444}.warnings{color:#8a3b00}
"""
MEANINGS = {
    "mae": "mean absolute error of the forecast in whole purchase days, whose total is that of the expectations",
    "mae_of_expectation": "the same of the purchase days expected of a customer, which are no whole ones",
    "rmse": "the same, squared: large errors weigh more",
    "correlation": "of expected and actual purchase days",
    "total_error": "of the base's total, positive: too many expected",
    "auc": "probability that a buyer was ranked above one who did not buy",
    "brier": "squared error of the probability of a purchase",
    "ece": "by how much that probability is off, on average",
}

MODELS = {
    "mbg-nbd": "customers buy at a rate of their own, and may leave after any purchase",
    "mbg-cnbd-k": "the same for customers with a rhythm; the larger k, the more regular",
    "+loyal": "a share of customers never leaves",
    "+calendar": "the whole base buys more in some four weeks than in others",
    "+pool": "two models' forecasts are mixed, weighted by how well each foretold the last quarter seen",
    "+pace": "time passes faster for customers whose last wait was short for them, or who began with a large purchase",
    "bg-nbd, pareto-nbd": "models of others, to compare with",
}


def html(evaluation: Evaluation) -> str:
    """The whole page."""
    body = "\n".join(
        (*_head(evaluation), *_table(evaluation), *(chart.svg() for chart in plots(evaluation)), *_rules())
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>How good the scores would have been</title>'
        f"<style>{STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _head(evaluation: Evaluation) -> Iterator[str]:
    cut = evaluation.split
    yield "<h1>How good the scores would have been</h1>"
    yield (
        f"<p>Seen: {day_text(cut.start)} to {day_text(cut.end)}. Held against: what {len(cut.base.x):,} customers bought "
        f"until {day_text(cut.until)}, on {int(cut.future.purchases.sum()):,} purchase days.</p>"
    )
    yield f"<p>{escape(why(evaluation))}</p>"
    if evaluation.warnings:
        items = "".join(f"<li>{escape(warning)}</li>" for warning in evaluation.warnings)
        yield f'<ul class="warnings">{items}</ul>'


def _table(evaluation: Evaluation) -> Iterator[str]:
    yield "<table><tr><th></th>" + "".join(f'<th title="{MEANINGS[name]}">{name}</th>' for name in FIGURES) + "</tr>"
    for model, figures in ranked(evaluation):
        row = "".join(f"<td>{shown(name, figures[name])}</td>" for name in FIGURES)
        yield f"<tr><td>{escape(model)}</td>{row}</tr>"
    yield "</table>"


def _rules() -> Iterator[str]:
    yield "<h2>What the words mean</h2><ul>"
    yield from (
        f"<li><b>{name}</b>: {escape(words)}</li>" for name, words in {**MEANINGS, **MODELS, **BASELINES}.items()
    )
    yield "</ul>"
