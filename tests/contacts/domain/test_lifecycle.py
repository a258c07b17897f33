"""The life cycle: the same stages for any order of what was heard, and nobody moved backwards by what comes late."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, strategies as st

from services.contacts.domain.lifecycle import (
    MAX_EPISODES,
    Course,
    Mark,
    heard,
    joined,
    of_score,
    present,
    said,
    timeline,
)
from services.contacts.domain.survivorship import Statement, fold, newcomer
from shared.ids import uuid7

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def mark(what: Any, number: float, **more: Any) -> Mark:
    said_of: dict[str, Any] = {"first": day(number), "last": day(number), "reason": what, "source": "s"}
    return Mark(what=what, **said_of | more)


def stages(course: Course) -> list[tuple[str, float]]:
    return [(step.stage, (step.since - START) / timedelta(days=1)) for step in timeline(course)]


def scored(course: Course, first: float | None, last: float | None, now: float, lapse: str | None = None) -> Course:
    times = (None if first is None else day(first), None if last is None else day(last))
    return heard(course, of_score(course, *times, day(now), lapse))


def test_from_lead_to_customer_and_back_again_after_a_lapse() -> None:
    course = heard((), [said("lead", day(1), "shop"), said("prospect", day(2), "shop")])
    course = scored(course, 3, 3, 3)
    course = scored(course, 3, 10, 10)
    course = scored(course, 3, 10, 90, "gone")
    course = scored(course, 3, 100, 100)
    assert stages(course) == [("lead", 1), ("prospect", 2), ("customer", 3), ("lapsed", 90), ("customer", 100)]
    assert [step.reason for step in timeline(course)][2:] == ["first-purchase", "gone", "purchase"]


def test_what_is_said_moves_nobody_back_who_has_bought() -> None:
    course = scored((), 3, 3, 3)
    for number in (1, 5):
        course = heard(course, [said("lead", day(number), "shop")])
    assert stages(course) == [("lead", 1), ("customer", 3)]


def test_of_what_is_only_said_the_latest_holds_as_before() -> None:
    told = [
        said("customer", day(1), "s"),
        said("lead", day(2), "s"),
        said("lead", day(9), "s"),
        said("prospect", day(4), "s"),
    ]
    assert present(heard((), told)) == ("lead", None)
    assert stages(heard((), told)) == [("customer", 1), ("lead", 2), ("prospect", 4), ("lead", 9)]


def test_a_purchase_that_turns_up_late_shows_that_there_was_no_lapse() -> None:
    course = scored(scored((), 1, 1, 1), 1, 1, 60, "gone")
    assert stages(course)[-1] == ("lapsed", 60)
    assert stages(scored(course, 1, 50, 61)) == [("customer", 1)]


def test_an_only_order_that_is_cancelled_made_no_customer() -> None:
    course = scored(scored(heard((), [said("lead", day(0), "s")]), 1, 1, 1), None, None, 2)
    assert stages(course) == [("lead", 0)]
    assert stages(scored(course, 5, 5, 5)) == [("lead", 0), ("customer", 5)]


def test_who_was_disqualified_stays_so_until_it_is_taken_back_or_they_buy() -> None:
    lead = heard((), [said("lead", day(1), "s"), mark("disqualified", 2), said("prospect", day(3), "s")])
    assert stages(lead) == [("lead", 1), ("disqualified", 2)]
    stage, cycle = present(lead)
    assert cycle is not None
    assert (stage, cycle.stage, cycle.since) == ("lead", "disqualified", day(2))
    assert stages(heard(lead, [mark("requalified", 4)]))[-1] == ("lead", 4)
    assert stages(scored(lead, 5, 5, 5))[-1] == ("customer", 5)


def test_a_score_that_moves_nobody_tells_nothing() -> None:
    course = scored((), 1, 1, 1)
    assert of_score(course, day(1), day(9), day(9), None) == []
    assert of_score((), None, None, day(9), None) == []
    gone = scored(course, 1, 9, 50, "gone")
    assert of_score(gone, day(1), day(9), day(51), "gone") == []


def test_somebody_who_was_heard_of_never_so_much_keeps_the_latest() -> None:
    course = heard((), [mark("lapsed", n, basis=day(n - 0.5)) for n in range(1, 60)])
    assert len(course) == MAX_EPISODES
    assert max(one.first for one in course) == day(59)


MARKS = st.one_of(
    st.builds(said, st.sampled_from(["lead", "prospect", "customer"]), st.integers(0, 5).map(day), st.just("s")),
    st.builds(
        lambda what, first, as_of: mark(what, first, last=day(first + as_of)),
        st.sampled_from(["bought", "unbought"]),
        st.integers(0, 5),
        st.integers(0, 3),
    ),
    st.builds(mark, st.sampled_from(["returned", "disqualified", "requalified"]), st.integers(0, 5)),
    st.builds(lambda n, gap: mark("lapsed", n, basis=day(n - gap)), st.integers(1, 5), st.integers(1, 3)),
)


@given(st.lists(MARKS, max_size=12), st.randoms(use_true_random=False), st.integers(0, 12))
def test_any_order_and_repetition_passes_the_same_stages(marks: list[Mark], random: Any, cut: int) -> None:
    once = heard((), marks)
    shuffled = [*marks, *marks[:cut]]
    random.shuffle(shuffled)
    again: Course = ()
    for one in shuffled:
        again = heard(again, [one])
    assert again == once
    assert heard(once, once) == once


@given(st.lists(MARKS, max_size=8), st.lists(MARKS, max_size=8))
def test_two_who_are_one_have_one_life_whoever_survives(ours: list[Mark], theirs: list[Mark]) -> None:
    assert joined(heard((), ours), heard((), theirs)) == joined(heard((), theirs), heard((), ours))


@given(st.lists(MARKS, max_size=12))
def test_whoever_has_bought_is_a_customer_or_has_lapsed_since(marks: list[Mark]) -> None:
    course = heard((), marks)
    bought = next((one for one in course if one.what == "bought"), None)
    steps = timeline(course)
    if bought:
        assert steps[-1].stage in {"customer", "lapsed"}
        assert {step.stage for step in steps if step.since > bought.first} <= {"customer", "lapsed"}
    assert [step.since for step in steps] == sorted(step.since for step in steps)
    assert all(one.stage != other.stage for one, other in pairwise(steps))


@given(st.lists(st.tuples(st.sampled_from(["lead", "prospect", "customer"]), st.integers(0, 4)), max_size=8))
def test_what_is_said_is_one_field_like_any_other(spoken: list[tuple[Any, int]]) -> None:
    """Before there was a life cycle, the latest said was the stage, of two at the same time the greater text."""
    known = newcomer(uuid7(START), START)
    for stage, number in spoken:
        known = fold(known, Statement("s", day(number), marks=[said(stage, day(number), "s")]))
    latest = max(((number, stage) for stage, number in spoken), default=(0, "prospect"))
    assert known.contact.stage == latest[1]
    assert known.contact.lifecycle is None
