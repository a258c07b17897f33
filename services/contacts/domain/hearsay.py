"""What forms on the web say: nobody has shown who sent them. How far their word carries. Pure.

A form speaks of a lead of its own, which is known by nothing but what the form was given. Whoever has it merged with somebody, or
knows it by more, has not vouched for the rest of it.
"""

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
    return vouched(point.source) or (lead and point.purpose != CLAIMED)


def names_of_leads(address: Identifier) -> list[Identifier]:
    """What the leads of an address or number are known by, in the order in which they are made."""
    value = address.value.lower()
    others = (f"{value[:LONGEST]} {number}" for number in range(2, MOST_LEADS + 1))
    return [Identifier(scheme=LEAD, value=one) for one in (value, *others)]
