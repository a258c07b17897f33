"""What customers do: the same counts in any order, and features that know nothing of the day they are for."""

import math
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.behaviour import MOST_DAYS, RECORD, Behaviour, Doing
from services.scoring.domain.purchases import day_of
from tests.scoring.orders import START, moments

facts = st.lists(st.tuples(moments, st.sampled_from(Doing)), max_size=40)


@given(batch=facts, data=st.data())
def test_any_order_and_any_split_give_the_counts_of_one_batch(
    batch: list[tuple[datetime, Doing]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(batch))
    cut = data.draw(st.integers(0, len(batch)))
    merged = Behaviour.of(shuffled[cut:]).plus(Behaviour.of(shuffled[:cut]))
    assert merged == Behaviour.of(batch)
    assert Behaviour.unpack(merged.pack()) == merged


@given(facts, facts)
def test_a_packed_behaviour_grows_to_what_both_together_are(
    known: list[tuple[datetime, Doing]], new: list[tuple[datetime, Doing]]
) -> None:
    grown = Behaviour.grown(Behaviour.of(known).pack(), new)
    assert Behaviour.unpack(grown) == Behaviour.of([*known, *new])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_of_a_customer_of_too_many_days_the_newest_are_counted_whatever_the_order(seed: int) -> None:
    random = np.random.default_rng(seed)
    days, kinds = random.integers(0, 2 * MOST_DAYS, 4 * MOST_DAYS), random.integers(0, 3, 4 * MOST_DAYS)
    batch = [(START + timedelta(days=int(day)), Doing(int(kind))) for day, kind in zip(days, kinds, strict=True)]
    whole = Behaviour.of(batch)
    order = random.permutation(len(batch)).tolist()
    parts = Behaviour()
    for begin in range(0, len(order), 700):
        parts = parts.plus(Behaviour.of(batch[i] for i in order[begin : begin + 700]))
    other = Behaviour.of(batch[::2]).plus(Behaviour.of(batch[1::2]))
    assert parts == whole == other
    assert Behaviour.unpack(Behaviour.grown(parts.pack(), batch[:1])) == whole.plus(Behaviour.of(batch[:1]))
    assert len({done.day for done in whole.days if done.times}) == MOST_DAYS
    assert sum(not done.times for done in whole.days) == 3
    assert len(whole.pack()) <= (3 * MOST_DAYS + 3) * RECORD.size
    last, everything = day_of(START) + 2 * MOST_DAYS, dict.fromkeys(("contact_365", "visit_365"), 0.0)
    for at, doing in batch:
        if last - 365 <= day_of(at) and f"{doing.name.lower()}_365" in everything:
            everything[f"{doing.name.lower()}_365"] += 1
    assert {name: whole.features(last)[name] for name in everything} == everything


def test_who_has_done_something_too_long_ago_to_be_counted_has_done_it_all_the_same() -> None:
    visits = Behaviour.of((START + timedelta(days=day), Doing.VISIT) for day in range(1, MOST_DAYS + 1))
    complained = visits.plus(Behaviour.of([(START, Doing.COMPLAINT)]))
    features = complained.features(day_of(START) + MOST_DAYS + 1)
    assert (features["complaint_365"], features["complaint_days_since"]) == (0, MOST_DAYS + 1)


@given(facts, facts, st.integers(0, 200))
def test_another_future_gives_the_same_features(
    batch: list[tuple[datetime, Doing]], others: list[tuple[datetime, Doing]], ahead: int
) -> None:
    day = day_of(START) + ahead
    past = [fact for fact in batch if day_of(fact[0]) < day]
    future = [fact for fact in others if day_of(fact[0]) >= day]
    assert Behaviour.of(past + future).features(day) == Behaviour.of(batch).features(day)


@given(facts)
def test_nobody_does_more_in_a_month_than_in_a_year(batch: list[tuple[datetime, Doing]]) -> None:
    features = Behaviour.of(batch).features(day_of(START) + 181)
    for doing in Doing:
        month, quarter, year = (features[f"{doing.name.lower()}_{days}"] or 0 for days in (30, 90, 365))
        assert month <= quarter <= year == sum(1 for _, done in batch if done is doing)


def test_declining_visits_have_a_falling_trend() -> None:
    day = day_of(START) + 100
    visits = [START + timedelta(days=days) for days in (12, 20, 31, 45, 52, 60, 69, 75)]
    features = Behaviour.of((at, Doing.VISIT) for at in visits).features(day)
    assert (features["visit_30"], features["visit_90"], features["visit_days_since"]) == (1, 8, 25)
    assert features["visit_trend"] == math.log(1.5 / 4)
    assert (features["complaint_365"], features["complaint_days_since"], features["complaint_trend"]) == (0, None, 0)
