"""The kinds of revenue and cost, what their quantities count, and months, the periods of the books."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple


class Group(StrEnum):
    REVENUE = "revenue"
    DIRECT = "direct"
    INDIRECT = "indirect"
    BORNE_BY_OTHERS = "borne by others"
    """Told, and no cost of ours."""


class Kind(StrEnum):
    """Each can be told as money, or as a quantity that a rate turns into money."""

    SALES = "sales"
    """At the shelf's price, so that all that the shop gave away is seen as a cost."""
    RETAIL_DISCOUNT = "retail-discount"
    COUPON_MATCH = "coupon-match"
    """The shop's match of a manufacturer's coupon."""
    COUPON = "coupon"
    """The manufacturer pays the shop what the customer did not."""
    REFUNDS = "refunds"
    GOODS = "goods"
    SHIPPING = "shipping"
    PAYMENT_SHARE = "payment-share"
    PAYMENT_FIXED = "payment-fixed"
    RETURN_HANDLING = "return-handling"
    CALLS = "calls"
    VISITS = "visits"
    MAILS = "mails"
    MESSAGES = "messages"
    WEB_SESSIONS = "web-sessions"
    CAMPAIGNS = "campaigns"
    OVERHEAD = "overhead"


class Nature(NamedTuple):
    group: Group
    unit: str
    """What a quantity of 1 is."""


NATURE = {
    Kind.SALES: Nature(Group.REVENUE, "money"),
    Kind.RETAIL_DISCOUNT: Nature(Group.DIRECT, "money"),
    Kind.COUPON_MATCH: Nature(Group.DIRECT, "money"),
    Kind.COUPON: Nature(Group.BORNE_BY_OTHERS, "money"),
    Kind.REFUNDS: Nature(Group.DIRECT, "money"),
    Kind.GOODS: Nature(Group.DIRECT, "money at the shelf's price"),
    Kind.SHIPPING: Nature(Group.DIRECT, "parcels"),
    Kind.PAYMENT_SHARE: Nature(Group.DIRECT, "money paid"),
    Kind.PAYMENT_FIXED: Nature(Group.DIRECT, "payments"),
    Kind.RETURN_HANDLING: Nature(Group.DIRECT, "returns"),
    Kind.CALLS: Nature(Group.INDIRECT, "minutes"),
    Kind.VISITS: Nature(Group.INDIRECT, "minutes"),
    Kind.MAILS: Nature(Group.INDIRECT, "pieces"),
    Kind.MESSAGES: Nature(Group.INDIRECT, "pieces"),
    Kind.WEB_SESSIONS: Nature(Group.INDIRECT, "sessions"),
    Kind.CAMPAIGNS: Nature(Group.INDIRECT, "contacts"),
    Kind.OVERHEAD: Nature(Group.INDIRECT, "units of its driver"),
}
KINDS = tuple(Kind)
"""Their order is written to storage: kinds are only ever added at the end."""


def month_of(moment: datetime) -> int:
    """The UTC calendar month, counted from January 1970."""
    utc = moment.astimezone(UTC)
    return (utc.year - 1970) * 12 + utc.month - 1


def month_named(name: str) -> int:
    """From "2024-07"; ValueError where that is no month."""
    return month_of(datetime.fromisoformat(f"{name}-01T00:00:00+00:00"))


def name_of(month: int) -> str:
    return f"{1970 + month // 12:04}-{month % 12 + 1:02}"
