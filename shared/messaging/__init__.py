"""How facts move: the only place that builds consumers and producers. ARCHITECTURE.md shows how a service uses it."""

from shared.messaging.envelope import CloudEvent, Refused
from shared.messaging.messaging import Messaging, Unavailable
from shared.messaging.outbox import Outgoing
from shared.messaging.received import Received
from shared.messaging.subscription import Subscription
from shared.messaging.transient import Transient
from shared.messaging.unit import TooLarge, Transact, Unit

__all__ = [
    "CloudEvent",
    "Messaging",
    "Outgoing",
    "Received",
    "Refused",
    "Subscription",
    "TooLarge",
    "Transact",
    "Transient",
    "Unavailable",
    "Unit",
]
