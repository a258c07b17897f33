"""The CDNOW sample, as arrays. Times in weeks, as in the papers: the models do not care for the unit."""

import csv
from pathlib import Path

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.gamma_gamma import Spends
from services.scoring.domain.mbg_nbd import Visits

FILE = Path(__file__).parent / "data" / "cdnow_customers.csv"


def visits() -> Visits:
    x, t_x, age, _ = _columns()
    return Visits(x, t_x, age, np.ones_like(x))


def spends() -> Spends:
    x, _, _, z = _columns()
    repeated = (x > 0) & (z > 0)
    return Spends(x[repeated], z[repeated], np.ones(int(repeated.sum())))


def _columns() -> tuple[Floats, Floats, Floats, Floats]:
    with FILE.open() as file:
        rows = list(csv.DictReader(file))
    x, t_x, age, z = (np.array([float(row[name]) for row in rows]) for name in ("x", "t_x", "T", "zbar"))
    return x, t_x, age, z
