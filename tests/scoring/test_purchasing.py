"""The family in use: fitted again from counts, scored, valued and explained like MBG/NBD, which it is for k = 1."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.histogram import Histogram, moves
from services.scoring.domain.lifetime_value import History, Terms, Valuation
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.mbg_nbd import MbgNbd, Visits
from services.scoring.domain.model import Fit, Held, Parameters, refit
from services.scoring.domain.prediction import Histories, predict
from services.scoring.domain.purchases import Purchases
from services.scoring.domain.purchasing import PLAIN, Family, Fitted, fit_family, general
from services.scoring.domain.residual import discounted_purchases, residual_lifetime
from tests.scoring.orders import synthetic_base
from tests.scoring.regular import regular_base
from tests.scoring.simulated import shop

MBG = MbgNbd(0.8, 50.0, 0.9, 2.5)
SPENDS = GammaGamma(6.25, 3.74, 15.44)
BASE, END = synthetic_base(1_500, 900, seed=51)
HISTORIES = Histories.of(BASE)
REGULAR, REGULAR_END = regular_base(1_500, 900, seed=52)
FAMILIES = [
    MbgCnbd(1, 0.8, 50, 0.9, 2.5, 0.2),
    MbgCnbd(1, 1.4, 26, 0.0, 1.0),
    MbgCnbd(3, 2.4, 50, 0.9, 2.5),
    MbgCnbd(3, 2.4, 50, 0.9, 2.5, 0.2),
    MbgCnbd(2, 2.0, 20, 0.0, 1.0),
]


def counted(base: list[Purchases]) -> Histogram:
    return Histogram().plus(moves((Purchases(), purchases) for purchases in base))


def test_with_one_step_everything_said_is_what_mbg_nbd_says() -> None:
    said, same = (predict(Parameters(one, SPENDS, 200.0), HISTORIES, END, 90) for one in (MBG, general(MBG)))
    for name in ("p_alive", "p_churn", "expected_purchases", "value"):
        assert getattr(same, name) == pytest.approx(getattr(said, name), rel=1e-9)
    assert (same.segment == said.segment).all()
    x, t_x = HISTORIES.x, HISTORIES.last_day - HISTORIES.first_day
    for p in (0.9, 0.5, 0.01):
        later = np.maximum(MBG.crossing_age(x, t_x, p), t_x)
        assert general(MBG).crossing_age(x, t_x, p) == pytest.approx(later, rel=1e-9, abs=1e-6)
        assert general(MBG).silence_age(x, t_x, p) == pytest.approx(MBG.silence_age(x, t_x, p), rel=1e-9)
    seen = (x[:200], t_x[:200], t_x[:200] + 50.0)
    for horizon in (90.0, 3652.5):
        days = general(MBG).residual_lifetime(*seen, horizon)
        assert days == pytest.approx(residual_lifetime(MBG, *seen, horizon), rel=1e-4)


@pytest.mark.parametrize("model", FAMILIES, ids=lambda model: Family.of(model).name)
def test_what_is_said_of_a_silence_crosses_where_it_is_said_to(model: MbgCnbd) -> None:
    x, t_x = HISTORIES.x, HISTORIES.last_day - HISTORIES.first_day
    for p in (0.9, 0.5, 0.05):
        assert model.p_silent(x, t_x, model.silence_age(x, t_x, p)) == pytest.approx(p, abs=1e-9)
        age = model.crossing_age(x, t_x, p)
        later = np.isfinite(age) & (age > t_x + 1e-6)
        assert model.p_alive(x, t_x, np.where(later, age, t_x))[later] == pytest.approx(p, abs=1e-9)
        assert (model.p_alive(x, t_x, t_x)[~later] <= p + 1e-9).all() or model.a == 0


@pytest.mark.parametrize("model", FAMILIES, ids=lambda model: Family.of(model).name)
def test_customers_simulated_go_on_as_they_are_valued(model: MbgCnbd) -> None:
    terms = Terms(margin=1.0, yearly_discount=0.1)
    seen = shop(model, SPENDS, terms.daily_discount, 4_000, 900.0, seed=9)
    known = History(seen.x, seen.t_x, seen.age, seen.spend, np.zeros(4_000))
    value = Valuation.of(model, SPENDS, terms, 60.0, 900.0).value(known)
    dert = discounted_purchases(model, seen.x, seen.t_x, seen.age, terms.daily_discount)
    for kind in (seen.x == 0, (seen.x > 0) & (seen.x < 5), seen.x >= 5):
        spent, later = seen.later_money[kind], seen.later[kind]
        assert dert[kind].mean() == pytest.approx(later.mean(), abs=4 * later.std() / kind.sum() ** 0.5)
        assert value.future[kind].mean() == pytest.approx(spent.mean(), abs=4 * spent.std() / kind.sum() ** 0.5)
        stays = np.minimum(seen.stays[kind], terms.lifetime_days)
        assert value.residual_days[kind].mean() == pytest.approx(
            stays.mean(), abs=1 + 4 * stays.std() / kind.sum() ** 0.5
        )
        left = 1 - model.p_alive(seen.x, seen.t_x, seen.age)[kind]
        above = (spent > value.high[kind])[left < 0.85]
        assert above.mean() == pytest.approx(0.1, abs=0.01 + 4 * (0.1 * 0.9 / len(above)) ** 0.5)
        surely = left < 0.02
        if surely.sum() > 500:
            below = np.mean(spent[surely] < value.low[kind][surely])
            assert below == pytest.approx(0.1, abs=0.01 + 4 * (0.1 * 0.9 / surely.sum()) ** 0.5)


@pytest.mark.parametrize("family", [Family(3), Family(3, loyal=True), Family(1, loyal=True)], ids=lambda one: one.name)
def test_the_family_in_use_is_fitted_again_from_counts_to_the_same_optimum(family: Family) -> None:
    model = MbgCnbd(family.k, 2.4, 40.0, 0.9, 2.0, 0.3 if family.loyal else 0.0)
    seen = shop(model, SPENDS, 0.0003, 6_000, 900.0, seed=4)
    visits = Visits(seen.x, seen.t_x, seen.age, np.ones(6_000))
    found = fit_family(visits, family)
    assert isinstance(found, Fitted)
    assert Family.of(found.model) == family
    again = fit_family(visits, family, found.model)
    assert isinstance(again, Fitted)
    assert row(again.model) == pytest.approx(row(found.model), rel=2e-3)
    assert row(found.model)[:2] == pytest.approx(row(model)[:2], rel=0.25)


def row(model: Any) -> Floats:
    one = general(model)
    return np.array([one.r, one.alpha, one.a, one.b, one.loyal])


def test_a_base_that_nobody_seems_to_leave_is_scored_so_until_leaving_is_seen() -> None:
    seen = shop(MbgCnbd(1, 1.4, 26.0, 0.0, 1.0), SPENDS, 0.0003, 1_000, 400.0, seed=6)
    staying = Visits(seen.x, seen.t_x, seen.age, np.ones(1_000))
    assert fit_family(staying, PLAIN) is Doubt.NO_DROPOUT
    fit = fit_family(staying, replace(PLAIN, leaving=False))
    assert isinstance(fit, Fitted)
    assert (fit.doubt, fit.model.a) == (Doubt.NO_DROPOUT, 0.0)
    assert (fit.model.r, fit.model.alpha) == pytest.approx((1.4, 26.0), rel=0.15)
    leaving = counted(BASE).visits_at(int(HISTORIES.last_day.max()) + 1)
    seen_again = fit_family(leaving, replace(PLAIN, leaving=False), fit.model)
    assert isinstance(seen_again, Fitted)
    assert isinstance(seen_again.model, MbgNbd)


def test_what_was_chosen_is_fitted_and_says_why_once() -> None:
    histogram = counted(REGULAR)
    first = refit(histogram, REGULAR_END)
    assert isinstance(first, Fit)
    assert (first.parameters.name, first.why) == ("mbg-nbd+gamma-gamma", "")
    chosen = refit(histogram, REGULAR_END, first.parameters, Family(3), "most likely")
    assert isinstance(chosen, Fit)
    assert (chosen.parameters.name, chosen.why) == ("mbg-cnbd-3+gamma-gamma", "most likely")
    assert not chosen.parameters.close_to(first.parameters)
    again = refit(histogram, REGULAR_END, chosen.parameters)
    assert isinstance(again, Fit)
    assert (again.parameters.name, again.why) == ("mbg-cnbd-3+gamma-gamma", "")
    assert again.parameters.close_to(chosen.parameters)


def test_leaving_that_is_no_longer_seen_is_held_while_it_is_in_use() -> None:
    staying, end = regular_base(400, 300, seed=3, leaving=0.0)
    last = Parameters(MBG, SPENDS, 100.0)
    assert isinstance(refit(counted(staying), end, last), Held)
    chosen = refit(counted(staying), end, last, Family(3, leaving=False), "nobody leaves")
    assert isinstance(chosen, Fit)
    assert (chosen.parameters.name, chosen.doubts) == ("cnbd-3+gamma-gamma", ("dropout not identified",))
