"""What customers allow: grants that end, what bars an approach, and the answer to `may we`. Rules only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, strategies as st

from services.contacts.domain import barring
from services.contacts.domain.barring import Listed, addresses, barred_by, both, digest, freed, relisted
from services.contacts.domain.expiry import has_begun, next_turn, run_out
from services.contacts.domain.permission import Permission, Question, permission
from services.contacts.domain.survivorship import Known, Statement, fold, newcomer, statement, stricter
from shared.consent import barred
from shared.contracts.channels import ContactReported, EmailClaim, PhoneClaim
from shared.contracts.contacts import Consent, Contact, DoNotContact
from shared.contracts.fact import Identifier
from shared.ids import uuid7

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ANN = uuid7(NOW)


def at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def consent(status: Any, hours: float, until: float | None = None, channel: str = "email", **more: Any) -> Consent:
    end = None if until is None else at(until)
    return Consent(
        purpose="ads", channel=channel, status=status, given_at=at(hours), source="s", valid_until=end, **more
    )


def told(*consents: Consent) -> Known:
    known = newcomer(ANN, NOW)
    for one in consents:
        known = fold(known, Statement("s", one.given_at, consents=[one]))
    return known


def bar(
    channel: str, until: float | None = None, since: float = 0, source: str = "/keys/1", **more: Any
) -> DoNotContact:
    end = None if until is None else at(until)
    return DoNotContact(channel=channel, since=at(since), until=end, source=source, **{"reason": "asked"} | more)


def contact(**fields: Any) -> Contact:
    return newcomer(ANN, NOW).contact.model_copy(update=fields)


def test_a_grant_that_has_run_out_is_told_once_and_a_later_one_is_a_grant_in_any_order() -> None:
    first, later = consent("granted", 0, until=5), consent("granted", 3, until=50)
    known = told(first)
    assert next_turn(known) == at(5)
    assert run_out(known.contact, at(4)) == []
    [over] = run_out(known.contact, at(5))
    assert (over.status, over.expired, over.given_at, over.source) == ("withdrawn", True, at(0), "/contacts")
    ended = told(first, over)
    assert (ended.contact.consents, next_turn(ended), run_out(ended.contact, at(9))) == ([over], None, [])
    for order in permutations([first, over, later]):
        assert told(*order).contact.consents == [later]


def test_refusals_and_grants_without_an_end_do_not_run_out() -> None:
    known = told(consent("denied", 0, until=1), consent("granted", 0, channel="phone"))
    assert (next_turn(known), run_out(known.contact, at(100))) == (None, [])


def test_what_the_customer_has_withdrawn_at_the_time_of_the_grant_is_not_called_expired() -> None:
    grant, withdrawn = consent("granted", 0, until=1), consent("withdrawn", 0)
    [over] = run_out(told(grant).contact, at(2))
    for order in permutations([grant, over, withdrawn]):
        assert told(*order).contact.consents == [withdrawn]


@pytest.mark.parametrize("later", [1, 3])
def test_of_two_who_are_one_that_a_grant_has_run_out_changes_nothing_when_it_is_told(later: int) -> None:
    """Whichever is the later grant holds, be it over or not; a refusal holds against both."""
    ending, other = consent("granted", 2, until=5), consent("granted", later)
    [over] = run_out(told(ending).contact, at(6))
    before, after = stricter(ending, other, at(4)), stricter(over, other, at(4))
    assert (before is ending, after is over) == (later == 1, later == 1)
    for status in ("denied", "withdrawn"):
        refused = consent(status, 0)
        assert stricter(over, refused, at(4)) is refused
        assert stricter(refused, ending, at(4)) is refused


ASK = Question("ads", "email")
OBJECT = Question("ads", "email", "legitimate-interest")
CONTRACT = Question("ads", "email", "contract")


@pytest.mark.parametrize(
    ("consents", "entries", "reason", "until", "allowed"),
    [
        ([], [], "not-asked", None, (False, True, True)),
        ([consent("granted", -1)], [], "granted", None, (True, True, True)),
        ([consent("granted", -1, until=3)], [], "granted", 3, (True, True, True)),
        ([consent("granted", -1, until=0)], [], "expired", None, (False, True, True)),
        ([consent("denied", -1)], [], "denied", None, (False, False, True)),
        ([consent("withdrawn", -1)], [], "withdrawn", None, (False, False, True)),
        ([consent("granted", -1), consent("denied", -2, channel="any")], [], "granted", None, (True, True, True)),
        ([consent("granted", -2), consent("denied", -1, channel="any")], [], "denied", None, (False, False, True)),
        ([consent("granted", -1)], [bar("email")], "do-not-contact", None, (False, False, False)),
        ([consent("granted", -1)], [bar("any", until=4)], "do-not-contact", 4, (False, False, False)),
        ([consent("granted", -1)], [bar("phone")], "granted", None, (True, True, True)),
        ([consent("granted", -1, until=9)], [bar("email", since=2)], "granted", 2, (True, True, True)),
    ],
)
def test_may_we(
    consents: list[Consent], entries: list[DoNotContact], reason: Any, until: float | None, allowed: tuple[bool, ...]
) -> None:
    for question, may in zip((ASK, OBJECT, CONTRACT), allowed, strict=True):
        end = None if until is None else at(until)
        assert permission(question, consents, entries, NOW, ANN) == Permission(may, reason, end, ANN)


def test_the_addresses_of_a_contact_are_those_it_has_now() -> None:
    known = fold(
        replace(newcomer(ANN, NOW), contact=contact(identifiers=[Identifier(scheme="email", value="old@b.de")])),
        Statement(
            "s",
            NOW,
            [Identifier(scheme="card", value="7")],
            fields={"email": "Ann@B.de", "phone": "+493012345678"},
        ),
    )
    assert addresses(known.contact) == {"card:7", "email:ann@b.de", "phone:+493012345678"}
    report = ContactReported(
        customer=[Identifier(scheme="card", value="7")],
        reported_at=NOW,
        emails=[EmailClaim(typed="Work@B.de", purpose="work")],
        phones=[PhoneClaim(typed="030 7654321", country="DE", purpose="work"), PhoneClaim(typed="ask Bob")],
    )
    assert {"email:work@b.de", "phone:+49307654321"} <= addresses(fold(known, statement(report, "s")).contact)


def test_a_digest_says_nothing_without_the_key() -> None:
    one, other = digest(b"k" * 32, "email:a@b.de"), digest(b"l" * 32, "email:a@b.de")
    assert len(one) == len(other) == 16
    assert one != other
    assert one == digest(b"k" * 32, "email:a@b.de")


def listed(name: str, until: float | None = None, reason: str = "robinson-list", since: float = 0) -> Listed:
    return Listed(name, b"", "email", reason, at(since), None if until is None else at(until))


def test_what_lists_say_follows_the_lists_and_what_was_said_of_the_customer_stays() -> None:
    own = bar("email")
    barred = relisted(contact(do_not_contact=[own]), [listed("r"), listed("over", until=-1)], NOW)
    assert [one.source for one in barred.do_not_contact] == ["/keys/1", "/lists/r"]
    assert relisted(barred, [listed("r")], NOW) is barred
    assert relisted(barred, [], NOW).do_not_contact == [own]
    assert [one.source for one in freed(barred, "email").do_not_contact] == ["/lists/r"]
    assert freed(contact(), "email").do_not_contact == []
    again = barred_by(barred, bar("email", until=3))
    assert [(one.source, one.until) for one in again.do_not_contact] == [("/keys/1", at(3)), ("/lists/r", None)]


def test_lists_cannot_fill_a_contact_beyond_what_a_document_holds() -> None:
    many = [listed(f"l{n}") for n in range(barring.MAX_LISTED + 9)]
    assert len(relisted(contact(), many, NOW).do_not_contact) == barring.MAX_LISTED


def test_of_more_lists_than_a_contact_holds_those_that_have_begun_go_first() -> None:
    ahead, begun = [listed(f"a{n}", since=9) for n in range(60)], [listed("b", until=3)]
    assert "/lists/b" in {one.source for one in relisted(contact(), [*ahead, *begun], NOW).do_not_contact}


def test_between_two_entries_of_a_list_for_two_addresses_nobody_is_barred_unless_they_meet() -> None:
    now, later = listed("r", until=2), listed("r", since=5, until=8)
    entries = relisted(contact(), [later, now], NOW).do_not_contact
    assert [(one.since, one.until) for one in entries] == [(at(0), at(2)), (at(5), at(8))]
    assert barred(entries, "email", at(3)) is None
    for between in (listed("r", since=1, until=6), listed("r", since=2, until=5)):
        [entry] = relisted(contact(), [later, between, now], NOW).do_not_contact
        assert (entry.since, entry.until) == (at(0), at(8))


def test_a_bar_may_begin_at_the_end_of_all_times() -> None:
    last = bar("email").model_copy(update={"since": datetime.max.replace(tzinfo=UTC)})
    known = replace(newcomer(ANN, NOW), contact=contact(do_not_contact=[last]))
    assert next_turn(known) == last.since
    assert not has_begun(known.published, at(9))


BARS = st.lists(
    st.builds(
        bar,
        st.sampled_from(["any", "email"]),
        until=st.none() | st.sampled_from([1, 5]),
        since=st.sampled_from([0, 1, 3]),
        source=st.sampled_from(["/keys/1", "/lists/r"]),
    ),
    max_size=3,
)


@given(BARS, BARS, BARS)
def test_whatever_bars_one_of_those_who_are_one_bars_them_all(
    one: list[DoNotContact], other: list[DoNotContact], third: list[DoNotContact]
) -> None:
    assert both(one, other) == both(other, one)
    assert both(both(one, other), third) == both(one, both(other, third))
    for hours in (0, 2, 4, 6):
        for channel in ("email", "phone"):
            apart = barred(one, channel, at(hours)) or barred(other, channel, at(hours))
            assert (barred(both(one, other), channel, at(hours)) is None) == (apart is None)
