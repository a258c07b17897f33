"""Kafka in: what interactions listens to."""

from services.interactions.handlers.dead_letters import DeadLetters
from services.interactions.handlers.recording import Recording
from shared.contracts.channels import INBOUND, ContactReported
from shared.contracts.topics import DEAD_LETTERS
from shared.messaging import Messaging, Subscription


def listen(messaging: Messaging, recording: Recording, dead_letters: DeadLetters) -> None:
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
