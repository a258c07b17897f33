"""How good the scores are, where the profit comes from, and what is offered: no script, nothing from elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any, NamedTuple

from services.scoring.evaluation.charts import Chart, Series
from services.scoring.evaluation.page import STYLE
from services.scoring.report.models import models

Json = Mapping[str, Any]
SIZE, MORE = 3.0, 9.0
"""Pixels of a point's radius: of none, and how much more of the largest."""


class Facts(NamedTuple):
    """Answers of the API; None where the service has nothing to say yet."""

    summary: Json
    model: Json | None
    review: Json | None
    base: Json | None
    study: Json | None
    choice: Json | None = None
    contest: Json | None = None


def html(facts: Facts) -> str:
    """The whole page."""
    body = "\n".join(
        part
        for section in (
            _scores(facts),
            _review(facts.review),
            models(facts.choice, facts.contest),
            _profit(facts.base),
            _offers(facts.study),
        )
        for part in section
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Customers: value, churn, profit</title>'
        f"<style>{STYLE}</style></head><body>\n<h1>Customers: value, churn, profit</h1>\n{body}\n</body></html>\n"
    )


def _scores(facts: Facts) -> Iterator[str]:
    summary, model = facts.summary, facts.model
    yield (
        f"<p>{summary['customers']:,} customers with {summary['purchases']:,} orders worth {_money(summary, 'money')}; "
        f"within {summary['horizon_days']} days {_money(summary, 'value')} more are expected of them.</p>"
    )
    if model is None:
        yield '<p class="warnings">No model has been fitted yet, so nothing is predicted.</p>'
    else:
        fitted = escape(str(model["fitted_at"])[:16].replace("T", " "))
        yield f"<p>Model {escape(str(model['name']))}, version {model['version']}, fitted {fitted}.</p>"
    yield "<h2>Segments</h2><table><tr><th></th><th>customers</th><th>orders</th><th>money</th><th>value</th></tr>"
    currency = summary["currency"]
    for name, figures in sorted(summary["segments"].items(), key=lambda item: -item[1]["customers"]):
        cells = (f"{figures['customers']:,}", f"{figures['purchases']:,}")
        money = tuple(_amount(figures[what], currency) for what in ("money", "value"))
        yield f"<tr><td>{escape(name)}</td>{''.join(f'<td>{cell}</td>' for cell in (*cells, *money))}</tr>"
    yield "</table>"


def _review(review: Json | None) -> Iterator[str]:
    yield "<h2>What the scores were worth</h2>"
    if review is None:
        yield '<p class="warnings">Nobody has looked back yet: <code>rapport scoring report --look</code> does.</p>'
        return
    yield (
        f"<p>What was said of {review['customers']:,} customers at the end of {review['cut']}, against what they did until "
        f"{review['until']}, by the parameters of version {review['model_version']}.</p>"
    )
    if review["foreknown"]:
        yield (
            '<p class="warnings">No parameters are as old as that: those of today have seen what they are held against, '
            "and look better than they would have been. <code>rapport scoring evaluate</code> is strict.</p>"
        )
    yield from _figures(review)
    if review["customers"]:
        yield from (chart.svg() for chart in (_reliability(review), _expected(review), _lift(review)))


def _figures(review: Json) -> Iterator[str]:
    reliability = review["reliability"]
    rows = (
        ("purchase days expected", _number(review["expected"], 1)),
        ("purchase days that came", _number(review["actual"], 0)),
        ("error of the total", _percent(review["total_error"])),
        ("Brier score of the probability of no purchase", _number(reliability["brier"], 4)),
        ("by how much that probability is off, on average", _percent(reliability["ece"])),
        ("what chance alone would show", _percent(reliability["ece_by_chance"])),
    )
    yield "<table>" + "".join(f"<tr><td>{words}</td><td>{figure}</td></tr>" for words, figure in rows) + "</table>"


def _reliability(review: Json) -> Chart:
    curve = review["reliability"]["curve"]
    points = Series(
        "customers of alike probability",
        [(one["said"], one["came"]) for one in curve],
        joined=False,
        sizes=_sizes([one["customers"] for one in curve]),
    )
    ideal = Series("said is what came", [(0.0, 0.0), (1.0, 1.0)], dashed=True)
    return Chart("Reliability: probability of no purchase", "said", "came", [points, ideal], percent=True)


def _expected(review: Json) -> Chart:
    groups = review["groups"]
    points = [(one["expected"], one["actual"]) for one in groups]
    top = max(max(point) for point in points)
    alike = Series(
        "customers of alike expectation", points, joined=False, sizes=_sizes([one["customers"] for one in groups])
    )
    ideal = Series("expected is what came", [(0.0, 0.0), (top, top)], dashed=True)
    return Chart("Expected against actual purchase days", "expected, mean", "actual, mean", [alike, ideal])


def _lift(review: Json) -> Chart:
    by_value = Series("by value, as it was said", [(one["customers"], one["money"]) for one in review["lift"]])
    without = Series("without a score", [(0.0, 0.0), (1.0, 1.0)], dashed=True)
    return Chart("Lift: money reached", "customers, best first", "of all money", [by_value, without], percent=True)


def _profit(base: Json | None) -> Iterator[str]:
    yield "<h2>Where the profit comes from</h2>"
    if base is None:
        yield '<p class="warnings">The books have not been looked through yet.</p>'
        return
    yield (
        f"<p>{base['customers']:,} customers earned {_amount(base['profit'], base['currency'])} from {base['since']} until "
        f"before {base['until']}.</p>"
    )
    if base["unknown"]:
        kinds = escape(", ".join(base["unknown"]))
        yield f'<p class="warnings">Nobody has said what these cost, so true profit is less: {kinds}.</p>'
    yield "<table><tr><th>class</th><th>customers</th><th>who</th></tr>"
    for name, words in CLASSES.items():
        yield f"<tr><td>{name}</td><td>{base['classes'][name]:,}</td><td>{words}</td></tr>"
    yield "</table>"
    curve = [(one["customers"], float(one["profit"])) for one in base["curve"]]
    whole = Series("most profitable first", curve)
    yield Chart("Whale curve: profit together", "customers, share", f"profit, {base['currency']}", [whole]).svg()


CLASSES = {
    "A": "the best, who together earn the first 80 %",
    "B": "who earn the next 15 %",
    "C": "the rest",
    "L": "who cost more than they brought",
}


def _offers(study: Json | None) -> Iterator[str]:
    if study is None:
        return
    yield "<h2>Next best offers</h2>"
    found = study["accuracy"]
    tried = (
        f" Of ten offers to customers whose next basket was kept aside, {_percent(found['recall'])} of the basket was among "
        f"them, and {_percent(found['hit'])} of the customers bought at least one."
        if found
        else " Too few customers have come back yet to say how good offers are."
    )
    yield f"<p>{study['products']:,} products, {study['customers']:,} customers looked through.{tried}</p>"


def _sizes(customers: Sequence[int]) -> list[float]:
    most = max(customers, default=1)
    return [SIZE + MORE * (count / most) ** 0.5 for count in customers]


def _money(facts: Json, what: str) -> str:
    return _amount(facts[what], facts["currency"])


def _amount(amount: str | float, currency: str) -> str:
    return f"{Decimal(amount):,.2f} {escape(currency)}"


def _number(figure: float | None, digits: int) -> str:
    return "-" if figure is None else f"{figure:,.{digits}f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
