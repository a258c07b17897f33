"""Kafka in: what interactions listens to."""

from services.interactions.handlers.dead_letters import DeadLetters
from services.interactions.handlers.merging import Merging
from services.interactions.handlers.recording import Recording
from shared.contracts.channels import INBOUND, ContactReported
from shared.contracts.contacts import CONTACTS, ContactErased
from shared.contracts.merges import LINK_FACTS
from shared.contracts.topics import DEAD_LETTERS
from shared.erasing import Erasing
from shared.messaging import Messaging, Subscription

MERGES_GATHER_MS = 1000
"""Nearly all of crm.contacts is of no concern here, and nobody waits for a merge to be in the history."""


def listen(
    messaging: Messaging, recording: Recording, dead_letters: DeadLetters, merging: Merging, erasing: Erasing
) -> None:
    messaging.listen(
        Subscription(
            group="interactions",
            topics=(INBOUND,),
            ignores=(ContactReported,),  # contacts takes these, and refuses the bad ones among them
            prepare=recording.resolve,
            apply=recording.record,
        )
    )
    messaging.listen(
        Subscription(group="interactions-dead-letters", topics=(DEAD_LETTERS,), raw=True, apply=dead_letters.keep)
    )
    messaging.listen(
        Subscription(
            group="interactions-merges",
            topics=(CONTACTS,),
            facts=(*LINK_FACTS, ContactErased),
            owns_rest=False,
            apply=erasing.beside(merging.follow),
            gather_ms=MERGES_GATHER_MS,
        )
    )
