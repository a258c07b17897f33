"""What contacts listens to."""

from services.contacts.handlers import Handlers
from shared.contracts.channels import INBOUND, ContactReported
from shared.messaging import Messaging, Subscription

GATHER_MS = 150
"""Few inbound events are about contacts: shorter, a batch would be for one of them or two."""


def listen(messaging: Messaging, handlers: Handlers) -> None:
    # The rest of crm.inbound, unreadable records included, is for interactions to take or to refuse.
    messaging.listen(
        Subscription(
            group="contacts",
            topics=(INBOUND,),
            facts=(ContactReported,),
            owns_rest=False,
            apply=handlers.hear,
            gather_ms=GATHER_MS,
        )
    )
