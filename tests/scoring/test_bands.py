"""Bands and ladders: news is told once, a flutter is not told at all, a drift once per band."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.bands import Band, Ladder, settled
from services.scoring.domain.fitting import Floats
from services.scoring.domain.prediction import NO_VALUE, VALUE_BAND

PROBABILITY = Band(absolute=0.02)
MONEY = Band(relative=0.05, floor=1.0)
probabilities = st.floats(0, 1)
amounts = st.floats(-1e6, 1e6)
LADDER = Ladder((0.2, 0.4, 0.6, 0.8), slack=0.02)


def array(*values: float) -> Floats:
    return np.array(values, dtype=float)


def times_told(band: Band, path: list[float]) -> int:
    """How often a listener hears of a figure after the first time."""
    told, news = path[0], 0
    for figure in path[1:]:
        if band.left(array(told), array(figure))[0]:
            told, news = figure, news + 1
    return news


def times_changed(ladder: Ladder, told: int, path: list[float]) -> int:
    code, changes = np.array([told], np.int8), 0
    for figure in path:
        settled_now = ladder.settled(code, array(figure))
        changes += int(settled_now[0] != code[0])
        code = settled_now
    return changes


@given(middle=probabilities, path=st.lists(st.floats(-0.00999, 0.00999), min_size=1, max_size=60))
def test_a_probability_that_oscillates_within_its_band_is_never_told_twice(middle: float, path: list[float]) -> None:
    assert times_told(PROBABILITY, [middle + step for step in path]) == 0


@given(middle=amounts, path=st.lists(st.floats(-0.0243, 0.0243), min_size=1, max_size=60))
def test_money_that_oscillates_within_its_band_is_never_told_twice(middle: float, path: list[float]) -> None:
    assert times_told(MONEY, [middle * (1 + step) for step in path]) == 0


@given(st.lists(st.floats(0, 0.03), min_size=2, max_size=200))
def test_a_monotone_drift_is_told_at_most_once_every_band_width(steps: list[float]) -> None:
    path = np.cumsum(steps).tolist()
    assert times_told(PROBABILITY, path) <= (path[-1] - path[0]) / 0.02


@given(st.lists(st.floats(0, 0.2), min_size=2, max_size=100), st.sampled_from([-1.0, 1.0]))
def test_money_that_grows_is_told_at_most_once_every_five_percent(growth: list[float], sign: float) -> None:
    path = [sign * 2.0 * math.exp(total) for total in np.cumsum(growth)]
    assert times_told(MONEY, path) <= 2 * math.log(path[-1] / path[0]) / math.log(1.05)


@given(amounts, amounts)
def test_what_was_just_told_is_no_news_and_news_has_moved_by_more_than_the_band(told: float, new: float) -> None:
    assert not MONEY.left(array(told), array(told))[0]
    if MONEY.left(array(told), array(new))[0]:
        assert abs(new - told) > 0.05 * max(abs(told), 1.0)


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_nobody_hears_of_cents(told: float, new: float) -> None:
    assert not MONEY.left(array(told), array(new))[0]


def test_a_value_that_appears_or_disappears_is_news_and_none_that_stays_none_is_not() -> None:
    told, new = array(math.nan, 0.5, math.nan), array(0.5, math.nan, math.nan)
    assert PROBABILITY.left(told, new).tolist() == [True, True, False]


@given(st.floats(0, 1e5), st.floats(0, 1e5), st.floats(1, 1e4))
def test_values_are_news_exactly_where_the_scores_in_use_say_so(told: float, new: float, top_money: float) -> None:
    floor = NO_VALUE * top_money
    before, after = max(told, floor), max(new, floor)
    if abs(abs(after - before) - VALUE_BAND * before) > 1e-9 * before:
        band = Band(relative=VALUE_BAND, floor=floor)
        assert bool(band.left(array(told), array(new))[0]) is (abs(after - before) > VALUE_BAND * before)


@given(
    edge=st.sampled_from(LADDER.edges),
    told=st.integers(-1, 4),
    path=st.lists(st.floats(-0.0199, 0.0199), min_size=1, max_size=60),
)
def test_whoever_flutters_around_an_edge_is_told_at_most_once(edge: float, told: int, path: list[float]) -> None:
    assert times_changed(LADDER, told, [edge + step for step in path]) <= 1


@given(told=st.integers(0, 4), figure=probabilities)
def test_a_settled_code_is_the_true_one_or_the_last_one_close_to_its_edge(told: int, figure: float) -> None:
    code = int(LADDER.settled(np.array([told], np.int8), array(figure))[0])
    true = int(LADDER.codes(array(figure))[0])
    if code != true:
        assert code == told
        assert abs(code - true) == 1
        assert min(abs(figure - edge) for edge in LADDER.edges) <= 0.02 + 1e-12


@given(st.lists(st.floats(0, 0.05), min_size=1, max_size=100))
def test_a_code_that_only_climbs_is_told_at_most_once_a_step(steps: list[float]) -> None:
    assert times_changed(LADDER, 0, np.cumsum(steps).tolist()) <= 4


def test_edges_that_move_to_and_fro_under_a_customer_tell_nothing() -> None:
    told = Ladder((100.0,), relative=0.05).codes(array(101.0))
    for edge in (99.0, 103.0, 100.0, 104.0, 98.0):
        assert Ladder((edge,), relative=0.05).settled(told, array(101.0)).tolist() == told.tolist()
    assert Ladder((110.0,), relative=0.05).settled(told, array(101.0)).tolist() == [0]


def test_what_lies_on_an_edge_is_above_it_and_nothing_is_nowhere() -> None:
    assert LADDER.codes(array(0.0, 0.2, 0.8, 1.0, math.nan)).tolist() == [0, 1, 4, 4, -1]
    assert LADDER.settled(np.array([3], np.int8), array(math.nan)).tolist() == [-1]


def test_edges_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(ValueError, match="ascend"):
        Ladder((2.0, 1.0))


def test_a_code_stays_as_long_as_slightly_other_thresholds_would_give_it() -> None:
    told, now, also = (np.array(codes, np.int8) for codes in ([2, 2, -1, 1], [3, 3, 0, 1], [2, 4, 1, 1]))
    assert settled(told, now, also).tolist() == [2, 3, 0, 1]
