"""How scores have come out: what a model said of everybody one horizon ago, against what they have done since.

Nothing has to be put down when a score is made: purchases are kept by day, so what was known of a customer on a day in the
past follows from them, and so does what came after. All tables are sums over customers and merge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from services.scoring.domain.calibration import Calibration
from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Ints
from services.scoring.domain.model import Parameters
from services.scoring.domain.prediction import Histories, predict
from services.scoring.domain.purchases import EPOCH, RECORD

PACKED = np.dtype([("day", "<i4"), ("orders", "<i4"), ("micros", "<i8"), ("first", "<u4"), ("last", "<u4")])
"""`purchases.RECORD`."""
EDGES = np.geomspace(1e-3, 1e3, 61)
"""Of expected purchase days: ten bins to a factor of ten."""
VALUE_EDGES = np.geomspace(1e-2, 1e10, 241)
"""Of expected money: twenty bins to a factor of ten, the same for euros and rupiah."""
assert PACKED.itemsize == RECORD.size


class Then(NamedTuple):
    """Customers with a purchase day until the end of day `cut`, and what they did on the days until `cut` + horizon."""

    histories: Histories
    purchases: Floats
    """Purchase days since."""
    money: Floats
    known: Ints
    """Their positions among all that were looked at."""


def then(packed: Sequence[bytes], cut: int, horizon_days: int, came: Ints | None = None) -> Then:
    """From `Purchases.pack`, and codes of the channels that customers came by. What was returned or cancelled since counts for neither side."""
    table = np.frombuffer(b"".join(packed), PACKED)
    owner = np.repeat(np.arange(len(packed)), np.fromiter(map(len, packed), np.int64, len(packed)) // PACKED.itemsize)
    day, bought, money = table["day"].astype(np.int64), table["orders"] > 0, table["micros"] / 1e6
    before, after = bought & (day <= cut), bought & (day > cut) & (day <= cut + horizon_days)
    size = len(packed)
    days = np.bincount(owner[before], minlength=size)
    first, last = np.full(size, np.iinfo(np.int64).max), np.full(size, np.iinfo(np.int64).min)
    np.minimum.at(first, owner[before], day[before])
    np.maximum.at(last, owner[before], day[before])
    opening = before & (day == first[owner])
    paid = np.bincount(owner[before], money[before], size)
    repeats = days - 1
    later = paid - np.bincount(owner[opening], money[opening], size)
    spend = np.where(repeats > 0, np.maximum(later, 0.0) / np.maximum(repeats, 1), 0.0)
    known = days > 0
    last_gap = _last_gaps(owner[before], day[before], size)
    since = np.bincount(owner[after], minlength=size)[known]
    return Then(
        Histories(
            x=repeats[known].astype(np.float64),
            first_day=first[known].astype(np.float64),
            last_day=last[known].astype(np.float64),
            spend=spend[known].astype(np.float64),
            money=paid[known].astype(np.float64),
            last_gap=last_gap[known],
            came=None if came is None else came[known],
        ),
        since.astype(np.float64),
        np.bincount(owner[after], money[after], size)[known].astype(np.float64),
        np.flatnonzero(known),
    )


def _last_gaps(owner: Ints, day: Ints, size: int) -> Floats:
    """Days between each customer's last two, NaN without two; sorted by customer and day."""
    gaps = np.full(size, np.nan)
    last = np.flatnonzero(np.diff(owner, append=-1) != 0)
    again = last[(last > 0) & (owner[last - 1] == owner[last])]
    gaps[owner[again]] = day[again] - day[again - 1]
    return gaps


@dataclass(frozen=True)
class Hindsight:
    """`silent`: of the probability of no purchase. `counts` (62, 3), by expected purchase days: customers, expected and actual
    ones. `values` (242, 3), by expected money: customers, expected and actual money.
    """

    silent: Calibration
    counts: Floats
    values: Floats

    @classmethod
    def empty(cls) -> "Hindsight":
        return cls(Calibration.empty(), np.zeros((len(EDGES) + 1, 3)), np.zeros((len(VALUE_EDGES) + 1, 3)))

    @classmethod
    def of(cls, parameters: Parameters, seen: Then, cut: int, horizon_days: int) -> "Hindsight":
        if not len(seen.purchases):
            return cls.empty()
        end_of_day = EPOCH + timedelta(days=cut)
        said = predict(parameters, seen.histories, end_of_day, horizon_days)
        return cls(
            Calibration.of(said.p_churn, (seen.purchases == 0).astype(np.float64)),
            _by(EDGES, said.expected_purchases, seen.purchases),
            _by(VALUE_EDGES, said.value, seen.money),
        )

    def plus(self, other: "Hindsight") -> "Hindsight":
        return Hindsight(self.silent.plus(other.silent), self.counts + other.counts, self.values + other.values)

    @property
    def customers(self) -> int:
        return self.silent.rows

    @property
    def total_error(self) -> float | None:
        """Of all purchase days: above 0, too many were expected. None where none came."""
        _, expected, actual = self.counts.sum(axis=0).tolist()
        return (expected - actual) / actual if actual else None

    def groups(self) -> list[tuple[int, float, float]]:
        """Customers, mean expected and mean actual purchase days, by rising expectation; empty bins are left out."""
        return [(int(n), expected / n, actual / n) for n, expected, actual in self.counts.tolist() if n]

    def lift(self) -> list[tuple[float, float]]:
        """Shares of customers, the highest value first, and of all money that they have brought. Empty without money."""
        customers, money = self.values[::-1, 0], self.values[::-1, 2]
        if money.sum() <= 0:
            return []
        some = customers > 0
        shares = np.cumsum(customers[some]) / customers.sum(), np.cumsum(money[some]) / money.sum()
        return [(0.0, 0.0), *zip(*(share.tolist() for share in shares), strict=True)]

    def pack(self) -> dict[str, bytes]:
        counts, values = (table.astype("<f8").tobytes() for table in (self.counts, self.values))
        return {"silent": self.silent.pack(), "counts": counts, "values": values}

    @classmethod
    def unpack(cls, packed: dict[str, bytes]) -> "Hindsight":
        counts, values = (np.frombuffer(packed[name], "<f8").reshape(-1, 3) for name in ("counts", "values"))
        return cls(Calibration.unpack(packed["silent"]), counts.copy(), values.copy())


def _by(edges: Floats, expected: Floats, actual: Floats) -> Floats:
    place = np.searchsorted(edges, expected, side="right")
    columns = (np.ones_like(expected), expected, actual)
    return np.stack([np.bincount(place, column, len(edges) + 1) for column in columns], axis=1)
