"""What somebody is known again by, wherever they are spoken of: their ids, their e-mail addresses, their telephone numbers,
each in one spelling. Names of people and postal addresses are many people's, and tell nobody apart. Pure.
"""

import hmac
from collections.abc import Iterable

from services.contacts.domain.identities import normalised
from services.contacts.domain.values import email as emails, phone as phones
from shared.contracts.contacts import Contact
from shared.contracts.fact import Identifier

OWN_ID = "="
"""In the place of a scheme, which no channel can have: a customer's own id."""
DIGEST_BYTES = 16


def name(scheme: str, value: str) -> str:
    """One spelling of an identifier, as `email:ann@example.org`."""
    return str(normalised(Identifier.model_construct(scheme=scheme, value=value)))


def mail_names(typed: str) -> set[str]:
    """As an identifier has it, and as it is understood."""
    return {name("email", one) for one in (typed, emails.understand(typed).understood) if one}


def phone_names(typed: str, country: str | None) -> set[str]:
    """Likewise. `country`: where a number without one is of."""
    return {name("phone", one) for one in (typed, phones.understand(typed, country).understood) if one}


def names_of(contacts: Iterable[Contact]) -> frozenset[str]:
    """All that these contacts, who are one, are known again by."""
    found: set[str] = set()
    for contact in contacts:
        found.add(f"{OWN_ID}:{contact.customer_id}")
        found |= {str(one) for one in contact.identifiers}
        mails = [contact.email, *(text for one in contact.emails for text in (one.typed, one.understood))]
        numbers = [contact.phone, *(text for one in contact.phones for text in (one.typed, one.understood))]
        found |= {name("email", one) for one in mails if one}
        found |= {name("phone", one) for one in numbers if one}
    return frozenset(found)


def digest(key: bytes, named: str) -> bytes:
    """What is kept of a name that must not be kept: nobody works it out, or tries names, without the key."""
    return hmac.digest(key, named.encode(), "sha256")[:DIGEST_BYTES]
