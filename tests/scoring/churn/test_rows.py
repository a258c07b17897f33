"""Rows of the past: what was known then and nothing else, and whether the customer bought within the horizon after."""

from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.behaviour import FEATURES, Behaviour, Doing
from services.scoring.domain.churn.calendar import PERIODS, Calendar, Draw
from services.scoring.domain.churn.rows import NAMES, Customer, known, row_of, rows_of
from services.scoring.domain.prediction import Histories, predict
from services.scoring.domain.purchases import EPOCH, Order, Purchases, day_of
from tests.scoring.orders import START, moments
from tests.scoring.test_score import MODEL

HORIZON = 20
CALENDAR = Calendar(day_of(START) + 200, HORIZON)
bought = st.lists(st.tuples(moments, st.decimals("0.01", 99, places=2)), max_size=8)
did = st.lists(
    st.tuples(moments, st.sampled_from([doing for doing in Doing if doing is not Doing.PURCHASE])), max_size=8
)
phases = st.integers(0, 12)


def one_of(orders: list[tuple[datetime, Decimal]], facts: list[tuple[datetime, Doing]], phase: int) -> Customer:
    purchases = Purchases.of(Order(*order) for order in orders)
    return Customer(Draw(0.5, phase), purchases.pack(), Behaviour.of(facts).pack())


@given(st.lists(st.tuples(bought, did, phases), max_size=4))
def test_rows_are_what_purchases_and_behaviour_until_then_say(
    base: list[tuple[list[tuple[datetime, Decimal]], list[tuple[datetime, Doing]], int]],
) -> None:
    expected = {}
    for number, (orders, facts, phase) in enumerate(base):
        purchases = Purchases.of(Order(*order) for order in orders)
        for ago in range(PERIODS):
            day = CALENDAR.day(phase, ago)
            before = purchases.until(day - 1)
            if before.days:
                later = any(day <= bought.day < day + HORIZON for bought in purchases.days)
                features = [Behaviour.of(facts).features(day)[name] for name in FEATURES if "purchase" not in name]
                age = day - 1 - before.first_day
                paid = (before.repeat_spend, before.micros / 1e6)
                history = (before.frequency, before.recency, age, *paid, before.last_gap)
                expected[number, day] = (features, history, float(not later))
    found = {}
    for number, one in enumerate(base):
        rows = rows_of([one_of(*one)], CALENDAR)
        for i, day in enumerate(rows.decided.tolist()):
            values = dict(zip(FEATURES, rows.behaviour[i].tolist(), strict=True))
            features = [None if np.isnan(value) else value for name, value in values.items() if "purchase" not in name]
            found[number, day] = (features, tuple(rows.history[i].tolist()), rows.left[i])
    assert found.keys() == expected.keys()
    for key, (features, history, left) in expected.items():
        assert found[key][0] == pytest.approx(features)
        assert found[key][1] == pytest.approx(history, abs=1e-6, nan_ok=True)
        assert found[key][2] == left
    together = rows_of([one_of(*one) for one in base], CALENDAR)
    assert len(together) == len(expected)
    assert together.left.sum() == sum(left for _, _, left in expected.values())


@given(bought, did, bought, did, phases)
def test_another_future_gives_the_same_features(
    orders: list[tuple[datetime, Decimal]],
    facts: list[tuple[datetime, Doing]],
    others: list[tuple[datetime, Decimal]],
    other_facts: list[tuple[datetime, Doing]],
    phase: int,
) -> None:
    day = CALENDAR.day(phase, 2)
    instead = [*(one for one in orders if day_of(one[0]) < day), *(one for one in others if day_of(one[0]) >= day)]
    doings = [*(one for one in facts if day_of(one[0]) < day), *(one for one in other_facts if day_of(one[0]) >= day)]
    pair = [rows_of([one_of(*some, phase)], CALENDAR) for some in ((orders, facts), (instead, doings))]
    here, there = (known(rows.part(rows.decided <= day), MODEL.parameters, HORIZON) for rows in pair)
    assert np.array_equal(here.features, there.features, equal_nan=True)
    assert here.base.tolist() == there.base.tolist()


def test_a_cancelled_order_leaves_nothing() -> None:
    kept, void = Order(START + timedelta(days=5), Decimal(9)), Order(START + timedelta(days=60), Decimal(7))
    cancelled = Order.cancelled(void.at, void.total)
    told, never = (Purchases.of(orders).pack() for orders in ([kept, void, cancelled], [kept]))
    one, other = (rows_of([Customer(Draw(0.1, 3), packed, b"")], CALENDAR) for packed in (told, never))
    for name in ("decided", "history", "left", "behaviour"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
    assert len(row_of(Purchases.of([void, cancelled]).pack(), b"", CALENDAR.today)) == 0


def test_the_row_of_today_has_what_the_base_model_says_today() -> None:
    purchases = Purchases.of(Order(START + timedelta(days=day), Decimal(day + 1)) for day in (3, 30, 31, 80))
    today = day_of(START) + 100
    row = row_of(purchases.pack(), b"", today + 1)
    said = predict(MODEL.parameters, Histories.of([purchases]), EPOCH + timedelta(days=today), HORIZON)
    told = known(row, MODEL.parameters, HORIZON)
    values = dict(zip(NAMES, told.features[0].tolist(), strict=True))
    assert told.base == pytest.approx(said.p_churn)
    assert values["base_p_alive"] == pytest.approx(said.p_alive[0])
    assert (values["purchase_30"], values["purchase_90"], values["purchase_days_since"]) == (1, 3, 21)
    assert (values["repeat_purchases"], values["money"], values["age_days"]) == (3, 148, 97)
    assert np.isnan(values["complaint_days_since"])
