"""What customers do: the same counts in any order, and features that know nothing of the day they are for."""

import math
from datetime import datetime, timedelta

from hypothesis import given, strategies as st

from services.scoring.domain.behaviour import Behaviour, Doing
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
