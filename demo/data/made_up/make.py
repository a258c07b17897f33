"""Makes up what the Complete Journey does not tell: costs, calls to a service desk, contracts. Run once, by hand.

    python demo/data/made_up/make.py

Only the households' numbers and the products' categories are from the data. All else is drawn by a seeded generator and
says nothing about any real customer, shop or supplier. The same data give the same bytes.
"""

import csv
import gzip
import io
import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
SEED = 2017
YEAR, YEAR_ENDS = datetime(2017, 1, 1), datetime(2018, 1, 1)  # noqa: DTZ001 - the files carry no zone, as the source
CALLS = 1_200
SIGNS = 0.25
"""Of the households, so many sign for a service plan."""
PRICES = ("9.90", "14.90")
DEARER = {"9.90": "10.90", "14.90": "15.90"}
"""From the renewal after half a year on."""
RENEWED_AFTER = 6

Row = dict[str, str]


def read(name: str) -> list[Row]:
    with gzip.open(HERE.parent / f"{name}.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))


def write(name: str, columns: Iterable[str], rows: Iterable[Row]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    (HERE / f"{name}.csv.gz").write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


def costs(categories: Iterable[str], chance: random.Random) -> Iterator[Row]:
    """Goods by category as a share of the shelf's price; the rest as a grocer might reckon."""
    yield {"kind": "goods", "per_unit": "0.66"}
    for category in categories:
        yield {"kind": "goods", "per_unit": f"0.{chance.randint(58, 72)}", "subject": category}
    for method, share, fixed in (("card", "0.012", "0.06"), ("cash", "0.004", "0.02")):
        yield {"kind": "payment-share", "per_unit": share, "subject": method}
        yield {"kind": "payment-fixed", "per_unit": fixed, "subject": method}
    yield {"kind": "shipping", "per_unit": "4.20", "until": "2017-07"}
    yield {"kind": "shipping", "per_unit": "4.60", "since": "2017-07"}
    yield {"kind": "campaigns", "per_unit": "0.35"}
    yield {"kind": "calls", "per_unit": "0.80"}
    yield {"kind": "calls", "per_unit": "5", "subject": "unmeasured"}
    yield {"kind": "overhead", "per_unit": "0.10"}


def calls(households: list[str], chance: random.Random) -> Iterator[Row]:
    """One in ten of unknown length."""
    for _ in range(CALLS):
        day = YEAR + timedelta(days=chance.randrange(364))
        at = day + timedelta(hours=8, seconds=chance.randrange(12 * 3600))
        minutes = f"{chance.randint(2, 36) / 2:g}" if chance.random() < 0.9 else ""
        yield {"household_id": chance.choice(households), "occurred_at": at.isoformat(" "), "minutes": minutes}


def contracts(households: list[str], chance: random.Random) -> Iterator[Row]:
    for household in households:
        if chance.random() < SIGNS:
            begins = YEAR + timedelta(days=chance.randrange(300), hours=chance.randint(8, 18))
            for row in life(begins, chance.choice(PRICES), chance):
                if row["happened_at"] < YEAR_ENDS.isoformat(" "):
                    yield {"household_id": household, "contract": f"SP-{int(household):06d}", **row}


def life(begins: datetime, price: str, chance: random.Random) -> Iterator[Row]:
    """Month by month of 30 days: somebody leaves, sooner in the first three, is taken away, or fails to pay. Within its
    month a payment is recovered, or the plan lapses.
    """
    yield told("started", begins, price=price)
    for month in range(12):
        at = begins + timedelta(days=30 * month + chance.randint(1, 10), minutes=chance.randrange(600))
        if month == RENEWED_AFTER:
            yield told("renewed", begins + timedelta(days=30 * month), price=DEARER[price])
        fate = chance.random()
        if fate < (0.06 if month < 3 else 0.025):
            yield chance.choice(
                (told("cancelled", at, "price"), told("cancelled", at, "service"), told("went-to-competitor", at))
            )
            return
        if fate > 0.99:
            yield chance.choice((told("moved", at), told("moved", at), told("died", at)))
            return
        if fate > 0.95:
            yield told("payment-failed", at)
            if chance.random() < 0.3:
                yield told("lapsed", at + timedelta(days=15))
                return
            yield told("payment-recovered", at + timedelta(days=chance.randint(2, 12)))


def told(event: str, at: datetime, reason: str = "", price: str = "") -> Row:
    return {"event": event, "happened_at": at.isoformat(" "), "reason": reason, "price": price}


def main() -> None:
    chance = random.Random(SEED)
    households = sorted({row["household_id"] for row in read("transactions")}, key=int)
    categories = sorted({row["product_category"] for row in read("products") if row["product_category"]})
    write("costs", ("kind", "per_unit", "subject", "since", "until"), costs(categories, chance))
    in_time_order = sorted(calls(households, chance), key=lambda row: (row["occurred_at"], int(row["household_id"])))
    write("calls", ("household_id", "occurred_at", "minutes"), in_time_order)
    columns = ("household_id", "contract", "event", "happened_at", "reason", "price")
    write("contracts", columns, contracts(households, chance))


if __name__ == "__main__":
    main()
