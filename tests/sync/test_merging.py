"""What the parts of several who are one make together."""

from decimal import Decimal
from functools import reduce
from itertools import permutations
from typing import Any

import orjson
from hypothesis import given, strategies as st

from services.sync.domain.known import NOTHING, Known
from services.sync.domain.merging import cautious, plus, total
from services.sync.domain.view import LARGEST_TOTAL, take
from shared.contracts.contacts import Contact
from shared.contracts.fact import Fact
from tests.sync.facts import (
    ANNA,
    BERT,
    CLEO,
    cancelled,
    contact,
    interaction,
    order,
    returned,
    selected,
)

FACTS = st.one_of(
    st.builds(lambda n, cents: order(number=n, total=f"{cents / 100:.2f}"), st.integers(1, 30), st.integers(1, 9999)),
    st.builds(lambda n: returned(number=n), st.integers(1, 30)),
    st.builds(lambda n: cancelled(order=n), st.integers(1, 30)),
    st.builds(lambda n: interaction(number=n), st.integers(1, 300)),
    st.builds(lambda n: selected(number=n), st.integers(1, 50)),
)


def known(*facts: Fact) -> Known:
    return reduce(take, facts, NOTHING)


@given(st.lists(st.tuples(st.integers(0, 2), FACTS), max_size=40, unique_by=lambda pair: repr(pair[1])))
def test_parts_together_are_as_if_all_had_come_to_one(told: list[tuple[int, Fact]]) -> None:
    parts = {one: known(*(fact for place, fact in told if place == n)) for n, one in enumerate((ANNA, BERT, CLEO))}
    assert total(ANNA, parts) == known(*(fact for _, fact in told))


@given(st.lists(FACTS, max_size=8), st.lists(FACTS, max_size=8), st.lists(FACTS, max_size=8))
def test_adding_is_associative_and_commutative(a: list[Fact], b: list[Fact], c: list[Fact]) -> None:
    sums = {plus(plus(x, y), z) for x, y, z in permutations([known(*a), known(*b), known(*c)])}
    sums |= {plus(x, plus(y, z)) for x, y, z in permutations([known(*a), known(*b), known(*c)])}
    assert len(sums) == 1


def test_contact_and_score_are_the_roots() -> None:
    parts = {ANNA: known(contact(ANNA, name="Anna", absorbed=[BERT])), BERT: known(contact(BERT, name="Bert"))}
    assert total(ANNA, parts).contact == parts[ANNA].contact


def consents(*answers: tuple[str, str]) -> list[dict[str, Any]]:
    given_at = "2026-01-01T00:00:00Z"
    return [
        {"purpose": "ads", "channel": channel, "status": status, "given_at": given_at, "source": "s"}
        for channel, status in answers
    ]


def test_until_contacts_has_told_the_whole_the_stricter_consent_holds() -> None:
    parts = {
        ANNA: known(contact(ANNA, consents=consents(("any", "granted"), ("mail", "denied")))),
        BERT: known(contact(BERT, consents=consents(("any", "withdrawn"), ("mail", "granted"), ("phone", "denied")))),
    }
    shown = orjson.loads(total(ANNA, parts).contact)
    assert {answer["channel"]: answer["status"] for answer in shown["consents"]} == {
        "any": "withdrawn",
        "mail": "denied",
        "phone": "denied",
    }
    whole = known(contact(ANNA, 2, consents=consents(("any", "granted")), absorbed=[BERT]))
    assert total(ANNA, {**parts, ANNA: whole}).contact == whole.contact
    assert cautious(b"null", [parts[BERT].contact]) == b"null"


def test_of_two_grants_the_one_that_ends_first_holds_and_all_that_forbids_approaches() -> None:
    [ending] = consents(("any", "granted"))
    ending |= {"valid_until": "2027-01-01T00:00:00Z", "wording": "w-2", "basis": "legitimate-interest"}
    entry = {"channel": "mail", "reason": "asked", "since": "2026-01-01T00:00:00Z", "source": "desk"}
    own = {**entry, "channel": "sms"}
    for mine, other in (([ending], consents(("any", "granted"))), (consents(("any", "granted")), [ending])):
        parts = {
            ANNA: known(contact(ANNA, consents=mine, do_not_contact=[own])),
            BERT: known(contact(BERT, consents=other, do_not_contact=[entry])),
        }
        shown = Contact.model_validate_json(total(ANNA, parts).contact)
        assert [(one.wording, one.valid_until is not None) for one in shown.consents] == [("w-2", True)]
        assert [one.channel for one in shown.do_not_contact] == ["sms", "mail"]


def test_money_of_another_currency_is_left_out_and_too_much_is_bounded() -> None:
    dollars, euros = known(order(total="5", currency="USD")), known(order(total="7", currency="EUR"))
    assert plus(dollars, euros).sales == dollars.sales
    rich = known(order(total=str(LARGEST_TOTAL - 1)))
    assert plus(rich, rich).sales.total == LARGEST_TOTAL - Decimal("0.000001")
