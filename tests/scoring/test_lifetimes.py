"""The same customers, the same parameters: what lifetimes 0.11.3 says of them and what our models say."""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from services.scoring.domain.fitting import Floats
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.pareto_nbd import ParetoNbd
from services.scoring.domain.peers import BgNbd

FILE = Path(__file__).parent / "data" / "lifetimes.csv"
MODELS: dict[str, BgNbd | MbgNbd | ParetoNbd] = {
    "bg": BgNbd(0.2426, 4.4136, 0.7929, 2.4259),
    "mbg": MbgNbd(0.5248, 6.1831, 0.8914, 1.6140),
    "pareto": ParetoNbd(0.5533, 10.5777, 0.6062, 11.6688),
}


@cache
def columns() -> dict[str, Floats]:
    with FILE.open() as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.mark.parametrize("name", MODELS)
def test_customers_are_as_probably_there_and_expected_to_buy_as_often(name: str) -> None:
    theirs, model = columns(), MODELS[name]
    seen = theirs["x"], theirs["t_x"], theirs["T"]
    assert len(theirs["x"]) == 200
    assert model.p_alive(*seen) == pytest.approx(theirs[f"{name}_alive"], rel=0, abs=1e-6)
    assert model.expected_purchases(*seen, 39) == pytest.approx(theirs[f"{name}_expected"], rel=0, abs=1e-6)


def test_customers_are_expected_to_spend_as_much() -> None:
    theirs = columns()
    spend = GammaGamma(6.25, 3.74, 15.44).expected_spend(theirs["x"], theirs["zbar"])
    assert spend == pytest.approx(theirs["spend"], rel=0, abs=1e-6)
