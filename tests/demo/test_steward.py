"""The steward's rule: whom it takes for one, and whom it leaves to a person."""

from typing import Any, cast

import pytest

from demo.emitters.history import DATA
from demo.platform import Platform
from demo.steward import NEEDS_A_PERSON, Steward, fits


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


class Views:
    """Sync, which hears of one contact more with each look."""

    def __init__(self, *cards: int) -> None:
        self.cards = cards
        self.looks = 0

    async def every(self, path: str) -> list[dict[str, Any]]:
        assert path == "/v1/customers"
        self.looks += 1
        return [view(card) for card in self.cards[: self.looks]]


def view(card: int) -> dict[str, Any]:
    identifiers = [{"scheme": "loyalty-card", "value": f"LC-{card:05d}"}]
    return {"customer_id": f"customer {card}", "contact": {"identifiers": identifiers}}


async def test_whose_a_customer_is_is_known_once_sync_has_heard_of_them_all() -> None:
    views = Views(1, 2, 3, 4)
    steward = Steward(cast("Platform", views), DATA, 0.01)
    assert await steward.cards({"customer 2"}, {3}) == {"customer 1": 1, "customer 2": 2, "customer 3": 3}
    assert views.looks == 3
