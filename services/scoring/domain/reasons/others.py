"""How a customer's spend compares with that of others: read from the base's histogram, once for each of its versions."""

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import LOG_STEP, Cells, Histogram
from services.scoring.domain.rfm import midranks

LOW, SIGN = 2**32, 2**31


def spend_counts(histogram: Histogram) -> Cells:
    """Customers who have come back, by their mean spend of a repeat purchase day, to 2 %."""
    spends = (histogram.spends.keys + SIGN) % LOW - SIGN
    return Cells.empty(1).plus(spends, histogram.spends.sums[:, :1])


def share_spending_less(counts: Cells, spends: Floats) -> Floats:
    """The part of those customers who spend less than such amounts, above zero; alike ones count half."""
    return midranks(counts, np.floor(np.round(np.log(spends) * 1e6) / LOG_STEP).astype(np.int64))
