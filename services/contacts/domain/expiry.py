"""Grants that are given for a time: which have run out, and how that is told. Pure."""

from datetime import datetime

from shared.contracts.contacts import Consent, Contact

CONTACTS = "/contacts"
"""Who says that a grant has run out: nobody else has to."""


def first_end(contact: Contact) -> datetime | None:
    """When the first of the grants runs out; None: none of them ever does."""
    return min((one.valid_until for one in contact.consents if _ends(one) and one.valid_until), default=None)


def run_out(contact: Contact, now: datetime) -> list[Consent]:
    """What is said of the grants that have run out by now.

    It is said as of the time of the grant, of which it is the stricter. So it ends that grant only: one that was given later
    holds, also if it becomes known after this was told.
    """
    over = [one for one in contact.consents if _ends(one) and one.valid_until and one.valid_until <= now]
    ended = {"status": "withdrawn", "expired": True, "source": CONTACTS}
    return [one.model_copy(update=ended) for one in over]


def _ends(consent: Consent) -> bool:
    return consent.status == "granted" and consent.valid_until is not None
