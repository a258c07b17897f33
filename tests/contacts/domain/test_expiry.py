"""Bars that end and begin by the mere passing of time. Rules only; grants that run out are in `test_consents`."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.expiry import SETTLED, has_begun, next_turn, without_ended
from services.contacts.domain.known import Known
from services.contacts.domain.merging import Merge, merged, regrouped, renewed
from services.contacts.domain.survivorship import newcomer
from shared.consent import barred
from shared.contracts.contacts import DoNotContact
from shared.ids import uuid7
from tests.contacts.domain.test_consents import NOW, at, bar, consent, contact


def known(*bars: DoNotContact, hours: float = 0) -> Known:
    """As it was told so many hours from now."""
    return Known(contact(do_not_contact=list(bars), changed_at=at(hours)), {})


@pytest.mark.parametrize(
    ("bars", "hours", "turn"),
    [
        ([], 0, None),
        ([bar("email")], 0, None),
        ([bar("email", since=-3)], 0, None),
        ([bar("email", until=3)], 0, at(3)),
        ([bar("email", since=2, until=3)], 0, at(2) + SETTLED),
        ([bar("email", since=2, until=3)], 2, at(3)),
        ([bar("email", since=2), bar("any", until=1)], 0, at(1)),
        ([bar("email", since=2)], 5, None),
        ([bar("email", since=4, until=3)], 0, at(3)),
    ],
)
def test_there_is_something_to_tell_when_a_bar_ends_and_when_one_begins_that_was_told_before(
    bars: list[DoNotContact], hours: float, turn: object
) -> None:
    assert next_turn(known(*bars, hours=hours)) == turn


def test_a_grant_and_a_bar_are_waited_for_together() -> None:
    both = Known(contact(do_not_contact=[bar("email", until=3)], consents=[consent("granted", 0, until=2)]), {})
    assert next_turn(both) == at(2)


def test_what_is_over_is_gone_and_all_else_is_untouched() -> None:
    stays, over = bar("phone", until=3), bar("email", until=2)
    before = contact(do_not_contact=[over, stays])
    assert without_ended(before, at(1)) is before
    assert without_ended(before, at(2)).do_not_contact == [stays]


def test_that_a_bar_has_begun_is_told_once_by_whatever_version_comes_first() -> None:
    before = known(bar("email", since=2))
    begun = at(2) + SETTLED
    assert not has_begun(before.contact, begun - timedelta(milliseconds=1))
    assert has_begun(before.contact, begun)
    told = renewed(before, begun)
    assert (told.contact.version, told.contact.do_not_contact) == (2, before.contact.do_not_contact)
    assert not has_begun(told.contact, at(99))
    assert next_turn(told) is None


def test_of_those_who_are_one_whoever_answers_for_them_says_that_it_begins_and_the_part_that_it_ends() -> None:
    own = known(bar("email", since=2, until=5))
    other = newcomer(uuid7(NOW + timedelta(seconds=1)), NOW)
    ids = [one.contact.customer_id for one in (other, own)]
    parts = merged(dict(zip(ids, (other, own), strict=True)), Merge("m", ids[0], ids[1], NOW, "/keys/1"))
    root, _ = regrouped(parts, ids[0], NOW)
    assert (next_turn(root), next_turn(parts[ids[1]])) == (at(2) + SETTLED, at(5))
    after = renewed(root, at(3))
    assert after.place.golden == after.published
    assert (after.published.version, after.contact.version) == (root.published.version + 1,) * 2
    assert next_turn(after) is None


HOURS = st.integers(0, 6)


@given(st.lists(st.builds(bar, st.just("email"), until=st.none() | HOURS, since=HOURS), max_size=4))
def test_whenever_the_answer_turns_there_is_something_to_tell(bars: list[DoNotContact]) -> None:
    """Somebody is told, hour by hour, and what they were told last is judged by when they were told: it is always right."""
    told = Known(contact(do_not_contact=bars, changed_at=at(-1)), {})
    for hour in range(8):
        now = at(hour) + SETTLED
        while (turn := next_turn(told)) and turn <= now:
            left = without_ended(told.contact, now)
            assert left is not told.contact or has_begun(told.contact, now), "or it would go round in circles"
            told = renewed(replace(told, contact=left), now)
        was = barred(told.contact.do_not_contact, "email", told.contact.changed_at)
        assert (was is None) == (barred(bars, "email", now) is None)
