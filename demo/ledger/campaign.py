"""The campaign by the books: who was held out, who bought within the window, for how much."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from demo.ledger.accounts import Account, Accounts
from demo.ledger.compare import Difference, Document, households, moment, money, unequal


@dataclass(frozen=True, slots=True)
class Campaign:
    """What the platform says of a campaign."""

    campaign_id: str
    customers: list[Document]
    """One row a selected customer: arm and window."""
    arms: Mapping[str, Document]
    """The effect's figures by arm."""


@dataclass(slots=True)
class Arm:
    """One arm's figures by the books."""

    customers: int = 0
    responders: int = 0
    orders: int = 0
    revenue: Decimal = Decimal(0)


def compare_campaign(accounts: Accounts, views: list[Document], campaign: Campaign) -> list[Difference]:
    """Differences in the campaign's figures, and in who was told to the channels."""
    return [*figures(accounts, views, campaign), *told(views, campaign)]


def figures(accounts: Accounts, views: list[Document], campaign: Campaign) -> Iterator[Difference]:
    booked, whose = {"treatment": Arm(), "control": Arm()}, households(views)
    for row in campaign.customers:
        household = whose.get(row["customer_id"])
        if household in accounts:
            count(booked[row["arm"]], accounts[household], row)
    for name, arm in booked.items():
        found = campaign.arms[name]
        yield from unequal(f"{name}: customers", arm.customers, found["customers"])
        yield from unequal(f"{name}: responders", arm.responders, found["responders"])
        yield from unequal(f"{name}: orders", arm.orders, found["orders"])
        yield from unequal(f"{name}: revenue", arm.revenue, money(found["revenue"]))


def count(arm: Arm, account: Account, row: Document) -> None:
    opened, closed = moment(row["selected_at"]), moment(row["respond_until"])
    answers = [order for order in account.orders.values() if within(order.ordered_at, opened, closed)]
    arm.customers += 1
    arm.responders += bool(answers)
    arm.orders += len(answers)
    arm.revenue += sum((order.total for order in answers), Decimal(0))


def within(at: datetime, opened: datetime | None, closed: datetime | None) -> bool:
    return opened is not None and closed is not None and opened <= at < closed


def told(views: list[Document], campaign: Campaign) -> Iterator[Difference]:
    """Channels see the campaign on treated customers, and on nobody else."""
    treated = {row["customer_id"] for row in campaign.customers if row["arm"] == "treatment"}
    for view in views:
        notes = [note["campaign_id"] for note in view["campaigns"]].count(campaign.campaign_id)
        yield from unequal(
            f"customer {view['customer_id']}: campaign notes", int(view["customer_id"] in treated), notes
        )
