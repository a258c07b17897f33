"""What of an evaluation is worth seeing: reliability, expected against actual, lift, and the whale curve."""

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.evaluation.charts import Chart, Series
from services.scoring.evaluation.evaluating import Evaluation, Judged
from services.scoring.evaluation.metrics import reliability

GROUPS = 10
STEPS = 100
Points = list[tuple[float, float]]


def plots(evaluation: Evaluation) -> list[Chart]:
    """Nothing without customers; without a model only the whale curve."""
    if not len(evaluation.split.base.x):
        return []
    judged = evaluation.judged
    drawn = (
        [_reliability(judged, evaluation), _expected(judged, evaluation), _lift(judged, evaluation)] if judged else []
    )
    return [*drawn, _whales(evaluation)]


def _reliability(judged: Judged, evaluation: Evaluation) -> Chart:
    bins = reliability(judged.forecast.p_purchase, (evaluation.split.future.purchases > 0).astype(float))
    most = max(one.customers for one in bins)
    sizes = [3.0 + 9.0 * float(np.sqrt(one.customers / most)) for one in bins]
    points = Series(
        "customers of alike probability", [(one.predicted, one.actual) for one in bins], joined=False, sizes=sizes
    )
    ideal = Series("said is what came", [(0.0, 0.0), (1.0, 1.0)], dashed=True)
    return Chart("Reliability: probability of a purchase", "said", "came", [points, ideal], percent=True)


def _expected(judged: Judged, evaluation: Evaluation) -> Chart:
    expected, actual = judged.forecast.purchases, evaluation.split.future.purchases
    groups = [group for group in np.array_split(np.argsort(expected, kind="stable"), GROUPS) if len(group)]
    points: Points = [(float(expected[group].mean()), float(actual[group].mean())) for group in groups]
    top = max(max(point) for point in points)
    tenths = Series("tenths of the customers", points, joined=False)
    ideal = Series("expected is what came", [(0.0, 0.0), (top, top)], dashed=True)
    return Chart("Expected against actual purchase days", "expected, mean", "actual, mean", [tenths, ideal])


def _lift(judged: Judged, evaluation: Evaluation) -> Chart:
    actual = evaluation.split.future.purchases
    naive = evaluation.baselines["own-rate"].forecast
    series = [
        Series(judged.forecast.name, _gains(judged.forecast.purchases, actual)),
        Series("own-rate", _gains(naive.purchases, actual)),
        Series("without a score", [(0.0, 0.0), (1.0, 1.0)], dashed=True),
    ]
    return Chart("Lift: purchases reached", "customers, best score first", "of all purchases", series, percent=True)


def _whales(evaluation: Evaluation) -> Chart:
    came, expected = evaluation.split.future.money, evaluation.value.expected
    series = [Series("by what they brought", _gains(came, came))]
    if expected is not None:
        series.append(Series("by forecast value", _gains(expected, came)))
    series.append(Series("by past money", _gains(evaluation.split.base.money, came)))
    return Chart("Whale curve: money in the holdout", "customers, best first", "of all money", series, percent=True)


def _gains(score: Floats, actual: Floats) -> Points:
    """Cumulative share of what came, from the highest score down, at up to a hundred points."""
    total = float(actual.sum())
    if total <= 0:
        return [(0.0, 0.0), (1.0, 0.0)]
    so_far = np.cumsum(actual[np.argsort(-score, kind="stable")]) / total
    places = np.unique(np.linspace(0, len(score) - 1, STEPS).astype(int))
    return [(0.0, 0.0), *((float((place + 1) / len(score)), float(so_far[place])) for place in places)]
