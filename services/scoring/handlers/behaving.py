"""What each fact says of a customer's behaviour. Purchases are in `customers` already, without those that were cancelled."""

from collections.abc import Mapping
from datetime import datetime

from services.scoring.domain.behaviour import Doing
from services.scoring.handlers.booking import CAMPAIGN_CONTACT, Deed
from shared.contracts.interactions import ContractChanged, InteractionRecorded

KINDS: Mapping[str, Doing] = {
    "complaint": Doing.COMPLAINT,
    "claim": Doing.COMPLAINT,
    "service": Doing.SERVICE,
    "service-request": Doing.SERVICE,
    "support": Doing.SERVICE,
    "support-ticket": Doing.SERVICE,
    "repair": Doing.SERVICE,
    "visit": Doing.VISIT,
    "store-visit": Doing.VISIT,
    "page-view": Doing.VISIT,
    "web-session": Doing.VISIT,
    "login": Doing.VISIT,
}
"""Kinds of interactions that say more than that there was a contact, whoever began it: a complaint that our people wrote
down is one too. Channels choose their kinds; an unknown one is a contact."""


def doings(fact: Deed | ContractChanged) -> list[tuple[datetime, Doing]]:
    """When and what; nothing of orders, and of what we have done without any campaign."""
    match fact:
        case InteractionRecorded():
            return [(fact.occurred_at, doing) for doing in _of_contact(fact)]
        case ContractChanged(event="payment-failed"):
            return [(fact.happened_at, Doing.PAYMENT_FAILED)]
    return []


def _of_contact(fact: InteractionRecorded) -> list[Doing]:
    """Who looks at a page because of a campaign has visited us, and has answered."""
    own = [KINDS[fact.kind]] if fact.kind in KINDS else []
    if fact.kind == CAMPAIGN_CONTACT or (fact.campaign and fact.direction == "outbound"):
        return [*own, Doing.CAMPAIGN_RECEIVED]
    if fact.campaign:
        return [*own, Doing.CAMPAIGN_ANSWERED]
    return own or ([] if fact.direction == "outbound" else [Doing.CONTACT])
