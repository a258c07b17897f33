"""Who speaks: the grocer's channel systems, and how each of them knows a customer."""

from dataclasses import dataclass
from typing import Any, Literal

Transport = Literal["http", "kafka"]


@dataclass(frozen=True, slots=True)
class System:
    """A channel system with numbers of its own for customers; the loyalty card is what they have in common."""

    name: str
    transport: Transport
    scheme: str
    prefix: str

    @property
    def source(self) -> str:
        return f"/channels/{self.name}"

    def identifiers(self, card: int) -> list[dict[str, Any]]:
        """A first card has its household's number."""
        own = {"scheme": self.scheme, "value": f"{self.prefix}-{card:06d}"}
        return [own] if self == LOYALTY else [own, *LOYALTY.identifiers(card)]


LOYALTY = System("loyalty", "http", "loyalty-card", "LC")
NORTH = System("north-stores", "http", "north-pos", "N")
SOUTH = System("south-stores", "kafka", "south-pos", "S")
MAIL_HOUSE = System("mail-house", "kafka", "mail-list", "M")
COUPONS = System("coupon-desk", "kafka", "coupon-account", "C")
SERVICE_DESK = System("service-desk", "kafka", "desk-caller", "D")
BILLING = System("billing", "kafka", "billing-account", "B")
SYSTEMS = (LOYALTY, NORTH, SOUTH, MAIL_HOUSE, COUPONS, SERVICE_DESK, BILLING)


def of_store(store: int) -> System:
    """Odd stores report over HTTP, even stores write into Kafka: 45 % and 55 % of the lines."""
    return NORTH if store % 2 else SOUTH
