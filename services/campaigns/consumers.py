"""What campaigns listens to: who the customers are, what they do, what they buy, what they are worth."""

from services.campaigns.handlers.profiles import Following
from shared.contracts.contacts import CONTACTS
from shared.contracts.interactions import INTERACTIONS, SALES, ContractChanged
from shared.contracts.scoring import SCORES
from shared.messaging import Messaging, Subscription


def listen(messaging: Messaging, following: Following) -> None:
    topics = (CONTACTS, INTERACTIONS, SALES, SCORES)
    messaging.listen(Subscription(group="campaigns", topics=topics, ignores=(ContractChanged,), apply=following.fold))
