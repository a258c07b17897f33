"""What the reader of an evaluation has to know before trusting its figures, in whole sentences."""

from collections.abc import Iterator

import numpy as np

from services.scoring.domain.fitting import Doubt
from services.scoring.domain.gamma_gamma import SpendsFit
from services.scoring.domain.mbg_nbd import MIN_CUSTOMERS, MIN_REPEATS
from services.scoring.evaluation.reading import Sales
from services.scoring.evaluation.splitting import Split

FEW = 200
LINKED = 0.3
"""From this correlation on, spend and frequency are not independent, as Gamma-Gamma takes them to be."""

DOUBTS = {
    Doubt.TOO_FEW: f"No model was fitted: it takes {MIN_CUSTOMERS} customers and {MIN_REPEATS} repeat purchase days before the calibration's end.",
    Doubt.NOT_CONVERGED: "No model was fitted: the search for parameters did not converge on this base.",
    Doubt.NO_DROPOUT: "Dropout not identified: that customers leave explains this base no better than that they all stay. "
    "The forecast takes nobody to have left, as the platform would.",
    Doubt.ALL_ALIKE: "Customers buy so alike that their differences are not identified: the forecast tells them apart by "
    "little more than age; the platform would hold such a fit.",
}
SPEND_DOUBTS = {
    Doubt.TOO_FEW: "No value was forecast: fewer than 25 customers have repeat purchases with money.",
    Doubt.NO_SPREAD: "No value was forecast: spend not identified, as where all amounts are alike.",
    Doubt.NOT_CONVERGED: "No value was forecast: the search for the parameters of spend did not converge.",
}


def cautions(sales: Sales, cut: Split, doubt: Doubt | None, spends: SpendsFit | Doubt) -> Iterator[str]:
    """In the order in which one should worry."""
    yield from _of_rows(sales, cut)
    yield from _of_periods(cut)
    if doubt:
        yield DOUBTS[doubt]
    spend_doubt = spends if isinstance(spends, Doubt) else spends.doubt
    if spend_doubt:
        yield SPEND_DOUBTS[spend_doubt]
    yield from _of_customers(cut)


def _of_rows(sales: Sales, cut: Split) -> Iterator[str]:
    for one in sales.set_aside:
        lines = ", ".join(map(str, one.first_lines))
        yield f"Rows set aside, {one.reason}: {one.count:,} of {sales.rows:,} (first in line {lines})."
    if sales.ambiguous_with:
        yield f"Dates were read as {sales.date_pattern}, but fit {sales.ambiguous_with} as well: say --date-format."
    if sales.duplicates:
        yield (
            f"Rows that repeat another row exactly: {sales.duplicates:,}. Their money counts; if they were exported twice, "
            "take them out. Purchase days are the same either way."
        )
    if cut.lost_returns:
        yield f"Returns of customers who had bought nothing before, left out: {cut.lost_returns:,}."


def _of_periods(cut: Split) -> Iterator[str]:
    calibration, holdout = cut.end - cut.start + 1, cut.until - cut.end
    if not len(cut.base.x):
        yield "Nobody bought before the calibration's end: there is nothing to learn from."
    if not cut.future.purchases.sum():
        yield "No customer of the calibration bought in the holdout: accuracy says little."
    if holdout > calibration:
        yield f"The holdout ({holdout} days) is longer than the calibration ({calibration} days)."
    if calibration < 365:
        yield f"The calibration ({calibration} days) is shorter than a year: a season of the year cannot be learnt from it."


def _of_customers(cut: Split) -> Iterator[str]:
    base = cut.base
    if 0 < len(base.x) < FEW:
        yield f"Only {len(base.x):,} customers: the figures would differ much for others."
    repeated = base.spend > 0
    if repeated.sum() >= FEW and np.ptp(base.spend[repeated]) and np.ptp(base.x[repeated]):
        link = float(np.corrcoef(base.x[repeated], base.spend[repeated])[0, 1])
        if abs(link) > LINKED:
            yield f"Spend and frequency go together (correlation {link:.2f}), which the model of spend does not know."
