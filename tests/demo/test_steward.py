"""The steward's rule: whom it takes for one, and whom it leaves to a person."""

from typing import Any

import pytest

from demo.steward import NEEDS_A_PERSON, fits


def pair(**bits: float) -> dict[str, Any]:
    fields = {"date of birth": 10.8, "given name": 10.7, "family name": 4.9, "street": 10.7} | {
        name.replace("_", " "): said for name, said in bits.items()
    }
    reasons = [{"field": name, "bits": said} for name, said in fields.items()]
    return {"probability": 0.999, "reasons": reasons, "rules": []}


def test_one_who_spelt_their_name_differently_and_moved_is_one() -> None:
    assert fits(pair(street=-3.6))


@pytest.mark.parametrize(
    "other",
    [
        pair(date_of_birth=-6.6),
        pair(given_name=-4.0),
        pair(family_name=-4.3),
        pair() | {"probability": 0.94},
        pair() | {"probability": None},
        pair() | {"rules": [NEEDS_A_PERSON]},
        {"probability": 0.99, "rules": [], "reasons": [{"field": "given name", "bits": 10.7}]},
    ],
)
def test_everybody_else_is_left_to_a_person(other: dict[str, Any]) -> None:
    assert not fits(other)
