"""What becomes different by the mere passing of time: grants and bars that end, bars that begin, and how that is told. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from services.contacts.domain.known import Known
from shared.contracts.contacts import Consent, Contact, DoNotContact

CONTACTS = "/contacts"
"""Who says that something has run out or begun: nobody else has to."""
BEGINS = "do-not-contact has begun"
SETTLED = timedelta(seconds=2)
"""So long after a bar has begun it is told. Whoever hears of it judges by a clock of their own, which may be behind ours."""
LATEST = datetime.max.replace(tzinfo=UTC) - SETTLED
"""After it there is no time at which anything could be told."""


def next_turn(known: Known) -> datetime | None:
    """When there is something to tell of this customer; None: never, as far as anybody has said.

    What ends is told of the part that has it, what begins of whoever answers for all of them.
    """
    return min(_turns(known), default=None)


def _turns(known: Known) -> Iterator[datetime]:
    yield from (one.valid_until for one in known.contact.consents if _ends(one) and one.valid_until)
    yield from (one.until for one in known.contact.do_not_contact if one.until)
    if known.place.root is None:
        yield from (min(one.since, LATEST) + SETTLED for one in _not_begun(known.published))


def run_out(contact: Contact, now: datetime) -> list[Consent]:
    """What is said of the grants that have run out by now.

    It is said as of the time of the grant, of which it is the stricter. So it ends that grant only: one that was given later
    holds, also if it becomes known after this was told.
    """
    over = [one for one in contact.consents if _ends(one) and one.valid_until and one.valid_until <= now]
    ended = {"status": "withdrawn", "expired": True, "source": CONTACTS}
    return [one.model_copy(update=ended) for one in over]


def without_ended(contact: Contact, now: datetime) -> Contact:
    """Without the bars that are over; the history keeps them. The same object if none is."""
    left = [one for one in contact.do_not_contact if one.until is None or one.until > now]
    same = len(left) == len(contact.do_not_contact)
    return contact if same else contact.model_copy(update={"do_not_contact": left})


def has_begun(published: Contact, now: datetime) -> bool:
    """Whether a bar is in force that was not yet when this version was told, and what channels got was judged."""
    return any(one.since <= now - SETTLED for one in _not_begun(published))


def _not_begun(published: Contact) -> Iterator[DoNotContact]:
    """Bars that were still to begin at this version. Any later version, whatever it is about, is told and judged with them."""
    return (
        one
        for one in published.do_not_contact
        if one.since > published.changed_at and (one.until is None or one.since < one.until)
    )


def _ends(consent: Consent) -> bool:
    return consent.status == "granted" and consent.valid_until is not None
