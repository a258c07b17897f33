"""A customer's own pace: what it is read from, in figures worked by hand, and what it does to a score."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.hindsight import then
from services.scoring.domain.prediction import Histories, predict
from services.scoring.domain.purchases import Order, Purchases, day_of
from services.scoring.domain.reasons import ByModel, Situation
from services.scoring.domain.tempo import EVEN, Tempo
from tests.scoring.orders import START, on, synthetic_base
from tests.scoring.test_score import PARAMETERS

TEMPO = Tempo(-0.4, 0.3, 40.0, np.log(30.0), 0.05)
BASE, END = synthetic_base(200, 600, seed=4)


def traits_of(*orders: Order) -> list[float]:
    traits: list[float] = Histories.of([Purchases.of(orders)]).traits(TEMPO, day_of(on("2021-04-01").at))[0].tolist()
    return traits


def test_traits_are_the_last_gap_to_the_mean_gap_and_the_first_purchase_to_the_bases() -> None:
    """Bought on day 0, 50 and 60 of 90: the last gap of 10 to a mean of 30, both with 40 of the base; 60 at first, by 1 + 2."""
    days = (on("2021-01-01", "60"), on("2021-02-20", "10"), on("2021-03-02", "12"))
    assert traits_of(*days) == pytest.approx([np.log(50 / 70), np.log(2) / 3])


@pytest.mark.parametrize(
    ("orders", "wanted"),
    [
        ([on("2021-01-01", "60")], [0.0, np.log(2)]),
        ([on("2021-01-01", "0"), on("2021-02-15", "10")], [0.0, 0.0]),
        ([on("2021-01-01", "0.10"), on("2021-01-31", "0.20"), on("2021-03-02", "0.10")], [0.0, np.log(0.1 / 30) / 3]),
    ],
    ids=["one-purchase", "nothing-paid-at-first", "even-gaps"],
)
def test_who_shows_nothing_has_no_trait(orders: list[Order], wanted: list[float]) -> None:
    assert traits_of(*orders) == pytest.approx(wanted, abs=1e-9)


def test_a_gap_that_is_not_known_and_a_base_without_repeats_show_no_trend() -> None:
    histories = Histories.of(BASE)
    unknown = replace(histories, last_gap=np.full(len(BASE), np.nan))
    assert not unknown.traits(TEMPO, day_of(END))[:, 0].any()
    assert unknown.traits(TEMPO, day_of(END))[:, 1].any()
    assert not histories.traits(replace(TEMPO, usual_days=0.0), day_of(END))[:, 0].any()


def test_time_runs_by_the_factor_and_nothing_else_changes() -> None:
    """Customer by customer the score of a horizon so many times as long; who is still there is told as before."""
    histories, parameters = Histories.of(BASE), replace(PARAMETERS, tempo=TEMPO)
    said, even = predict(parameters, histories, END, 90), predict(PARAMETERS, histories, END, 90)
    factors = histories.tempo(TEMPO, day_of(END))
    assert factors.min() < 0.8
    assert factors.max() > 1.2
    t_x, age = histories.last_day - histories.first_day, day_of(END) - histories.first_day
    for i in range(0, len(BASE), 7):
        seen = (histories.x[i : i + 1], t_x[i : i + 1], age[i : i + 1])
        assert said.expected_purchases[i] == pytest.approx(
            PARAMETERS.visits.expected_purchases(*seen, 90 * factors[i])[0]
        )
        assert said.p_churn[i] == pytest.approx(PARAMETERS.visits.p_no_purchase(*seen, 90 * factors[i])[0])
    assert said.p_alive.tolist() == even.p_alive.tolist()
    assert said.segment.tolist() == even.segment.tolist()
    assert predict(replace(parameters, tempo=EVEN), histories, END, 90).value.tolist() == even.value.tolist()


def test_reasons_are_about_the_score_that_is_told() -> None:
    parameters = replace(PARAMETERS, tempo=TEMPO)
    said = predict(parameters, Histories.of(BASE[:20]), END, 90)
    told = ByModel(PARAMETERS.visits, PARAMETERS.spends, 90, TEMPO)([Situation(one, day_of(END)) for one in BASE[:20]])
    assert told.p_churn == pytest.approx(said.p_churn)
    assert told.value == pytest.approx(said.value)


moments = st.builds(
    lambda hours, cents: (START + timedelta(hours=hours), Decimal(cents) / 100),
    st.integers(0, 24 * 400),
    st.integers(0, 10**9),
)


@settings(max_examples=50)
@given(st.lists(st.lists(moments, min_size=1, max_size=6), min_size=1, max_size=5), st.integers(0, 400))
def test_the_past_is_read_as_it_was_read_then_and_never_nonsense(
    base: list[list[tuple[object, Decimal]]], days: int
) -> None:
    cut = day_of(START) + days
    whole = [Purchases.of(Order(*order) for order in orders) for orders in base]  # type: ignore[arg-type]
    seen = then([one.pack() for one in whole], cut, 30).histories
    known = [before for one in whole if (before := one.until(cut)).days]
    factors = seen.tempo(TEMPO, cut)
    assert factors.tolist() == pytest.approx(Histories.of(known).tempo(TEMPO, cut).tolist())
    assert ((factors >= 1 / 3 - 1e-9) & (factors <= 3 + 1e-9)).all()


@pytest.mark.parametrize("trend", [-0.4, 0.4])
def test_the_silence_moves_the_factor_as_it_is_foreknown(trend: float) -> None:
    """Within the limits that nobody is beyond here."""
    tempo, histories, today = replace(TEMPO, trend=trend), Histories.of(BASE), day_of(END)
    now, age = histories.tempo(tempo, today), histories.age(today)
    for days in (1, 30, 200):
        grown = histories.tempo(tempo, today + days) / now
        back = tempo.days_until(histories.x, age, grown)
        again = histories.x > 0
        assert back[again] == pytest.approx(days)
        assert np.isinf(back[~again]).all()


def test_tempi_are_told_apart_by_what_they_do() -> None:
    assert EVEN.close_to(Tempo(usual_days=40.0, usual_money=3.0))
    assert not EVEN
    assert TEMPO.close_to(replace(TEMPO, trend=-0.401))
    assert not TEMPO.close_to(replace(TEMPO, trend=-0.42))
    assert not TEMPO.close_to(EVEN)
    assert not TEMPO.close_to(replace(TEMPO, usual_days=50.0))
