"""Which links hold, for any order and repetition of what was said."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain.links import MAX_LINKS, RULES, TURNED, ends, last_above, merged, trouble, upward, without
from services.contacts.domain.survivorship import newcomer
from shared.contracts.contacts import Contact
from shared.contracts.parties import HeldKind, PartyLink
from shared.ids import uuid7

START = datetime(2026, 1, 2, tzinfo=UTC)
IDS = [uuid7(START + timedelta(seconds=n)) for n in range(40)]
ME, ACME, BOLT = IDS[:3]


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def link(to: str, hours: float, kind: HeldKind = "subsidiary-of", **said: Any) -> PartyLink:
    ended = said.get("ended", False)
    return PartyLink(kind=kind, to=to, source="s", said_at=at(hours), stated_at=None if ended else at(hours), **said)


def party(customer: str, kind: Any = "organisation", links: list[PartyLink] | None = None) -> Contact:
    return newcomer(customer, START).contact.model_copy(update={"party": kind, "links": links or []})


def test_a_link_said_from_either_end_is_the_same() -> None:
    assert ends(ME, "works-at", ACME) == ends(ACME, "employs", ME) == (ME, "works-at", ACME)
    assert len(TURNED) == len(RULES)


def test_the_latest_said_holds_whatever_comes_first() -> None:
    said = [link(ACME, 1, title="Clerk"), link(ACME, 3, title="Boss"), link(ACME, 2, ended=True)]
    for order in permutations(said):
        (held,) = merged((), order)
        assert (held.title, held.ended, held.stated_at) == ("Boss", False, at(3))


def test_who_gets_another_parent_has_left_the_one_before_even_when_the_other_ends() -> None:
    said = [link(ACME, 1), link(BOLT, 2), link(BOLT, 3, ended=True)]
    for order in permutations(said):
        assert upward(merged((), order), at(9)) is None
    assert upward(merged((), said[:2]), at(9)) == said[1]


def test_a_parent_of_the_future_leaves_the_present_one_until_then() -> None:
    held = merged((), [link(ACME, 1), link(BOLT, 2, valid_from=at(50))])
    now, then = upward(held, at(9)), upward(held, at(51))
    assert now is not None
    assert then is not None
    assert (now.to, then.to) == (ACME, BOLT)


def test_a_site_cannot_be_a_subsidiary_at_the_same_time() -> None:
    site = link(BOLT, 2, "site-of")
    assert upward(merged((), [link(ACME, 1), site]), at(9)) == site


def test_who_was_above_before_somebody_who_is_gone_does_not_come_back() -> None:
    acme, bolt, clerk = link(ACME, 1), link(BOLT, 2, "site-of"), link(ACME, 0, "works-at")
    left = without([acme, bolt, clerk], {BOLT}, last_above([acme, bolt, clerk], {BOLT}, at(9)))
    assert [(one.kind, one.to, one.ended) for one in left] == [
        ("subsidiary-of", ACME, True),
        ("works-at", ACME, False),
    ]
    assert upward(merged(left, [acme]), at(9)) is None, "also if it is heard once more"
    assert upward(merged(left, [link(ACME, 3)]), at(9)) is not None
    future = link(BOLT, 2, valid_from=at(50))
    assert last_above([acme, future], {BOLT}, at(9)) is None
    assert without([acme, future], {BOLT}, None) == [acme]


WRONG: list[tuple[PartyLink, Contact | None, str | None]] = [
    (link(ACME, 1, "works-at"), party(ACME), None),
    (link(ACME, 1, "works-at", ended=True), party(ACME), "ended"),
    (link(ACME, 1, "works-at", valid_from=at(10)), party(ACME), "not-yet"),
    (link(ACME, 1, "works-at", valid_until=at(2)), party(ACME), "over"),
    (link(ACME, 1, "works-at"), party(ACME, "household"), "wrong-party"),
    (link(ACME, 1, "works-at"), None, "unknown-party"),
    (link(ME, 1, "referred-by"), party(ME, "person"), "same-party"),
]


@pytest.mark.parametrize(("said", "other", "word"), WRONG)
def test_what_keeps_a_link_from_holding_is_said_in_a_word(said: PartyLink, other: Contact | None, word: str) -> None:
    assert trouble(party(ME, "person", [said]), said, other, at(9)) == word


LINKS = st.builds(
    lambda to, hours, kind, ended, title: link(to, hours, kind, ended=ended, title=title),
    st.sampled_from(IDS[:4]),
    st.integers(0, 3),
    st.sampled_from(["works-at", "subsidiary-of", "site-of"]),
    st.booleans(),
    st.sampled_from([None, "a", "b"]),
)


@given(st.lists(LINKS, max_size=12), st.randoms(use_true_random=False), st.integers(0, 12))
def test_any_order_and_grouping_ends_in_the_same_links(said: list[PartyLink], random: Any, cut: int) -> None:
    once = merged((), said)
    shuffled = [*said, *said[:cut]]
    random.shuffle(shuffled)
    assert merged(merged((), shuffled[:cut]), merged((), shuffled[cut:])) == once


def test_of_too_many_the_longest_unsaid_give_way() -> None:
    held = merged((), [link(customer, hours, "sold-through") for hours, customer in enumerate(IDS)])
    assert len(held) == MAX_LINKS
    assert {one.to for one in held} == set(IDS[-MAX_LINKS:])
