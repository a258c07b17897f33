"""How the made-up contracts stand, told again from the file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from demo.ledger.compare import moment, money
from demo.ledger.decisions import Decisions
from demo.ledger.difference import Difference, unequal
from demo.ledger.files import rows
from demo.ledger.people import Document, households

CAUSES = {
    "cancelled": "voluntary",
    "went-to-competitor": "voluntary",
    "moved": "involuntary",
    "died": "involuntary",
    "lapsed": "involuntary",
}
MONTH = timedelta(days=30.4375)


@dataclass(slots=True)
class Contract:
    """One household's; the file knows one of each."""

    number: str
    started_at: datetime
    price: Decimal | None = None
    renewals: int = 0
    failing_since: datetime | None = None
    ended_at: datetime | None = None
    cause: str | None = None

    def runs_at(self, at: datetime) -> bool:
        return self.ended_at is None or self.ended_at > at


Contracts = Mapping[int, Contract]
"""By household."""


@dataclass(frozen=True, slots=True)
class Agreements:
    """What the platform says of contracts: of the whole base, and of some customers, by their ids."""

    base: Document
    customers: Mapping[str, Document]


def contracts(folder: Path, share: float, decisions: Decisions | None = None) -> Contracts:
    """Without those of the erased. Billing knows a household by its first card."""
    whose = (decisions or Decisions()).whose
    signed: dict[int, Contract] = {}
    for row in rows(folder, "made_up/contracts", share):
        household, at = int(row["household_id"]), moment(f"{row['happened_at']}+00:00")
        if at is None or whose(household) is None:
            continue
        if row["event"] == "started":
            signed[household] = Contract(row["contract"], at)
        happen(signed[household], row["event"], at)
        if row["price"]:
            signed[household].price = Decimal(row["price"])
    return signed


def happen(contract: Contract, event: str, at: datetime) -> None:
    match event:
        case "renewed":
            contract.renewals += 1
        case "payment-failed":
            contract.failing_since = at
        case "payment-recovered":
            contract.failing_since = None
        case _ if event in CAUSES:
            contract.ended_at, contract.cause, contract.failing_since = at, CAUSES[event], None


def still_running(signed: Contracts, months: int, until: datetime) -> float | None:
    """The share of contracts that run so many months, by a plain life table: of those seen through a month of their age,
    who ended in it. None where nobody has been seen so long.
    """
    share = 1.0
    for month in range(months):
        seen = [one for one in signed.values() if one.started_at + (month + 1) * MONTH <= until]
        at_risk = [one for one in seen if one.runs_at(one.started_at + month * MONTH)]
        if not at_risk:
            return None
        share *= sum(one.runs_at(one.started_at + (month + 1) * MONTH) for one in at_risk) / len(at_risk)
    return share


def compare_contracts(signed: Contracts, views: Sequence[Document], told: Agreements) -> list[Difference]:
    return [*of_base(signed, told.base), *of_customers(signed, views, told.customers)]


def of_base(signed: Contracts, base: Document) -> Iterator[Difference]:
    yield from unequal("customers with contracts", len(signed), base["customers"])
    yield from unequal("contracts", len(signed), base["contracts"])
    for month in base["outlook"] or ():
        together = sum(month[way] for way in ("voluntary", "involuntary", "paid", "missing"))
        yield from unequal(f"ways that a contract may go in {month['month']} months", 1.0, round(together, 9))


def of_customers(
    signed: Contracts, views: Sequence[Document], customers: Mapping[str, Document]
) -> Iterator[Difference]:
    whose = households(views)
    for customer_id, told in customers.items():
        household = whose.get(customer_id)
        mine = None if household is None else signed.get(household)
        yield from unequal(f"household {household}: contracts", int(mine is not None), len(told["contracts"]))
        if mine and told["contracts"]:
            yield from of_contract(f"household {household}: contract", mine, told["contracts"][0])


def of_contract(name: str, mine: Contract, told: Document) -> Iterator[Difference]:
    yield from unequal(f"{name}: number", f"/channels/billing/{mine.number}", told["contract"])
    yield from unequal(f"{name}: start", mine.started_at, moment(told["started_at"]))
    yield from unequal(f"{name}: price", mine.price, money(told["price"]))
    yield from unequal(f"{name}: renewals", mine.renewals, told["renewals"])
    yield from unequal(f"{name}: payment missing since", mine.failing_since, moment(told["failing_since"]))
    yield from unequal(f"{name}: end", mine.ended_at, moment(told["ended_at"]))
    yield from unequal(f"{name}: cause", mine.cause, told["cause"])
