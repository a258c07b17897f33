"""Do not contact: who said so of a customer, and what lists say of their addresses. Pure.

A list knows addresses as keyed digests only, so that it is no register of people: it can be asked about an address that somebody
has in hand, and names nobody by itself.
"""

import hmac
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.contacts.domain.identities import normalised
from shared.consent import ANY
from shared.contracts.contacts import Contact, DoNotContact
from shared.contracts.fact import Identifier

LISTS = "/lists/"
"""Of the sources of entries that follow from lists; the others were made for this customer."""
MAX_LISTED = 50
MAX_BARS = 20
"""Made for one customer, each of a channel of its own: there are not so many ways to approach somebody."""
DIGEST_BYTES = 16
CHANNELS = {"email": "email", "phone": "phone"}
"""What an address is for, where a list does not say it."""
REACHED = ("identifiers", "email", "emails", "phone", "phones")
"""The fields of a contact that have its addresses."""


class TooManyBars(ValueError):
    """A contact is barred on as many channels as can be said of it; the message says how many."""


class OverAlready(ValueError):
    """What is said is over by now. It would bar nobody, and take the place of what does."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a list."""

    name: str
    digest: bytes
    channel: str
    reason: str
    since: datetime
    until: datetime | None = None

    @property
    def entry(self) -> DoNotContact:
        """As a contact with this address has it."""
        return DoNotContact(
            channel=self.channel, reason=self.reason, since=self.since, until=self.until, source=LISTS + self.name
        )


def digest(key: bytes, address: str) -> bytes:
    """What a list knows of an address, `email:ann@example.org`: nobody works it out, or tries addresses, without the key."""
    return hmac.digest(key, address.encode(), "sha256")[:DIGEST_BYTES]


def channel_of(address: str) -> str:
    return CHANNELS.get(address.partition(":")[0], ANY)


def addresses(contact: Contact) -> frozenset[str]:
    """What a list can have of a contact: e-mail and telephone as they are now, and the other identifiers.

    The identifiers of e-mail and telephone are left out: they stay when somebody has got another address.
    """
    found = {str(one) for one in contact.identifiers if one.scheme not in CHANNELS}
    emails = [contact.email, *(one.understood for one in contact.emails)]
    phones = [contact.phone, *(one.understood for one in contact.phones)]
    found.update(_address("email", one) for one in emails if one)
    found.update(_address("phone", one) for one in phones if one)
    return frozenset(found)


def _address(scheme: str, value: str) -> str:
    # Most are as they should be, and all have been looked at when they came.
    return str(normalised(Identifier.model_construct(scheme=scheme, value=value)))


def relisted(contact: Contact, listed: Iterable[Listed], now: datetime) -> Contact:
    """The contact with what the lists say of all its addresses now, in place of what they said before.

    Of more than it can have those that are in force go before those that are still to begin.
    """
    theirs = _joined(one.entry for one in listed if one.until is None or one.until > now)
    theirs.sort(key=lambda one: one.since > now)
    return _with(contact, [*made_for(contact), *theirs[:MAX_LISTED]])


def barred_by(contact: Contact, entry: DoNotContact) -> Contact:
    """With an entry made for this customer, in place of the one for the same channel. Raises TooManyBars."""
    left = freed(contact, entry.channel)
    if len(made_for(left)) >= MAX_BARS:
        raise TooManyBars(MAX_BARS)
    return _with(contact, [*left.do_not_contact, entry])


def made_for(contact: Contact) -> list[DoNotContact]:
    """The entries made for this customer; the others follow from lists."""
    return [one for one in contact.do_not_contact if not one.source.startswith(LISTS)]


def in_force(entry: DoNotContact, now: datetime) -> bool:
    return entry.since <= now and (entry.until is None or entry.until > now)


def freed(contact: Contact, channel: str) -> Contact:
    """Without the entry made for this customer and this channel. What lists say stays."""
    left = [one for one in contact.do_not_contact if one.channel != channel or one.source.startswith(LISTS)]
    return _with(contact, left)


def both(one: Sequence[DoNotContact], other: Sequence[DoNotContact]) -> list[DoNotContact]:
    """Of two customers who are one: whatever bars one of them bars the person."""
    return _ordered(_joined([*one, *other]))


def _with(contact: Contact, entries: Sequence[DoNotContact]) -> Contact:
    entries = _ordered(entries)
    return contact if entries == contact.do_not_contact else contact.model_copy(update={"do_not_contact": entries})


def _joined(entries: Iterable[DoNotContact]) -> list[DoNotContact]:
    """Of several that say the same and meet one, from the first since to the last until. What lies between two that do not is free."""
    found: defaultdict[tuple[str, str, str], list[DoNotContact]] = defaultdict(list)
    for one in sorted(entries, key=lambda one: (one.since, _lasts(one))):
        same = found[one.channel, one.reason, one.source]
        if not same or (same[-1].until is not None and same[-1].until < one.since):
            same.append(one)
        elif _lasts(one) > _lasts(same[-1]):
            same[-1] = one.model_copy(update={"since": same[-1].since})
    return sorted((one for same in found.values() for one in same), key=_lasts, reverse=True)


def _lasts(one: DoNotContact) -> tuple[bool, float, float]:
    return one.until is None, one.until.timestamp() if one.until else 0.0, -one.since.timestamp()


def _ordered(entries: Iterable[DoNotContact]) -> list[DoNotContact]:
    return sorted(entries, key=lambda one: (one.channel, one.source, one.reason, one.since))
