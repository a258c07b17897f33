"""What forms on the web say: nobody has shown who sent them. How far their word carries. Pure.

A form speaks of a lead of its own, which is known by nothing but what the form was given. Whoever has it merged with somebody, or
knows it by more, has not vouched for the rest of it.
"""

from services.contacts.domain.identities import MAX_VALUE, normalised
from services.contacts.domain.values import email, phone
from shared.contracts.contacts import Contact, Point
from shared.contracts.fact import Identifier

FORMS = "/forms/"
"""Of the sources that nobody has shown to be who they say."""
LEAD = "form"
"""The scheme of what leads are known by."""
CLAIMED = "claimed"
"""The purpose of addresses and numbers that are somebody's already: kept to be looked at, used for nothing."""
MOST_LEADS = 20
"""By one address. Each but the last has become somebody."""
LONGEST = 240
"""Characters of an address, with room for a number behind it."""


def vouched(source: str) -> bool:
    """Whether somebody whom we know stands behind it."""
    return not source.startswith(FORMS)


def of_forms(contact: Contact) -> bool:
    """Whether something of it, or of who was merged into it, was said by a form."""
    return any(one.scheme == LEAD for one in contact.identifiers)


def only_a_lead(contact: Contact) -> bool:
    """Whether nobody but a form knows it."""
    return bool(contact.identifiers) and all(one.scheme == LEAD for one in contact.identifiers)


def usable(point: Point, *, lead: bool) -> bool:
    """Whether somebody may be reached there: what a form has said of it is good for a lead only."""
    return point.purpose != CLAIMED and (lead or vouched(point.source))


def place_of(scheme: str, typed: str) -> Identifier:
    """An e-mail address or number as it is used, however it was typed: else `mailto:ann@b.de` would not be Ann's, and reach her."""
    found = email.understand(typed) if scheme == "email" else phone.understand(typed)
    return normalised(Identifier(scheme=scheme, value=(found.understood or typed)[:MAX_VALUE]))


def reached_at(contact: Contact, place: Identifier) -> bool:
    """Whether the contact is reached there by the word of others than forms."""
    if only_a_lead(contact):
        return False
    if place.scheme == "email":
        held = [contact.email, *(one.understood for one in contact.emails if usable(one, lead=False))]
    else:
        held = [contact.phone, *(one.understood for one in contact.phones if usable(one, lead=False))]
    return place in [place_of(place.scheme, one) for one in held if one]


def names_of_leads(address: Identifier) -> list[Identifier]:
    """What the leads of an address or number are known by, in the order in which they are made."""
    value = address.value
    others = (f"{value[:LONGEST]} {number}" for number in range(2, MOST_LEADS + 1))
    return [Identifier(scheme=LEAD, value=one) for one in (value, *others)]
