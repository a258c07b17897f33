"""What defined fields take, and what they do not."""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from services.contacts.domain.fields import FIELD_REASONS, Definition, entries, misfit, misfits, parsed
from shared.contracts.fact import storable

TEXT: dict[str, Any] = {"type": "text", "pattern": "[A-Z]{2}-[0-9]+", "max_length": 8}
VALUES: list[tuple[dict[str, Any], Any, str | None]] = [
    (TEXT, "AB-12", None),
    (TEXT, "xAB-12", "wrong-pattern"),
    (TEXT, "AB-12\n", "wrong-pattern"),
    (TEXT, "AB-1234567", "wrong-length"),
    (TEXT, 12, "wrong-type"),
    ({"type": "text"}, "", None),
    ({"type": "number", "minimum": "1", "maximum": "2.5"}, 2.5, None),
    ({"type": "number", "minimum": "1"}, 0, "out-of-range"),
    ({"type": "number"}, True, "wrong-type"),
    ({"type": "number"}, "1", "wrong-type"),
    ({"type": "decimal", "maximum": "0.30"}, "0.3", None),
    ({"type": "decimal", "maximum": "0.30"}, "0.31", "out-of-range"),
    ({"type": "decimal"}, "1e5", "wrong-type"),
    ({"type": "decimal"}, "NaN", "wrong-type"),
    ({"type": "decimal"}, 1, "wrong-type"),
    ({"type": "date", "minimum": "2026-01-01"}, "2026-02-28", None),
    ({"type": "date"}, "2026-02-30", "wrong-type"),
    ({"type": "date"}, "20260228", "wrong-type"),
    ({"type": "date", "minimum": "2026-01-01"}, "2025-12-31", "out-of-range"),
    ({"type": "bool"}, False, None),
    ({"type": "bool"}, 0, "wrong-type"),
    ({"type": "choice", "choices": ["gold"]}, "gold", None),
    ({"type": "choice", "choices": ["gold"]}, "Gold", "no-choice"),
    ({"type": "choice", "choices": ["gold"]}, 7, "no-choice"),
    ({"type": "list", "choices": ["a", "b"]}, "a,b", None),
    ({"type": "list", "choices": ["a", "b"]}, "", None),
    ({"type": "list", "choices": ["a", "b"]}, "a,a", "no-choice"),
    ({"type": "list", "choices": ["a", "b"]}, "a,", "no-choice"),
    ({"type": "list", "choices": ["a", "b"], "max_length": 1}, "a,b", "wrong-length"),
]


@pytest.mark.parametrize(("rules", "value", "reason"), VALUES)
def test_a_value_fits_or_it_is_said_why_not(rules: dict[str, Any], value: Any, reason: str | None) -> None:
    assert misfit(Definition(**rules), value) == reason
    assert misfit(Definition(**rules), None) is None


WRONG: list[dict[str, Any]] = [
    {"type": "text", "minimum": "1"},
    {"type": "text", "pattern": "(a"},
    {"type": "text", "pattern": r"(a)\1"},
    {"type": "text", "pattern": "(?=a)a"},
    {"type": "text", "pattern": "((a{900}){900}){900}"},
    {"type": "text", "min_length": 3, "max_length": 2},
    {"type": "number", "minimum": "one"},
    {"type": "number", "minimum": "2", "maximum": "1"},
    {"type": "date", "minimum": "yesterday"},
    {"type": "choice"},
    {"type": "choice", "choices": []},
    {"type": "money"},
    {"type": "text", "title": {"Deutsch": "x"}},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_definition_that_says_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Definition(**wrong)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(.*)*x", "([a-z]+)*[0-9]"])
def test_no_pattern_takes_longer_than_its_text_is_long(pattern: str) -> None:
    """With an engine that backtracks this would not end before the test's own limit, nor before the sun's."""
    assert misfit(Definition(type="text", pattern=pattern), "a" * 999 + "!") == "wrong-pattern"


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=50)
)  # fmt: skip


@given(SCALARS, st.sampled_from([rules for rules, _, _ in VALUES]))
def test_whatever_is_sent_there_is_an_answer(value: Any, rules: dict[str, Any]) -> None:
    reason = misfit(Definition(**rules), storable(value))
    assert reason is None or reason in FIELD_REASONS


def test_what_nobody_has_defined_is_taken_as_it_comes() -> None:
    definitions = {"size": Definition(type="number")}
    assert misfits(definitions, {"size": "L", "colour": "red"}) == {"size": "wrong-type"}
    assert misfits({}, {"size": "L"}) == {}


def test_values_of_a_url_are_of_the_fields_type() -> None:
    assert parsed(Definition(type="number"), "4.5") == 4.5
    assert parsed(Definition(type="bool"), "true") is True
    for type_, text in (("number", "x"), ("bool", "yes"), ("date", "soon")):
        with pytest.raises(ValueError, match="is no"):
            parsed(Definition(type=type_), text)


def test_of_a_list_a_url_has_entries_that_it_must_contain() -> None:
    sports = Definition(type="list", choices=["golf", "chess"], min_length=2, searchable=True)
    assert entries(sports, "golf") == ["golf"], "however many of them a value needs"
    assert entries(sports, "chess,golf,chess") == ["chess", "golf"]
    for text in ("", "golf,", "go", "golf chess"):
        with pytest.raises(ValueError, match="is no choice"):
            entries(sports, text)
