"""Every topic of the platform in one list: what operators create and what the documents are generated from."""

from datetime import timedelta

from shared.contracts.campaigns import CAMPAIGNS
from shared.contracts.channels import INBOUND
from shared.contracts.contacts import CONTACTS
from shared.contracts.erasures import ERASURES
from shared.contracts.fact import DOMAIN_RETENTION, Topic
from shared.contracts.interactions import INTERACTIONS, SALES
from shared.contracts.scoring import SCORES
from shared.contracts.sync import ACCESS, CUSTOMERS

# Larger than the largest inbound record, because a dead letter carries the original and says more about it.
DEAD_LETTERS = Topic("crm.dead-letters", retention=DOMAIN_RETENTION, max_message_bytes=10 * 1_048_576)
"""Records that could not be taken, byte for byte, with the reason in headers."""
REPLAYS = Topic("crm.replays", retention=timedelta(days=7), max_message_bytes=10 * 1_048_576)
"""Dead letters on their way back, each addressed to the one consumer group that had refused it."""

DOMAIN = (CONTACTS, INTERACTIONS, SALES, SCORES, CAMPAIGNS)
"""Keyed by customer id and equally partitioned, so that one instance sees all that concerns one customer."""
ALL = (INBOUND, *DOMAIN, CUSTOMERS, ACCESS, ERASURES, DEAD_LETTERS, REPLAYS)
PERSONAL = (INBOUND, *DOMAIN, CUSTOMERS, DEAD_LETTERS, REPLAYS)
"""Those on which something about a customer may stand; an erasure is done when nothing older than it is left on them."""
