"""Who carries which loyalty card, made up: what is written on the form for it, and with which one a basket is bought.

Some households have a second card, applied for in a shop by a form that nobody held beside the first. All this is about
nobody: `demo/data/made_up/make_cards.py` has how it was drawn.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from demo.emitters.event import CONTACT, Event, Row, parsed, rfc3339
from demo.emitters.systems import LOYALTY, NORTH

CARDS = "made_up/cards"
REGION = {"region": "IL", "country": "US"}


class Wallets:
    """The cards of each household, from when on."""

    def __init__(self, forms: Iterable[Row]) -> None:
        self._second = {
            int(row["household_id"]): (parsed(row["applied_at"]), int(row["card"]))
            for row in forms
            if row["card"] != row["household_id"]
        }

    def card(self, household: int, basket: str, at: datetime) -> int:
        """Once there are two, every odd basket goes on the second."""
        since, second = self._second.get(household, (at, household))
        return second if at > since and int(basket) % 2 else household


def application(row: Row) -> Event:
    """First cards were given out by the loyalty programme, second ones by a shop's desk."""
    household, card, at = int(row["household_id"]), int(row["card"]), parsed(row["applied_at"])
    system = LOYALTY if card == household else NORTH
    data: dict[str, Any] = {
        "customer": system.identifiers(card),
        "reported_at": rfc3339(at),
        "party": "person",
        "stage": "customer",
        "name": f"{row['given']} {row['family']}",
        "attributes": {"birthdate": row["birthdate"]},
        "address": {"lines": [row["street"]], "postal_code": row["postal_code"], "city": row["city"], **REGION},
    }
    # In lists they identify nobody: what families share must not make them one.
    data |= {
        kind: [{"typed": row[column]}] for kind, column in (("phones", "phone"), ("emails", "email")) if row[column]
    }
    return Event(system, f"card-{card}", CONTACT, at, household, data)
