"""The Telco contracts, as columns; and why each of them ended."""

import csv
import gzip
from functools import cache
from pathlib import Path

import numpy as np

from services.scoring.domain.contracts.periods import Ints
from services.scoring.domain.fitting import Floats
from services.scoring.domain.supervised.features import Row

DATA = Path(__file__).parent / "data"
NUMBERS = ("SeniorCitizen", "tenure", "MonthlyCharges", "TotalCharges")
INVOLUNTARY = ("Moved", "Deceased")


@cache
def rows() -> list[dict[str, str]]:
    with gzip.open(DATA / "telco.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))


@cache
def endings() -> list[dict[str, str]]:
    with gzip.open(DATA / "telco_endings.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))


def ages() -> Ints:
    return np.array([int(row["tenure"]) for row in rows()], np.int64)


def ways() -> Ints:
    """-1 stayed, 0 left by choice, 1 moved or died."""
    return np.array([-1 if not row["reason"] else int(row["reason"] in INVOLUNTARY) for row in endings()], np.int64)


def churned() -> Floats:
    return np.array([row["Churn"] == "Yes" for row in rows()], dtype=float)


def scores() -> Floats:
    return np.array([float(row["score"]) for row in endings()])


@cache
def features() -> tuple[Row, ...]:
    """All columns but the customer's id and what is to be foretold; empty charges are those of the first month to come."""
    names = [name for name in rows()[0] if name not in {"customerID", "Churn"}]
    return tuple({name: _value(name, row[name]) for name in names} for row in rows())


def _value(name: str, text: str) -> float | str | None:
    if name not in NUMBERS:
        return text
    return float(text) if text.strip() else None
