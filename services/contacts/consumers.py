"""What contacts listens to."""

from services.contacts.handlers import Handlers
from services.contacts.handlers.erasing import Erasures
from services.contacts.handlers.staging import Staging
from shared.contracts.channels import INBOUND, ContactReported
from shared.contracts.erasures import ERASURES
from shared.contracts.scoring import SCORES, ScoreChanged, ScoreWithdrawn
from shared.messaging import Messaging, Subscription

GATHER_MS = 300
"""Few inbound events are about contacts: shorter, a batch would be for a few of them, and all that hear of contacts have a batch
of it as well. Channels learn of a change within half a second all the same.
"""
SCORES_GATHER_MS = 1000
"""Nearly no score moves a customer to another stage, and nobody waits for it within the second."""


def listen(messaging: Messaging, handlers: Handlers, erasures: Erasures, staging: Staging | None) -> None:
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
    messaging.listen(Subscription(group="contacts-erasures", topics=(ERASURES,), apply=erasures.note))
    if staging is not None:
        messaging.listen(
            Subscription(
                group="contacts-stages",
                topics=(SCORES,),
                facts=(ScoreChanged, ScoreWithdrawn),
                owns_rest=False,
                apply=staging.follow,
                gather_ms=SCORES_GATHER_MS,
            )
        )
