"""Lifetime value against its parts, and its interval against what simulated customers go on to spend."""

from functools import cache

import numpy as np
import pytest

from services.scoring.domain.fitting import Floats
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.lifetime_value import (
    History,
    LifetimeValue,
    NoDiscount,
    Terms,
    Valuation,
    contract_value,
)
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.residual import discounted_purchases, residual_lifetime
from services.scoring.domain.sbg import Sbg
from services.scoring.domain.value_spread import ValueSpread
from tests.scoring.simulated import Shop, shop

CDNOW = MbgNbd(0.5248, 6.1831 * 7, 0.8914, 1.6140)
LASTING = MbgNbd(1.4, 40.0, 1.5, 18.0)
"""A grocer: customers come every four weeks and seldom leave, so that the interval has a lower end too."""
SPENDS = GammaGamma(6.2496, 3.7442, 15.4435)
TERMS = Terms(margin=0.3, yearly_discount=0.1)
OLDEST = 900.0


@cache
def valued(visits: MbgNbd) -> tuple[Shop, LifetimeValue]:
    seen = shop(visits, SPENDS, TERMS.daily_discount, 30_000, OLDEST, seed=17)
    return seen, valuation(visits, TERMS).value(history(seen))


@cache
def spread(visits: MbgNbd) -> ValueSpread:
    return ValueSpread(visits, SPENDS, TERMS.daily_discount, 60, OLDEST)


def valuation(visits: MbgNbd, terms: Terms) -> Valuation:
    """As Valuation.of makes it, but with a spread that the tests share."""
    return Valuation(visits, SPENDS, terms, spread(visits))


def history(seen: Shop) -> History:
    return History(seen.x, seen.t_x, seen.age, seen.spend, contribution=0.2 * seen.x * seen.spend)


def without(past: Floats, value: LifetimeValue) -> tuple[Floats, Floats]:
    return value.low - past, value.high - past


def test_the_future_is_margin_times_spend_times_discounted_purchases() -> None:
    seen, value = valued(CDNOW)
    dert = discounted_purchases(CDNOW, seen.x, seen.t_x, seen.age, np.log(1.1) / 365.25)
    assert value.future == pytest.approx(0.3 * SPENDS.expected_spend(seen.x, seen.spend) * dert)
    assert value.value == pytest.approx(value.past + value.future)
    assert value.residual_days == pytest.approx(residual_lifetime(CDNOW, seen.x, seen.t_x, seen.age, 3652.5))


@pytest.mark.parametrize("visits", [CDNOW, LASTING])
def test_customers_go_on_to_spend_what_was_expected(visits: MbgNbd) -> None:
    seen, value = valued(visits)
    for kind in (seen.x == 0, (seen.x > 0) & (seen.x < 5), seen.x >= 5):
        spent = 0.3 * seen.later_money[kind]
        assert value.future[kind].mean() == pytest.approx(spent.mean(), abs=4 * spent.std() / np.sqrt(kind.sum()))


@pytest.mark.parametrize("visits", [CDNOW, LASTING])
def test_eight_of_ten_values_lie_in_an_interval_of_80_percent(visits: MbgNbd) -> None:
    seen, value = valued(visits)
    low, high = without(value.past, value)
    spent, left = 0.3 * seen.later_money, 1 - visits.p_alive(seen.x, seen.t_x, seen.age)
    # Who has left with a probability above 10 % may be worth nothing more: there the lower end is that nothing.
    surely, maybe = left < 0.1, left >= 0.1
    assert np.all(low[maybe] == 0)
    assert surely.sum() > (5_000 if visits is LASTING else 50)
    assert np.mean(spent[surely] < low[surely]) == pytest.approx(0.1, abs=0.02 if visits is LASTING else 0.04)
    # And where they have left almost certainly, nothing is the upper end as well.
    bought = left < 0.85
    for kind in (bought & (seen.x == 0), bought & (seen.x > 0) & (seen.x < 5), bought & (seen.x >= 5)):
        assert np.mean(spent[kind] > high[kind]) == pytest.approx(0.1, abs=0.015)
    assert np.all(high[left > 0.9] == 0)


@pytest.mark.parametrize("interval", [0.5, 0.95])
def test_other_intervals_hold_as_many_as_they_say(interval: float) -> None:
    terms = Terms(margin=1.0, yearly_discount=0.1, interval=interval)
    seen, _ = valued(LASTING)
    value = valuation(LASTING, terms).value(history(seen))
    low, high = without(value.past, value)
    left, tail = 1 - LASTING.p_alive(seen.x, seen.t_x, seen.age), (1 - interval) / 2
    inside = (seen.later_money >= low) & (seen.later_money <= high)
    # Where nothing more is among the lower tail there is no room below, and the interval holds both.
    both = left < tail
    assert both.sum() > 500 or interval > 0.9
    if both.any():
        assert inside[both].mean() == pytest.approx(interval, abs=0.025)
    one = (left > tail) & (left < 1 - 2 * tail)
    assert inside[one].mean() == pytest.approx(1 - tail, abs=0.02)


def test_no_interval_begins_above_the_expected_value() -> None:
    _, value = valued(CDNOW)
    assert np.all(value.low <= value.high)
    assert np.all(value.low <= value.value)


def test_a_loss_on_every_purchase_turns_the_interval_around() -> None:
    seen, gain = valued(LASTING)
    loss = valuation(LASTING, Terms(-0.3, 0.1)).value(history(seen))
    assert loss.future == pytest.approx(-gain.future)
    assert loss.high - loss.past == pytest.approx(-(gain.low - gain.past))
    assert loss.low - loss.past == pytest.approx(-(gain.high - gain.past))


def test_margins_may_differ_from_customer_to_customer() -> None:
    seen, value = valued(CDNOW)
    margins = np.where(seen.x > 0, 0.6, 0.15)
    each = valuation(CDNOW, Terms(margins, 0.1)).value(history(seen))
    assert each.future == pytest.approx(value.future * margins / 0.3)
    assert each.high - each.past == pytest.approx((value.high - value.past) * margins / 0.3)


def test_repeat_purchases_without_known_spend_count_as_average_ones() -> None:
    x, t_x, age = np.array([4.0, 4.0]), np.array([300.0, 300.0]), np.array([330.0, 330.0])
    mean = float(SPENDS.expected_spend(np.zeros(1), np.zeros(1))[0])
    known = History(x, t_x, age, np.array([0.0, mean]), np.zeros(2))
    value = valuation(CDNOW, TERMS).value(known)
    assert value.future[0] == pytest.approx(value.future[1])
    assert value.high[0] == pytest.approx(value.high[1])


def test_nobody_and_customers_of_five_thousand_purchases_are_no_trouble() -> None:
    any_of_them = Valuation.of(CDNOW, SPENDS, TERMS, most=5_000, oldest=OLDEST)
    none = any_of_them.value(History(*(np.empty(0) for _ in range(5))))
    assert len(none.value) == 0
    heavy = any_of_them.value(History(*(np.array([v]) for v in (5_000.0, 880.0, 880.0, 12.0, 100.0))))
    assert 0 < heavy.low[0] < heavy.value[0] < heavy.high[0]


def test_without_a_discount_there_is_no_value() -> None:
    with pytest.raises(NoDiscount):
        Terms(margin=0.3, yearly_discount=0.0)
    with pytest.raises(NoDiscount):
        contract_value(Sbg(0.7, 1.2), np.zeros(1), 10.0, np.ones(1), 0.0)


def test_a_contract_is_worth_what_was_earned_and_the_payments_to_come() -> None:
    model, renewals = Sbg(0.668, 3.806), np.array([1.0, 5.0])
    value = contract_value(model, np.array([50.0, 250.0]), 40.0, renewals, 0.1)
    assert value == pytest.approx(np.array([50.0, 250.0]) + 40.0 * np.array([5.4145, 6.8967]), abs=0.02)
