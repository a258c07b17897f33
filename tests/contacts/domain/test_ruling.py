"""Which of several statements holds, by each rule, whatever the order in which they come and whoever they were said of."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import TypeAdapter, ValidationError

from services.contacts.domain import ruling
from services.contacts.domain.known import Candidate, Teller
from services.contacts.domain.ruling import (
    MAX_CANDIDATES,
    MAX_SOURCES,
    NEWEST,
    Rule,
    RuledField,
    decided,
    filled,
    in_force,
)
from shared.contracts.channels import Address, NameParts

START = datetime(2026, 1, 2, tzinfo=UTC)
ERP, SHOP, WEB, DESK = "/channels/erp", "/channels/shop", "/channels/web", "/keys/1"
TRUSTED = Rule(rule="source-priority", sources=(ERP, "/keys/*"))
COMPLETE = Rule(rule="most-complete")


def said(day: int, source: str, value: Any) -> Candidate:
    return Candidate(START + timedelta(days=day), Teller(source), value)


def holds(rule: Rule, *candidates: Candidate) -> Any:
    """Whatever the order."""
    values = {decided(rule, order)[0].value for order in (candidates, candidates[::-1])}
    (value,) = values
    return value


def test_the_newest_holds_and_nothing_else_is_kept() -> None:
    assert decided(NEWEST, [said(2, SHOP, "b"), said(1, ERP, "a")]) == (said(2, SHOP, "b"), ())


def test_a_source_of_lower_rank_never_overrides_one_of_higher() -> None:
    erp, desk, shop, web = said(1, ERP, "erp"), said(2, DESK, "desk"), said(3, SHOP, "shop"), said(4, WEB, "web")
    assert holds(TRUSTED, erp, desk, shop, web) == "erp"
    assert holds(TRUSTED, desk, shop, web) == "desk"
    assert holds(TRUSTED, shop, web) == "web", "the newest of those who are not in the list"
    assert holds(TRUSTED, desk, said(3, "/keys/2", "other desk"), web) == "other desk", "the newest among equals"
    assert holds(TRUSTED, erp, said(5, ERP, None), web) is None, "a removal is a statement as any other"
    assert holds(TRUSTED, said(9, DESK, None), erp) == "erp"


def test_a_statement_yields_to_what_is_said_long_after_it() -> None:
    rule = TRUSTED.model_copy(update={"days": 30})
    assert holds(rule, said(0, ERP, "erp"), said(30, WEB, "web")) == "erp"
    assert holds(rule, said(0, ERP, "erp"), said(31, WEB, "web")) == "web"
    assert holds(rule, said(0, ERP, "erp"), said(20, DESK, "desk"), said(31, WEB, "web")) == "desk"


def test_the_statement_with_more_filled_parts_holds() -> None:
    full = Address(lines=["Hauptstr. 1"], postal_code="10115", city="Berlin", country="DE")
    city = Address(city="Bonn")
    assert decided(COMPLETE, [said(1, ERP, full), said(2, SHOP, city)])[0].value == full
    assert decided(COMPLETE, [said(1, ERP, full), said(2, ERP, city)])[0].value == city, "it has taken its word back"
    assert holds(COMPLETE, said(1, ERP, "Ann Sample"), said(2, SHOP, "Ann")) == "Ann Sample"
    assert holds(COMPLETE, said(1, ERP, "Ann Sample"), said(2, SHOP, "Anna Sample")) == "Anna Sample"


def test_what_was_removed_is_not_brought_back_by_what_was_said_before() -> None:
    before, removal = said(1, ERP, "Ann Mary Sample"), said(2, DESK, None)
    assert holds(COMPLETE, before, removal) is None
    assert holds(COMPLETE, before, removal, said(3, SHOP, "Ann")) == "Ann"
    assert holds(COMPLETE, before, removal, said(3, DESK, "Ann")) == "Ann Mary Sample", "the removal was taken back"


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (None, 0),
        ("Ann", 1),
        ("A. Sample", 1),
        ("Ann Sample", 2),
        (NameParts(given="Ann", family="Sample", title=" "), 2),
        (Address(lines=["a", "b"], city="c"), 3),
        (Address(), 0),
    ],
)
def test_parts_are_counted(value: Any, parts: int) -> None:
    assert filled(value) == parts


def test_however_many_sources_speak_of_each_rank_the_latest_is_kept() -> None:
    erp, shop = said(0, ERP, "erp"), said(1, SHOP, "shop")
    desks = [said(2 + n, f"/keys/{n}", f"desk {n}") for n in range(50)]
    best, others = decided(TRUSTED, [erp, shop, *desks])
    assert (best, len(others)) == (erp, MAX_CANDIDATES - 1)
    assert {shop, desks[-1]} <= set(others)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rule": "source-priority"},
        {"rule": "newest", "sources": [ERP]},
        {"rule": "most-complete", "days": 3},
        {"rule": "source-priority", "sources": [ERP, ERP]},
        {"rule": "source-priority", "sources": ["erp"]},
        {"rule": "source-priority", "sources": ["/a*b"]},
        {"rule": "source-priority", "sources": [ERP], "days": 0},
        {"rule": "source-priority", "sources": [f"/channels/{n}" for n in range(MAX_SOURCES + 1)]},
        {"rule": "best"},
    ],
)
def test_a_rule_that_says_nothing_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        Rule.model_validate(wrong)


def test_fields_are_named_as_in_the_history() -> None:
    field: TypeAdapter[str] = TypeAdapter(RuledField)
    for right in ("name", "attributes.shoe-size", "interests.golf"):
        assert field.validate_python(right) == right
    for wrong in ("stage", "phones", "attributes", "name.given", "sensitive.x", "attributes.X", ""):
        with pytest.raises(ValidationError):
            field.validate_python(wrong)
    assert not COMPLETE.fits("email")
    assert COMPLETE.fits("address")
    assert TRUSTED.fits("email")


def test_a_sensitive_attribute_has_the_rule_of_the_attribute() -> None:
    rules = in_force({"attributes.size": TRUSTED, "name": COMPLETE, "email": NEWEST})
    assert rules == {"attributes.size": TRUSTED, "sensitive.size": TRUSTED, "name": COMPLETE}


SOURCES = st.sampled_from([ERP, SHOP, WEB, DESK, "/keys/2", "/forms/web", ""])
RULE = st.one_of(
    st.just(COMPLETE),
    st.builds(
        lambda sources, days: Rule(rule="source-priority", sources=sources, days=days),
        st.lists(st.sampled_from([ERP, SHOP, "/keys/*"]), min_size=1, max_size=2, unique=True).map(tuple),
        st.none() | st.sampled_from([1, 2]),
    ),
)
# No days: the statements of the other tests lie microseconds apart.
RULES = st.dictionaries(
    st.sampled_from(["name", "address", "name_parts", "email", "attributes.a", "interests.b", "preferences.a"]),
    RULE,
    max_size=4,
).map(lambda rules: in_force({field: rule for field, rule in rules.items() if rule.fits(field)}))
CANDIDATES = st.lists(
    st.builds(said, st.integers(0, 4), SOURCES, st.sampled_from([None, "Ann", "Bob", "Ann Sample", "Ann Mary Sample"])),
    min_size=1,
    max_size=12,
)


def kept(rule: Rule, candidates: Sequence[Candidate]) -> list[Candidate]:
    if not candidates:
        return []
    best, others = decided(rule, candidates)
    return [best, *others]


@given(RULE, CANDIDATES, st.integers(3, 5), st.data())
def test_any_order_repetition_and_division_ends_in_the_same(
    rule: Rule, candidates: list[Candidate], room: int, data: st.DataObject
) -> None:
    most, ruling.MAX_CANDIDATES = ruling.MAX_CANDIDATES, room
    try:
        again = data.draw(st.lists(st.sampled_from(candidates), max_size=4))
        parts: list[list[Candidate]] = [[], [], []]
        for one in data.draw(st.permutations([*candidates, *again])):
            part = parts[data.draw(st.integers(0, 2))]
            part[:] = kept(rule, [*part, one])
        divided = [one for part in parts for one in part]
        assert decided(rule, divided) == decided(rule, candidates)
        assert len(kept(rule, divided)) <= room
    finally:
        ruling.MAX_CANDIDATES = most
