"""What channel systems tell Rapport: `crm.inbound`. Reported facts are claims: the services judge and record them."""

from datetime import timedelta

from shared.contracts.channels.contacts import (
    Address,
    AddressClaim,
    Claim,
    ConsentClaim,
    ContactReported,
    EmailClaim,
    LawfulBasis,
    NameParts,
    PhoneClaim,
)
from shared.contracts.channels.interactions import ContractEvent, ContractReported, InteractionReported
from shared.contracts.channels.sales import (
    CancellationReported,
    Discounts,
    ReturnLine,
    ReturnReported,
    SaleLine,
    SaleReported,
)
from shared.contracts.fact import Topic

__all__ = [
    "INBOUND",
    "MAX_EVENT_BYTES",
    "Address",
    "AddressClaim",
    "CancellationReported",
    "Claim",
    "ConsentClaim",
    "ContactReported",
    "ContractEvent",
    "ContractReported",
    "Discounts",
    "EmailClaim",
    "InteractionReported",
    "LawfulBasis",
    "NameParts",
    "PhoneClaim",
    "ReturnLine",
    "ReturnReported",
    "SaleLine",
    "SaleReported",
]

MAX_EVENT_BYTES = 1_000_000
"""The largest body of one event. The topic takes larger records, so that those too become dead letters."""

INBOUND = Topic(
    "crm.inbound",
    (ContactReported, SaleReported, ReturnReported, CancellationReported, InteractionReported, ContractReported),
    retention=timedelta(days=7),
    max_message_bytes=8 * 1_048_576,
)
