"""Looking back: what was known on a day in the past follows from purchases, tables merge, and good scores look good."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.hindsight import Hindsight, then
from services.scoring.domain.model import Model
from services.scoring.domain.prediction import Histories
from services.scoring.domain.purchases import Order, Purchases, day_of
from services.scoring.handlers import Reviewing
from tests.scoring.memory import MemoryCustomers, MemoryModels, MemoryReviews, SetClock
from tests.scoring.orders import START, on, synthetic_base
from tests.scoring.test_score import MODEL
from tests.scoring.test_store import scored

HORIZON = 90
BASE, END = synthetic_base(2_000, 700, seed=31)
CUT = day_of(END) - 1 - HORIZON
orders = st.builds(
    Order,
    st.integers(0, 400).map(lambda day: START + timedelta(days=day)),
    st.decimals("0.01", 999, places=2),
    st.just(1),
)


@given(st.lists(st.lists(orders, max_size=6), max_size=6), st.integers(-5, 410), st.integers(1, 100))
def test_what_was_known_then_is_what_purchases_until_then_say(
    base: list[list[Order]], after: int, horizon: int
) -> None:
    cut = day_of(START) + after
    everybody = [Purchases.of(some) for some in base]
    seen = then([purchases.pack() for purchases in everybody], cut, horizon)
    known = [purchases for purchases in everybody if purchases.until(cut).days]
    expected = Histories.of([purchases.until(cut) for purchases in known])
    for name in ("x", "first_day", "last_day", "spend", "money"):
        assert getattr(seen.histories, name) == pytest.approx(getattr(expected, name), abs=1e-6)
    since = [[day for day in one.days if cut < day.day <= cut + horizon] for one in known]
    assert seen.purchases.tolist() == [len(days) for days in since]
    assert seen.money == pytest.approx([sum(day.micros for day in days) / 1e6 for days in since], abs=1e-6)


def test_a_cancelled_order_counts_for_neither_side() -> None:
    order = on("2021-03-01", "5")
    void = Purchases.of([order, Order.cancelled(order.at, order.total), on("2021-02-01")])
    seen = then([void.pack(), b""], day_of(order.at) - 1, 30)
    assert (seen.histories.x.tolist(), seen.purchases.tolist()) == ([0.0], [0.0])


def hindsight(base: list[Purchases]) -> Hindsight:
    return Hindsight.of(MODEL.parameters, then([one.pack() for one in base], CUT, HORIZON), CUT, HORIZON)


def test_tables_of_parts_add_up_and_survive_being_stored() -> None:
    whole, parts = hindsight(BASE), hindsight(BASE[:700]).plus(hindsight(BASE[700:]))
    for one in (parts, Hindsight.unpack(whole.pack()), whole.plus(Hindsight.empty()), whole.plus(hindsight([]))):
        assert (one.silent.sums == whole.silent.sums).all()
        assert one.counts == pytest.approx(whole.counts)
        assert one.values == pytest.approx(whole.values)


def test_the_figures_are_those_of_customer_by_customer() -> None:
    table, seen = hindsight(BASE), then([one.pack() for one in BASE], CUT, HORIZON)
    assert table.customers == len(seen.purchases)
    n, expected, actual = table.counts.sum(axis=0)
    assert (n, actual) == (len(seen.purchases), seen.purchases.sum())
    assert table.total_error == pytest.approx((expected - actual) / actual)
    groups = table.groups()
    assert sum(count for count, _, _ in groups) == table.customers
    assert [said for _, said, _ in groups] == sorted(said for _, said, _ in groups)
    lift = table.lift()
    assert lift[0] == (0.0, 0.0)
    assert lift[-1] == pytest.approx((1.0, 1.0))
    assert all(money >= share for share, money in lift[1:-1:5]), "the best bring more than their share"


def test_of_nobody_nothing_is_said() -> None:
    nobody = Hindsight.empty()
    assert (nobody.customers, nobody.total_error, nobody.groups(), nobody.lift()) == (0, None, [], [])


class Company:
    def __init__(self) -> None:
        self.customers, self.models, self.reviews = MemoryCustomers(), MemoryModels(), MemoryReviews()
        self.clock = SetClock(END)
        self.reviewing = Reviewing(self.customers, self.models, self.reviews, self.clock, HORIZON)
        for one in scored(BASE[:300]):
            self.customers.known[one.customer_id] = one

    def fitted(self, version: int, as_of: datetime) -> Model:
        fit = replace(MODEL.fit, as_of=as_of)
        self.models.versions[version] = model = Model(version, as_of, fit)
        return model


async def test_scores_are_held_against_what_came_by_the_version_of_that_time() -> None:
    company = Company()
    assert await company.reviewing.review() is None
    company.fitted(1, datetime.fromtimestamp(0, UTC) + timedelta(days=CUT - 3))
    company.fitted(2, END)
    assert await company.reviewing.due()
    review = await company.reviewing.review()
    assert review is not None
    assert (review.cut, review.model_version, review.foreknown) == (CUT, 1, False)
    assert review.hindsight.customers == sum(bool(one.until(CUT).days) for one in BASE[:300])
    assert not await company.reviewing.due()
    company.clock.at = END + timedelta(days=7)
    assert await company.reviewing.due()


async def test_parameters_that_have_seen_the_outcome_say_so() -> None:
    company = Company()
    company.fitted(2, END)
    review = await company.reviewing.review()
    assert review is not None
    assert (review.model_version, review.foreknown) == (2, True)
    again = await company.reviewing.review()
    assert len(company.reviews.reviews) == 1
    assert again is not None
    assert np.array_equal(again.hindsight.counts, review.hindsight.counts)
