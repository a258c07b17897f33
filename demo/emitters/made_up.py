"""What the Complete Journey does not tell and the demo makes up: what sales cost, how they are paid, calls, contracts.

None of it says anything about the real households; `demo/data/made_up` has how it was drawn.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from demo.emitters.event import CONTRACT, INTERACTION, Event, Row, parsed, rfc3339, rows
from demo.emitters.systems import BILLING, NORTH, SERVICE_DESK, System

CALLS, CONTRACTS, COSTS = (f"made_up/{name}" for name in ("calls", "contracts", "costs"))
CENT = Decimal("0.01")
SHELF = ("sales_value", "retail_disc", "coupon_match_disc")
"""What together is the price on the shelf."""


def payment(household: int) -> str:
    return "card" if household % 4 else "cash"


def delivery(household: int) -> dict[str, int]:
    """Every twentieth household has its purchases sent, a parcel each; the others take them along."""
    return {"parcels": 1} if household % 20 == 7 else {}


class Tills:
    """What the goods of a line have cost: the tills in the north know it, those in the south do not."""

    def __init__(self, costs: Sequence[Row]) -> None:
        self._shares: Mapping[str, Decimal] = {
            row["subject"]: Decimal(row["per_unit"]) for row in costs if row["kind"] == "goods"
        }

    def cost(self, system: System, row: Row, category: str) -> dict[str, str]:
        """To the cent."""
        if system != NORTH:
            return {}
        share = self._shares.get(category, self._shares[""])
        cost = sum(Decimal(row[column]) for column in SHELF) * share
        return {"cost": format(cost.quantize(CENT, ROUND_HALF_UP), "f")}


def call(row: Row, number: int) -> Event:
    """Of some nobody has noted how long they took."""
    household, at = int(row["household_id"]), parsed(row["occurred_at"])
    data = {
        "customer": SERVICE_DESK.identifiers(household),
        "kind": "call",
        "occurred_at": rfc3339(at),
        "direction": "inbound",
    }
    minutes = {"minutes": row["minutes"]} if row["minutes"] else {}
    return Event(SERVICE_DESK, f"call-{number}", INTERACTION, at, household, data | minutes)


def contract(row: Row) -> Event:
    household, number, at = int(row["household_id"]), row["contract"], parsed(row["happened_at"])
    data: dict[str, Any] = {
        "customer": BILLING.identifiers(household),
        "contract": number,
        "event": row["event"],
        "happened_at": rfc3339(at),
    }
    data |= {name: row[name] for name in ("reason", "price") if row[name]}
    event_id = f"plan-{number}-{row['event']}-{at:%Y%m%d%H%M}"
    return Event(BILLING, event_id, CONTRACT, at, household, data)


def made_up(folder: Path) -> list[Event]:
    """All calls and all that happened to contracts."""
    called = [call(row, number) for number, row in enumerate(rows(folder, CALLS), 1)]
    return [*called, *map(contract, rows(folder, CONTRACTS))]
