"""What sync listens to: everything that says something about a customer."""

from services.sync.handlers.views import Views
from shared.contracts.campaigns import CAMPAIGNS, CampaignLaunched
from shared.contracts.contacts import CONTACTS
from shared.contracts.interactions import INTERACTIONS, SALES, ContractChanged
from shared.contracts.scoring import SCORES
from shared.messaging import Messaging, Subscription

TOPICS = (CONTACTS, INTERACTIONS, SALES, SCORES, CAMPAIGNS)


def listen(messaging: Messaging, views: Views) -> None:
    messaging.listen(
        Subscription(group="sync", topics=TOPICS, apply=views.fold, ignores=(CampaignLaunched, ContractChanged))
    )
