"""What campaigns listens to: who the customers are, and who of them is one, what they do, what they buy, what they are worth."""

from services.campaigns.handlers.profiles import Following
from shared.contracts.contacts import CONTACTS
from shared.contracts.interactions import INTERACTIONS, SALES, ContractChanged
from shared.contracts.scoring import SCORES
from shared.erasing import Erasing
from shared.messaging import Messaging, Subscription

GATHER_MS = 400
"""No channel waits for a profile, and a sale's score follows it within that time: one write for both."""


def listen(messaging: Messaging, following: Following, erasing: Erasing) -> None:
    messaging.listen(
        Subscription(
            group="campaigns",
            topics=(CONTACTS, INTERACTIONS, SALES, SCORES),
            ignores=(ContractChanged,),
            apply=erasing.beside(following.fold),
            gather_ms=GATHER_MS,
        )
    )
