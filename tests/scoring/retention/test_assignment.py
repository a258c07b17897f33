"""Control and exploration: their shares, for good, and independent of each other."""

import math

import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.retention.assignment import Assignment

IDS = [f"01890000-0000-7000-8000-{i:012d}" for i in range(100_000)]
USUAL = Assignment("salt")


def within_four_deviations(found: int, share: float, n: int) -> bool:
    return abs(found - share * n) < 4 * math.sqrt(n * share * (1 - share))


@pytest.mark.parametrize(("control", "exploration"), [(0.05, 0.05), (0.1, 0.02), (0.01, 0.3)])
def test_shares_come_out_right_over_a_hundred_thousand_customers(control: float, exploration: float) -> None:
    assignment = Assignment("another salt", control, exploration)
    groups = [assignment.group(one) for one in IDS]
    assert within_four_deviations(groups.count("control"), control, len(IDS))
    assert within_four_deviations(groups.count("exploration"), exploration, len(IDS))


def test_each_choice_is_drawn_equally_often_in_exploration() -> None:
    explored = [one for one in IDS if USUAL.group(one) == "exploration"]
    drawn = [USUAL.drawn(one, "2026-11", 4) for one in explored]
    assert all(within_four_deviations(drawn.count(choice), 0.25, len(drawn)) for choice in range(4))


def test_another_occasion_and_another_salt_draw_independently() -> None:
    some = IDS[:20_000]
    first = [USUAL.drawn(one, "2026-11", 2) for one in some]
    second = [USUAL.drawn(one, "2026-12", 2) for one in some]
    salted = [Assignment("another").drawn(one, "2026-11", 2) for one in some]
    for other in (second, salted):
        assert within_four_deviations(sum(a == b for a, b in zip(first, other, strict=True)), 0.5, len(some))


def test_the_hash_is_the_same_on_every_machine_and_in_every_release() -> None:
    groups = [USUAL.group(f"customer-{i}") for i in range(60)]
    assert [i for i, group in enumerate(groups) if group == "control"] == [50]
    assert [i for i, group in enumerate(groups) if group == "exploration"] == [9]
    assert [USUAL.drawn(f"customer-{i}", "2026-11", 4) for i in range(12)] == [2, 3, 0, 1, 3, 1, 2, 1, 0, 0, 0, 0]


def test_raising_the_share_of_control_keeps_those_who_were_in_it_and_leaves_exploration_as_it_was() -> None:
    raised = Assignment("salt", control=0.2)
    for one in IDS[:20_000]:
        before, after = USUAL.group(one), raised.group(one)
        assert before == after or (before, after) == ("decided", "control")


@settings(deadline=None)
@given(
    control=st.floats(0, 0.5),
    exploration=st.floats(0, 0.5),
    choices=st.integers(1, 6),
    wanted=st.integers(0, 5),
)
def test_the_propensities_of_all_that_may_be_done_add_up_to_one(
    control: float, exploration: float, choices: int, wanted: int
) -> None:
    assignment = Assignment("salt", control, exploration)
    total = sum(
        assignment.propensity(chosen=choice == wanted % choices, nothing=choice == 0, choices=choices)
        for choice in range(choices)
    )
    assert total == pytest.approx(1.0)


@given(st.text(max_size=20), st.integers(1, 9))
@settings(max_examples=50, deadline=None)
def test_a_draw_is_one_of_the_choices_and_the_same_at_each_attempt(customer_id: str, choices: int) -> None:
    drawn = USUAL.drawn(customer_id, "now", choices)
    assert 0 <= drawn < choices
    assert drawn == Assignment("salt").drawn(customer_id, "now", choices)


@pytest.mark.parametrize("shares", [(-0.1, 0.1), (0.1, -0.1), (0.6, 0.5)])
def test_shares_that_are_none_are_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="shares"):
        Assignment("salt", *shares)
