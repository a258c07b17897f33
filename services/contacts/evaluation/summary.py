"""The evaluation of duplicates as lines for a terminal, as JSON, and pairs to look at as CSV."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

import numpy as np

from services.contacts.domain.matching.explain import Explanation
from services.contacts.domain.matching.finding import explained
from services.contacts.domain.matching.kinds import SCALES
from services.contacts.evaluation.duplicates import Evaluation

SHOWN = 5
"""Clusters that are shown at the terminal."""
EXPLAINED = 100_000
"""Clusters and pairs for review that are explained in the JSON; a line each of half a kilobyte."""
WIDE = 100


def lines(evaluation: Evaluation) -> Iterator[str]:
    found = evaluation.found
    in_clusters = sum(map(len, found.clusters))
    yield f"{len(evaluation.records):,} records; {found.compared:,} pairs compared in {evaluation.seconds:.1f} s"
    yield f"{len(found.clusters):,} customers have {in_clusters:,} records ({evaluation.pairs:,} pairs, at {found.thresholds.automatic:g} and above)"
    yield f"{len(found.doubtful):,} pairs are for review (from {found.thresholds.review:g})"
    yield from _judged(evaluation)
    yield ""
    yield from table(evaluation)
    if found.clusters:
        yield ""
    yield from _clusters(evaluation)
    for name, why in evaluation.chosen.left_out.items():
        yield f"not compared: {name}: {why}"
    yield from (f"warning: {warning}" for warning in evaluation.warnings)


def _judged(evaluation: Evaluation) -> Iterator[str]:
    if (judged := evaluation.judged) is None:
        return
    figures = " ".join(f"{name} {_shown(figure)}" for name, figure in
                       (("precision", judged.precision), ("recall", judged.recall), ("F1", judged.f1)))  # fmt: skip
    yield f"against the truth ({judged.true_pairs:,} pairs): {figures}; of the pairs for review {judged.review_right:,} are right"


def _shown(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.4f}"


def table(evaluation: Evaluation) -> Iterator[str]:
    """What each degree of agreement weighs, a line a field."""
    weights = evaluation.found.weights
    wide = max(len(one.name) for one in weights.fields)
    yield "weights in bits (of the same value: on average; rarer ones weigh more)"
    for place, one in enumerate(weights.fields):
        bits = np.log2(weights.m[place] / weights.u[place])
        told = ", ".join(
            f"{degree.words.format('').strip()} {bit:+.1f}"
            for degree, bit in zip(SCALES[one.kind].degrees, bits, strict=True)
        )
        yield f"  {one.name:{wide}}  {one.kind}: {told}"


def _clusters(evaluation: Evaluation) -> Iterator[str]:
    largest = sorted(evaluation.found.clusters, key=lambda group: (-len(group), group))[:SHOWN]
    for group, reasons in zip(largest, _reasons(evaluation, largest), strict=True):
        yield f"one customer: {', '.join(f'line {evaluation.records.lines[row]}' for row in group)}"
        for row in group[:SHOWN]:
            yield f"  {' | '.join(value for value in _texts(evaluation, row) if value)}"[:WIDE]
        yield f"  {reasons[0][1]}"


def _texts(evaluation: Evaluation, row: int) -> list[str]:
    return [evaluation.records.columns[one.name][row].strip() for one in evaluation.chosen.fields]


def _reasons(evaluation: Evaluation, groups: list[list[int]]) -> list[list[tuple[float, Explanation]]]:
    """Of each cluster, how its records hang on its first one."""
    pairs = [(group[0], row) for group in groups for row in group[1:]]
    told = iter(explained(evaluation.table, evaluation.found.weights, pairs)) if pairs else iter(())
    return [[next(told) for _ in group[1:]] for group in groups]


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Everything found. `rows` are numbered from 0 as the file has them, `lines` are where they end in the file."""
    found, judged = evaluation.found, evaluation.judged
    figures = {name: getattr(judged, name) if judged else None for name in
               ("precision", "recall", "f1", "true_pairs", "right_pairs", "review_right")}  # fmt: skip
    return {
        "records": len(evaluation.records),
        "pairs": evaluation.pairs,
        **figures,
        "seconds": round(evaluation.seconds, 3),
        "thresholds": {"automatic": found.thresholds.automatic, "review": found.thresholds.review},
        "compared_pairs": found.compared,
        "largest_key": found.largest_key,
        "file": {"encoding": evaluation.records.encoding, "separator": evaluation.records.separator},
        "columns": {one.name: str(one.kind) for one in evaluation.chosen.fields},
        "not_compared": dict(evaluation.chosen.left_out),
        "prior_log2_odds": found.weights.prior,
        "household_log2_odds": found.weights.household,
        "expected_matches": found.weights.matches,
        "weights": _weights(evaluation),
        "clusters": list(_clusters_json(evaluation)),
        "review_pairs": len(found.doubtful),
        "review": list(review(evaluation)),
        "warnings": evaluation.warnings,
    }


def _weights(evaluation: Evaluation) -> dict[str, list[dict[str, Any]]]:
    weights = evaluation.found.weights
    return {
        one.name: [
            {"agreement": degree.words.format(one.label), "m": float(m), "u": float(u), "bits": float(np.log2(m / u))}
            for degree, m, u in zip(SCALES[one.kind].degrees, weights.m[place], weights.u[place], strict=True)
        ]
        for place, one in enumerate(weights.fields)
    }


def _clusters_json(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    groups = evaluation.found.clusters
    reasons = _reasons(evaluation, groups[:EXPLAINED])
    for place, group in enumerate(groups):
        yield {
            "rows": group,
            "lines": [evaluation.records.lines[row] for row in group],
            "explanations": [
                {"rows": [group[0], row], "probability": probability, "why": str(why)}
                for row, (probability, why) in zip(
                    group[1:], reasons[place] if place < len(reasons) else [], strict=False
                )
            ],
        }


def review(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """Pairs that a person should look at, the likeliest first."""
    doubtful = evaluation.found.doubtful
    order = np.lexsort((doubtful.right, doubtful.left, -doubtful.probability))[:EXPLAINED]
    pairs = [(int(doubtful.left[place]), int(doubtful.right[place])) for place in order.tolist()]
    told = explained(evaluation.table, evaluation.found.weights, pairs) if pairs else []
    for (a, b), (probability, why) in zip(pairs, told, strict=True):
        yield {
            "rows": [a, b],
            "lines": [evaluation.records.lines[a], evaluation.records.lines[b]],
            "probability": probability,
            "why": str(why),
            "fields": [{"field": one.field, "agreement": one.words, "bits": round(one.bits, 2)} for one in why.reasons],
        }


def review_csv(evaluation: Evaluation) -> str:
    """Two lines a pair, one under the other, and an empty column for the decision."""
    out = StringIO()
    names = [one.name for one in evaluation.chosen.fields]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["pair", "line", "probability", "why", *names, "same customer?"])
    for number, one in enumerate(review(evaluation), 1):
        for row, line in zip(one["rows"], one["lines"], strict=True):
            writer.writerow(
                [number, line, round(one["probability"], 4), one["why"], *map(_plain, _texts(evaluation, row)), ""]
            )
    return out.getvalue()


def _plain(cell: str) -> str:
    """A cell that begins like a formula would be run by a spreadsheet (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
