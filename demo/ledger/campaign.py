"""The campaign by the books: who was held out, who bought within the window, for how much."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from demo.ledger.accounts import Account, Accounts, Order
from demo.ledger.compare import moment, money
from demo.ledger.difference import Difference, unequal
from demo.ledger.people import Document, households


@dataclass(frozen=True, slots=True)
class Campaign:
    """What the platform says of a campaign: each customer with arm, orders and revenue, and the effect's figures."""

    campaign_id: str
    customers: Sequence[Document]
    effect: Mapping[str, Any]


@dataclass(slots=True)
class Arm:
    """One arm's figures by the books."""

    customers: int = 0
    responders: int = 0
    orders: int = 0
    revenue: Decimal = Decimal(0)

    def add(self, bought: list[Order]) -> None:
        self.customers += 1
        self.responders += bool(bought)
        self.orders += len(bought)
        self.revenue += sum((order.total for order in bought), Decimal(0))

    def differences(self, name: str, found: Document) -> Iterator[Difference]:
        yield from unequal(f"{name}: customers", self.customers, found["customers"])
        yield from unequal(f"{name}: responders", self.responders, found["responders"])
        yield from unequal(f"{name}: orders", self.orders, found["orders"])
        yield from unequal(f"{name}: revenue", self.revenue, money(found["revenue"]))


def compare_campaign(accounts: Accounts, views: list[Document], campaign: Campaign) -> list[Difference]:
    """Differences in the campaign's figures, and in who was told to the channels."""
    return [*figures(accounts, views, campaign), *told(views, campaign)]


def figures(accounts: Accounts, views: list[Document], campaign: Campaign) -> Iterator[Difference]:
    booked, whose = {"treatment": Arm(), "control": Arm()}, households(views)
    window = moment(campaign.effect["counted_from"]), moment(campaign.effect["counted_until"])
    for row in campaign.customers:
        household = whose.get(row["customer_id"])
        if household not in accounts:
            yield Difference("customers of the campaign that nobody knows", 0, row["customer_id"])
            continue
        bought = answers(accounts[household], *window)
        booked[row["arm"]].add(bought)
        revenue = sum((order.total for order in bought), Decimal(0))
        yield from unequal(f"household {household}: orders in the campaign", len(bought), row["orders"])
        yield from unequal(f"household {household}: revenue in the campaign", revenue, money(row["revenue"]))
    for name, arm in booked.items():
        yield from arm.differences(name, campaign.effect[name])


def answers(account: Account, opened: datetime | None, closed: datetime | None) -> list[Order]:
    """What was bought from the draw on, before the window closed."""
    if opened is None or closed is None:
        return []
    return [order for order in account.orders.values() if opened <= order.ordered_at < closed]


def told(views: list[Document], campaign: Campaign) -> Iterator[Difference]:
    """Channels see the campaign on treated customers, and on nobody else."""
    treated = {row["customer_id"] for row in campaign.customers if row["arm"] == "treatment"}
    for view in views:
        notes = [note["campaign_id"] for note in view["campaigns"]].count(campaign.campaign_id)
        yield from unequal(
            f"customer {view['customer_id']}: campaign notes", int(view["customer_id"] in treated), notes
        )
