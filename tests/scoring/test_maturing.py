"""What may be learnt from, and when: nothing that happens or becomes known after a moment changes what was learnt by it."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.maturing import Decision, Maturity, Outcome, as_known, training_set

CUSTOMERS = "abc"
times = st.integers(0, 200)
maturities = st.builds(Maturity, st.integers(1, 50), st.integers(0, 10))
decisions = st.lists(
    st.builds(
        Decision,
        id=st.integers(0, 10**6).map(str),
        customer=st.sampled_from(CUSTOMERS),
        at=times,
        features=st.fixed_dictionaries({"visits": st.floats(0, 9)}),
        model=st.just("tree 1"),
        probability=st.floats(0, 1),
    ),
    max_size=20,
    unique_by=lambda decision: decision.id,
)
outcomes = st.lists(
    st.builds(
        lambda customer, at, late: Outcome(customer, at, at + late),
        st.sampled_from(CUSTOMERS),
        times,
        st.integers(0, 60),
    ),
    max_size=10,
)


@given(decisions, outcomes, decisions, outcomes, maturities, times)
def test_another_future_gives_the_same_training_set(
    past: list[Decision],
    happened: list[Outcome],
    more: list[Decision],
    others: list[Outcome],
    maturity: Maturity,
    now: int,
) -> None:
    """Everything after the moment is replaced by something else: what is learnt at the moment stays as it was."""
    here = training_set(past, happened, maturity, now)
    elsewhere_decisions = [one for one in past if one.at <= now] + [
        one._replace(id=f"other-{one.id}") for one in more if one.at > now
    ]
    elsewhere_outcomes = [one for one in happened if one.known_at <= now] + [
        one for one in others if one.known_at > now
    ]
    there = training_set(elsewhere_decisions, elsewhere_outcomes, maturity, now)
    assert here.decisions == there.decisions
    assert here.labels.tolist() == there.labels.tolist()


@given(decisions, outcomes, maturities, times, times)
def test_a_label_once_learnt_from_never_changes(
    past: list[Decision], happened: list[Outcome], maturity: Maturity, now: int, later: int
) -> None:
    early, late = sorted((now, later))
    before = training_set(past, happened, maturity, early)
    after = training_set(past, happened, maturity, late)
    known = {one.id: label for one, label in zip(after.decisions, after.labels, strict=True)}
    assert all(known[one.id] == label for one, label in zip(before.decisions, before.labels, strict=True))


@given(decisions, outcomes, maturities, times, st.data())
def test_any_order_and_repetition_of_the_log_give_the_same_rows(
    past: list[Decision], happened: list[Outcome], maturity: Maturity, now: int, data: st.DataObject
) -> None:
    again = past + (data.draw(st.lists(st.sampled_from(past), max_size=5)) if past else [])
    shuffled = training_set(data.draw(st.permutations(again)), data.draw(st.permutations(happened)), maturity, now)
    rows = training_set(past, happened, maturity, now)
    assert shuffled.decisions == rows.decisions
    assert shuffled.labels.tolist() == rows.labels.tolist()


@given(st.lists(times, max_size=60), maturities, times)
def test_no_label_of_the_training_rows_knows_of_the_time_that_is_tried(
    decided: list[int], maturity: Maturity, cut: int
) -> None:
    at = np.array(decided, np.int64)
    train, valid = maturity.split(at, cut)
    assert all(at[row] + maturity.horizon + maturity.lateness <= cut for row in train)
    assert all(at[row] >= cut for row in valid)
    purged = [row for row in range(len(at)) if row not in {*train.tolist(), *valid.tolist()}]
    assert all(cut - maturity.gap < at[row] < cut for row in purged)


@given(st.lists(times, max_size=80), maturities, times, st.integers(1, 6))
def test_folds_go_forward_in_time_with_a_gap_as_long_as_the_horizon(
    decided: list[int], maturity: Maturity, now: int, count: int
) -> None:
    at = np.array(decided, np.int64)
    folds = maturity.folds(at, now, count)
    assert len(folds) <= count
    tried = np.concatenate([fold.valid for fold in folds]) if folds else np.empty(0, np.int64)
    assert len(set(tried.tolist())) == len(tried)
    for train, valid in folds:
        assert at[train].max() + maturity.gap <= at[valid].min()
        assert (at[valid] + maturity.gap <= now).all()
        assert (at[train] + maturity.gap <= now).all()


def test_rows_spread_over_a_year_make_the_folds_asked_for() -> None:
    decided = np.arange(365, dtype=np.int64)
    folds = Maturity(30).folds(decided, now=395, count=4)
    assert [len(fold.valid) for fold in folds] == [73, 73, 73, 74]
    assert [int(decided[fold.train].max()) for fold in folds] == [42, 115, 188, 261]


def decided_at(at: int) -> Decision:
    return Decision(f"d{at}", "a", at, {"visits": 1.0}, "tree 1", 0.3)


@pytest.mark.parametrize(
    ("happened", "known", "label"),
    [(100, 100, 0.0), (101, 101, 1.0), (130, 133, 1.0), (130, 136, 0.0), (131, 131, 0.0), (90, 120, 0.0)],
)
def test_a_label_says_who_left_within_the_horizon_as_was_known_when_it_matured(
    happened: int, known: int, label: float
) -> None:
    maturity, outcome = Maturity(horizon=30, lateness=5), Outcome("a", happened, known)
    assert maturity.label(decided_at(100), [outcome], now=134) is None
    assert maturity.label(decided_at(100), [outcome], now=135) == label
    assert maturity.label(decided_at(100), [outcome], now=500) == label


def test_those_who_left_early_mature_with_the_others() -> None:
    """Else a model made soon after the decisions would see all who left and nobody who stayed."""
    outcome = Outcome("a", 101, 101)
    assert training_set([decided_at(100)], [outcome], Maturity(30), now=110).decisions == ()


def test_features_use_what_had_happened_and_was_known() -> None:
    happened, known = np.array([5, 5, 15]), np.array([5, 12, 15])
    assert as_known(happened, known, 10).tolist() == [True, False, False]
