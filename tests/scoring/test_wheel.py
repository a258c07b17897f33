"""The wheel against a sorted list, and crossing times against the model that they were taken from."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.scoring.domain.bands import Flags
from services.scoring.domain.crossings import NEVER, first_hours, next_hours
from services.scoring.domain.fitting import Floats
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.wheel import Wheel

START = 470_000
customers = st.sampled_from([f"customer-{n}" for n in range(12)])
MODEL = MbgNbd(r=0.5248, alpha=43.28, a=0.8914, b=1.6140)


class WheelBesideAList(RuleBasedStateMachine):
    """Everything the wheel is told is told to a dictionary too, which is sorted when asked."""

    def __init__(self) -> None:
        super().__init__()
        self.wheel, self.now, self.list = Wheel(START), START, dict[str, int]()

    @rule(customer=customers, ahead=st.integers(-50, 2_000))
    def put(self, customer: str, ahead: int) -> None:
        self.wheel.put(customer, self.now + ahead)
        self.list[customer] = max(self.now + ahead, self.now)

    @rule(customer=customers)
    def remove(self, customer: str) -> None:
        self.wheel.remove(customer)
        self.list.pop(customer, None)

    @rule(passed=st.integers(0, 30) | st.integers(0, 3_000))
    def take(self, passed: int) -> None:
        self.now += passed
        due = sorted((hour, customer) for customer, hour in self.list.items() if hour < self.now)
        assert self.wheel.take(self.now) == [customer for _, customer in due]
        self.list = {customer: hour for customer, hour in self.list.items() if hour >= self.now}

    @rule()
    def pack_and_unpack(self) -> None:
        packed = [(day, self.wheel.pack(day)) for day in self.wheel.days]
        self.wheel = Wheel.unpack(self.now, packed)
        assert packed == [(day, self.wheel.pack(day)) for day in self.wheel.days]

    @invariant()
    def the_wheel_knows_what_the_list_knows(self) -> None:
        assert len(self.wheel) == len(self.list)
        assert {customer: self.wheel.due(customer) for customer in self.list} == self.list
        assert self.wheel.days == sorted({hour // 24 for hour in self.list.values()})
        assert self.wheel.now == self.now


TestWheelBesideAList = WheelBesideAList.TestCase
TestWheelBesideAList.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_whoever_is_moved_is_due_once_at_the_later_hour() -> None:
    wheel = Wheel(START)
    wheel.put("a", START + 5)
    wheel.put("a", START + 500)
    assert wheel.take(START + 100) == []
    assert wheel.take(START + 501) == ["a"]
    assert wheel.take(START + 10_000) == []


def test_an_hour_that_is_not_over_is_not_due() -> None:
    wheel = Wheel(START)
    wheel.put("a", START)
    assert wheel.take(START) == []
    assert wheel.take(START + 1) == ["a"]


def test_a_wheel_that_stood_still_for_a_million_years_is_turned_at_once() -> None:
    wheel = Wheel(0)
    wheel.put("last", 8_766 * 1_000_000)
    wheel.put("first", 30)
    assert wheel.take(8_766 * 1_000_000 + 1) == ["first", "last"]


def test_names_may_be_any_text_and_a_day_takes_little_room() -> None:
    wheel = Wheel(START)
    for name in ("Zoë", "", "x" * 300):
        wheel.put(name, START + 40)
    packed = wheel.pack((START + 40) // 24)
    assert len(packed) == 3 * 3 + 4 + 300
    assert Wheel.unpack(START, [((START + 40) // 24, packed)]).take(START + 41) == ["", "Zoë", "x" * 300]


def test_what_was_due_while_nothing_ran_is_due_at_once() -> None:
    wheel = Wheel(START)
    wheel.put("a", START + 3)
    packed = [(day, wheel.pack(day)) for day in wheel.days]
    assert Wheel.unpack(START + 1_000, packed).take(START + 1_001) == ["a"]


def random_base(size: int) -> tuple[Floats, Floats, Floats]:
    random = np.random.default_rng(7)
    x = random.poisson(3, size).astype(float)
    first = random.integers(18_000, 19_000, size).astype(float)
    return x, first, first + np.where(x > 0, random.integers(1, 300, size), 0)


def test_the_hour_is_the_first_day_on_which_the_model_says_less_than_the_threshold() -> None:
    x, first, last = random_base(500)
    today = 19_050
    hours = next_hours(MODEL, x, first, last, today, [0.5])
    later = hours < NEVER
    assert 20 < later.sum() < 480
    day = hours[later] / 24
    alive = [MODEL.p_alive(x[later], (last - first)[later], day - ago - first[later]) for ago in (0, 1)]
    assert (alive[0] < 0.5).all()
    assert (alive[1] >= 0.5 - 1e-12).all()
    assert (day > today).all()
    gone = MODEL.p_alive(x[~later], (last - first)[~later], today - first[~later])
    assert (gone < 0.5).all()


def test_of_several_thresholds_the_next_one_counts() -> None:
    x, first, last = random_base(300)
    each = [next_hours(MODEL, x, first, last, 19_400, [p]) for p in (0.8, 0.5, 0.2)]
    together = next_hours(MODEL, x, first, last, 19_400, [0.2, 0.8, 0.5])
    assert (together == np.min(each, axis=0)).all()


@pytest.mark.parametrize("a", [1e-6, 1e-3])
def test_where_hardly_anybody_leaves_nobody_is_waited_for(a: float) -> None:
    lasting = MbgNbd(r=0.5, alpha=40, a=a, b=300.0)
    one = np.zeros(1)
    assert next_hours(lasting, one, one, one, 10, [0.02]).tolist() == [NEVER]


@given(st.integers(0, 20), st.integers(0, 400), st.floats(0.01, 0.99))
def test_a_customer_put_by_crossing_time_is_found_on_the_day_of_crossing(x: int, recency: int, p: float) -> None:
    one = np.array([float(x)])
    first, last = np.zeros(1), np.array([float(recency if x else 0)])
    hour = int(next_hours(MODEL, one, first, last, 500, [p])[0])
    if hour == NEVER:
        return
    wheel = Wheel(501 * 24)
    wheel.put("a", hour)
    assert wheel.take(hour) == []
    assert wheel.take(hour + 24) == ["a"]


def test_the_first_day_of_news_is_found_where_no_formula_has_it() -> None:
    x, first, last = random_base(400)
    today = 19_050
    told = MODEL.p_no_purchase(x, last - first, today - first, 90)

    def news(days: Floats) -> Flags:
        moved: Flags = np.abs(MODEL.p_no_purchase(x, last - first, days - first, 90) - told) > 0.02
        return moved

    hours = first_hours(news, 400, today)
    found = hours < NEVER
    assert found.sum() > 200
    day = np.where(found, hours / 24, today)
    assert news(day)[found].all()
    assert not news(day - 1)[found].any()
    assert not news(np.full(400, today + 2_048.0))[~found].any()


def test_both_ways_find_the_same_day() -> None:
    x, first, last = random_base(400)
    closed = next_hours(MODEL, x, first, last, 19_050, [0.5])
    here = MODEL.p_alive(x, last - first, 19_050 - first) >= 0.5
    halved = first_hours(lambda days: MODEL.p_alive(x, last - first, days - first) < 0.5, 400, 19_050)
    near = here & (closed < (19_050 + 2_048) * 24)
    assert near.sum() > 50
    assert (closed[near] == halved[near]).all()
