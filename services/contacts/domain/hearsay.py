"""What forms on the web say: nobody has shown who sent them. How far their word carries. Pure.

A form speaks of a lead of its own, which is known by nothing but what the form was given. Whoever has it merged with somebody, or
knows it by more, has not vouched for the rest of it.
"""

from shared.contracts.contacts import Contact
from shared.contracts.fact import Identifier

FORMS = "/forms/"
"""Of the sources that nobody has shown to be who they say."""
LEAD, CLAIM = "form", "form-claim"
"""Schemes of what leads are known by; a claim names somebody who is known already, and says it was them."""
MOST_LEADS = 20
"""By one address. Each but the last has become somebody."""
LONGEST = 240
"""Characters of an address, with room for a number behind it."""


def vouched(source: str) -> bool:
    """Whether somebody whom we know stands behind it."""
    return not source.startswith(FORMS)


def of_forms(contact: Contact) -> bool:
    """Whether something of it, or of who was merged into it, was said by a form."""
    return any(one.scheme in {LEAD, CLAIM} for one in contact.identifiers)


def only_a_lead(contact: Contact) -> bool:
    """Whether nobody but a form knows it, and it claims to be nobody whom others know."""
    return bool(contact.identifiers) and all(one.scheme == LEAD for one in contact.identifiers)


def still_a_lead(contact: Contact) -> bool:
    """Whether nobody but a form knows it: what a form says again may be said of it."""
    return all(one.scheme in {LEAD, CLAIM} for one in contact.identifiers)


def leads(given: Identifier, *, claim: bool) -> list[Identifier]:
    """What the leads of an address or number are known by, in the order in which they are made."""
    scheme, value = CLAIM if claim else LEAD, given.value.lower()
    others = (f"{value[:LONGEST]} {number}" for number in range(2, MOST_LEADS + 1))
    return [Identifier(scheme=scheme, value=one) for one in (value, *others)]
