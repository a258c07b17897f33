"""What sync listens to: everything that says something about a customer."""

from shared.contracts.campaigns import CAMPAIGNS, CampaignLaunched
from shared.contracts.contacts import CONTACTS
from shared.contracts.interactions import INTERACTIONS, SALES, ContractChanged
from shared.contracts.scoring import SCORES
from shared.messaging import Messaging, Subscription
from shared.messaging.subscription import Apply

TOPICS = (CONTACTS, INTERACTIONS, SALES, SCORES, CAMPAIGNS)


def listen(messaging: Messaging, fold: Apply) -> None:
    messaging.listen(
        Subscription(
            group="sync",
            topics=TOPICS,
            apply=fold,
            ignores=(CampaignLaunched, ContractChanged),
        )
    )
