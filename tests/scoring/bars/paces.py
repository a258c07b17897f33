"""Pool and pace on real customers: what each tells of who buys, more than the model alone, span by span and out of time.

At the end of every fourth week everything is learnt from what was known then, and says of everybody whether they buy in the
next 28 days (spans that do not overlap) and in the next 90 (which do). `pool`: MBG/NBD with a share of loyal customers where it
is well founded, mixed with the one without (stacking), against that with the share. `tempo`: customers' own pace against none.
"""

import csv
import gzip
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from services.scoring.domain.choice import LOYAL_GAIN
from services.scoring.domain.fitting import Floats
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.hindsight import then
from services.scoring.domain.histogram import Ints
from services.scoring.domain.mbg_nbd import Visits
from services.scoring.domain.model import Parameters
from services.scoring.domain.nomination import QUARTER, SURE
from services.scoring.domain.pacing import Evening, evenings, learn
from services.scoring.domain.pool import p_of_count, stacked
from services.scoring.domain.purchases import PurchaseDay, Purchases
from services.scoring.domain.purchasing import PLAIN, Family, Fitted, fit_family, general
from services.scoring.domain.tempo import EVEN

ROOT = Path(__file__).parents[3]
CDNOW, HOUSEHOLDS = ROOT / "tests/scoring/data/cdnow_master.csv.gz", ROOT / "demo/data/transactions.csv.gz"
STEP, FIRST, HORIZONS = 28, 84, (28, 90)


def bases() -> Iterable[tuple[str, list[bytes]]]:
    with gzip.open(CDNOW, "rt") as file:
        yield "cdnow", packed((row["customer"], row["date"], float(row["amount"])) for row in csv.DictReader(file))
    with gzip.open(HOUSEHOLDS, "rt") as file:
        rows = (
            (r["household_id"], r["transaction_timestamp"][:10], float(r["sales_value"])) for r in csv.DictReader(file)
        )
        yield "households", packed(rows)


def packed(rows: Iterable[tuple[str, str, float]]) -> list[bytes]:
    days: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for customer, day, money in rows:
        days[customer][(date.fromisoformat(day) - date(1970, 1, 1)).days] += money
    made = [
        Purchases(tuple(PurchaseDay(day, 1, round(money * 1e6), 0, 0) for day, money in sorted(one.items())))
        for one in days.values()
    ]
    return [one.pack() for one in made]


class Told(NamedTuple):
    """Nats gained in a span, and the standard error of that."""

    gain: float
    error: float

    @classmethod
    def of(cls, gains: Floats) -> "Told":
        return cls(float(gains.sum()), float(gains.std()) * len(gains) ** 0.5)


def fitted(base: Sequence[bytes], day: int) -> tuple[Fitted, Fitted | None]:
    """Without loyal customers, and with a share of them where it is well founded."""
    known = then(base, day, 0).histories
    rows, count = np.unique(
        np.stack([known.x, known.last_day - known.first_day, known.age(day)]), axis=1, return_counts=True
    )
    visits = Visits(rows[0], rows[1], rows[2], count.astype(float))
    plain, loyal = fit_family(visits, PLAIN), fit_family(visits, Family(loyal=True))
    if not isinstance(plain, Fitted):
        plain = fit_family(visits, Family(leaving=False))
        assert isinstance(plain, Fitted)
    founded = isinstance(loyal, Fitted) and loyal.log_likelihood - plain.log_likelihood >= LOYAL_GAIN
    return plain, loyal if founded and isinstance(loyal, Fitted) else None


def parameters(fit: Fitted) -> Parameters:
    return Parameters(fit.model, GammaGamma(6.25, 3.74, 15.44), 1.0)


def tempo(base: Sequence[bytes], came: Ints, fit: Fitted, first: int, day: int, horizon: int) -> Told:
    ahead = Evening.of(parameters(fit), base, came, day, horizon)
    found = learn(evenings(parameters(fit), base, came, first, day), ahead)
    return Told.of(ahead.nats(found) - ahead.nats(EVEN))


def pool(base: Sequence[bytes], came: Ints, fits: tuple[Fitted, Fitted], first: int, day: int, horizon: int) -> Told:
    back = (day - first) // QUARTER
    held, ahead = (
        Evening.of(parameters(fits[1]), base, came, at, days) for at, days in ((day - back, back), (day, horizon))
    )
    models = [general(one.model) for one in fits]
    mixed = stacked(models, [p_of_count(one.at_least(*held.seen, held.ahead), held.came) for one in models])
    quiet = np.clip(mixed.p_no_purchase(*ahead.seen, ahead.ahead), SURE, 1.0 - SURE)
    return Told.of(np.where(ahead.came > 0, np.log1p(-quiet), np.log(quiet)) - ahead.nats(EVEN))


def main() -> None:
    """Prints a line for each base, horizon and extension."""
    for name, base in bases():
        came = np.zeros(len(base), np.int64)
        days = np.concatenate([[day.day for day in Purchases.unpack(one).days] for one in base])
        first, last = int(days.min()), int(days.max())
        for horizon in HORIZONS:
            found: dict[str, list[Told]] = {"tempo": [], "pool": []}
            for day in range(first + FIRST - 1, last - horizon + 1, STEP):
                plain, loyal = fitted(base, day)
                found["tempo"].append(tempo(base, came, loyal or plain, first, day, horizon))
                if loyal:
                    found["pool"].append(pool(base, came, (plain, loyal), first, day, horizon))
            for what, told in found.items():
                print(_line(f"{name}, {horizon} days, {what}", told), flush=True)
    sys.exit(None)


def _line(what: str, told: Sequence[Told]) -> str:
    if not told:
        return f"{what}: never well founded"
    gain, error = sum(one.gain for one in told), sum(one.error**2 for one in told) ** 0.5
    better = sum(one.gain > 0 for one in told)
    return f"{what}: {gain:+.1f} nats (+-{error:.1f} if spans were independent), better in {better} of {len(told)}"
