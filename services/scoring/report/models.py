"""Which family of models is used, how others beside it would have done, and what has drifted since."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from services.scoring.evaluation.charts import Chart, Series

Json = Mapping[str, Any]
WORDS = {
    "recency": "days since the last purchase",
    "frequency": "repeat purchase days",
    "money": "money",
}


def models(choice: Json | None, contest: Json | None) -> Iterator[str]:
    if choice is None:
        return
    yield "<h2>Which model, and why</h2>"
    champion = choice["champion"]
    if champion is None:
        yield f'<p class="warnings">None has been chosen yet: {escape(", ".join(choice["doubts"]))}.</p>'
        return
    since = escape(str(champion["since"])[:10])
    yield f"<p>{escape(champion['name'])}, in use since {since}: {escape(champion['why'])}.</p>"
    if choice["outcome"] == "challenged":
        yield (
            f"<p>Today's base would be given {escape(str(choice['nominated']))}; it is not used before it has proved itself "
            "better.</p>"
        )
    yield from _drift(choice["drift"])
    yield from _season(choice.get("season"))
    if contest is not None:
        yield from _contest(contest)


def _drift(drift: Json) -> Iterator[str]:
    if not drift:
        return
    yield "<table><tr><th>since then</th><th>stability index</th><th>drift</th></tr>"
    for name, found in drift.items():
        words = escape(WORDS.get(name, name))
        yield f"<tr><td>{words}</td><td>{found['psi']:.3f}</td><td>{escape(found['shift'])}</td></tr>"
    yield "</table>"
    moved = [WORDS.get(name, name) for name, found in drift.items() if found["shift"] == "large"]
    if moved:
        yield f'<p class="warnings">Customers are no longer those the model was chosen for: {escape(", ".join(moved))}.</p>'


def _season(season: Json | None) -> Iterator[str]:
    if season is None:
        return
    if not season["levels"]:
        yield f"<p>No season of the year is expected: {escape(season['why'])}.</p>"
        return
    yield f"<p>A season of the year is expected again: {escape(season['why'])}.</p>"
    levels = [(float(n), level) for n, level in enumerate(season["levels"], start=1)]
    usual = Series("usual", [(1.0, 1.0), (float(len(levels)), 1.0)], dashed=True)
    yield Chart(
        "The season of the year", "four weeks, from January", "times as usual", [Series("", levels), usual]
    ).svg()


def _contest(contest: Json) -> Iterator[str]:
    yield (
        f"<p>Other models beside it, fitted at the same moments on the same customers, and held against the {contest['span_days']} "
        "days that followed. Above 0 the other one said better who would buy nothing.</p>"
    )
    yield "<table><tr><th></th><th>spans</th><th>last ten, nats a customer</th><th>95 %</th><th></th></tr>"
    for one in contest["challengers"]:
        last = one["windows"][-1] if one["windows"] else None
        gain = "-" if last is None else f"{last['gain']:+.5f}"
        between = "-" if last is None or last["low"] is None else f"{last['low']:+.5f} to {last['high']:+.5f}"
        cells = (str(len(one["gains"])), gain, between, _verdict(one))
        yield f"<tr><td>{escape(one['name'])}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    yield "</table>"
    if contest["calibration"]["alarm"]:
        yield (
            '<p class="warnings">What the model says of who will buy nothing has drifted away from what comes, span after '
            "span.</p>"
        )
    if any(len(one["gains"]) > 1 for one in contest["challengers"]):
        yield _gains(contest["challengers"]).svg()


def _verdict(one: Json) -> str:
    if not one["better"]:
        return "not better beyond doubt"
    return "better beyond doubt" if one["can_serve"] else "better, but held beside only"


def _gains(challengers: list[Json]) -> Chart:
    """Spans are counted back from the newest, 0."""
    series = [
        Series(one["name"], [(float(n - len(one["gains"]) + 1), point["gain"]) for n, point in enumerate(one["gains"])])
        for one in challengers
        if len(one["gains"]) > 1
    ]
    oldest = min(points.points[0][0] for points in series)
    even = Series("neither", [(oldest, 0.0), (0.0, 0.0)], dashed=True)
    return Chart("Challengers: gain on the model in use", "spans, newest 0", "nats a customer", [*series, even])
