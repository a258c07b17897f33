"""Judged out of time: behaviour that foretells who leaves is used, noise is not, and odd bases are a doubt and no error."""

from functools import cache

import numpy as np
import pytest

from services.scoring.domain.churn.calendar import LATENESS_DAYS, Calendar, draw
from services.scoring.domain.churn.judging import Learnt, learn
from services.scoring.domain.churn.rows import Customer, Rows, known, rows_of
from services.scoring.domain.churn.words import moved, why
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.model import Fit, refit
from services.scoring.domain.population import Population, changes
from services.scoring.domain.purchases import Purchases, day_of
from tests.scoring.churn.lives import END, HORIZON, Life, lives
from tests.scoring.events import customer
from tests.scoring.orders import on
from tests.scoring.test_score import MODEL

CALENDAR = Calendar(day_of(END), HORIZON)


def rows(base: list[Life]) -> Rows:
    return rows_of(
        [
            Customer(draw(customer(number)), one.purchases.pack(), one.behaviour.pack())
            for number, one in enumerate(base)
        ],
        CALENDAR,
    )


def fit(base: list[Life]) -> Fit:
    made = refit(Population().plus([changes((Purchases(), one.purchases) for one in base)]).histogram, END)
    assert isinstance(made, Fit)
    return made


@cache
def learnt(customers: int, seed: int, telling: bool) -> Learnt:
    base = lives(customers, seed, telling=telling)
    parameters = fit(base).parameters
    return learn(rows(base), CALENDAR, parameters, parameters)


def test_behaviour_that_foretells_is_proven_out_of_time() -> None:
    found = learnt(900, 1, telling=True)
    assert found.proven
    for window in found.windows:
        assert window.gain.low is not None
        assert window.gain.low > 0
        assert window.challenger.brier is not None
        assert window.champion.brier is not None
        assert window.challenger.brier < window.champion.brier


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_is_not(seed: int) -> None:
    found = learnt(600, seed, telling=False)
    assert not found.proven
    assert found.doubt is not None or len(found.windows) == 2


def test_what_happens_in_a_window_teaches_nothing_that_is_tried_on_it() -> None:
    """Everything from the first window on is replaced: what the model of that time would have said stays as it was."""
    base = lives(500, 4, telling=True)
    parameters, made = fit(base).parameters, rows(base)
    begin = CALENDAR.windows()[0][0]
    train = CALENDAR.maturity.split(made.decided, begin).train
    assert made.decided[train].max() + HORIZON + LATENESS_DAYS <= begin
    other = Rows(
        made.place, made.decided, made.history, made.behaviour, np.where(made.decided >= begin, 0.0, made.left)
    )
    one, another = (learn(some, CALENDAR, parameters, parameters) for some in (made, other))
    # The windows' champions and what was said there are alike; only what came differs.
    assert one.windows[0].challenger.sums[:, :2].tolist() == another.windows[0].challenger.sums[:, :2].tolist()
    assert one.windows[0].gain.mean != another.windows[0].gain.mean


def test_the_reason_of_who_has_just_complained_is_the_complaint() -> None:
    base = lives(900, 1, telling=True)
    found, parameters = learnt(900, 1, telling=True), fit(base).parameters
    assert found.classifier is not None
    made = rows(base)
    features = known(made, parameters, HORIZON).features
    recent = np.flatnonzero((made.behaviour[:, 5] > 0) & (features[:, -5] > 0.5))
    told = [moved(found.classifier, features[[row]]) for row in recent[:20].tolist()]
    said = [one for some in told for one in some if one.about == "complaint"]
    assert len(said) > 10
    assert all(one.contribution > 0 for one in said)
    assert all(one.text.startswith("complained once in the last 30 days, last ") for one in said[:1])
    assert all(
        [abs(one.contribution) for one in some] == sorted((abs(one.contribution) for one in some), reverse=True)
        for some in told
    )


@pytest.mark.parametrize(
    "base",
    [
        [],
        [Life([END], [on("2021-03-01").total], [])],
        [Life([on("2021-03-01").at], [on("2021-03-01").total], [])] * 500,
        [Life([], [], [on("2021-03-01").at])] * 50,
    ],
)
def test_a_base_from_which_nothing_can_be_learnt_is_a_doubt(base: list[Life]) -> None:
    found = learn(rows(base), CALENDAR, MODEL.parameters, MODEL.parameters)
    assert (found.doubt, found.proven, found.classifier) == (Doubt.TOO_FEW, False, None)
    assert why(found.doubt, proven=False) == "By purchases alone: too few customers have left or stayed to learn from."
