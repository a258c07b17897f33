"""What somebody is known again by, wherever they are spoken of: their ids, their e-mail addresses, their telephone numbers,
each in one spelling. Names of people and postal addresses are many people's, and tell nobody apart. Pure.
"""

import hmac
import re
from collections.abc import Collection, Iterable

from services.contacts.domain.identities import spelling
from services.contacts.domain.values import email as emails, phone as phones
from shared.contracts.contacts import Contact

OWN_ID = "="
"""In the place of a scheme, which no channel can have: a customer's own id."""
DIGEST_BYTES = 16
NO_DIGIT = re.compile(r"[^0-9]+")


def name(scheme: str, value: str) -> str:
    """One spelling of an identifier, as `email:ann@example.org`."""
    return f"{scheme}:{spelling(scheme, value)}"


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


class Sought:
    """Names that are looked for among very many. To understand an address or a number takes 50 us, so it is only done where it may
    come to one of these; what is written plainly (ASCII, and numbers without letters) and has nothing of them cannot.
    """

    def __init__(self, names: Collection[str]) -> None:
        self.names = frozenset(names)
        mails, numbers = (_values(names, scheme) for scheme in ("email", "phone"))
        self._boxes = frozenset(f"{one.partition('@')[0]}@" for one in mails if "@" in one)
        self._endings = frozenset(ending for one in numbers if (ending := phones.ending(one)))

    def mail_names(self, typed: str) -> set[str]:
        """Of `mail_names` at least those that are looked for."""
        written = typed.lower()
        if typed.isascii() and not any(box in written for box in self._boxes):
            return {name("email", typed)}
        return mail_names(typed)

    def phone_names(self, typed: str, country: str | None) -> set[str]:
        """Of `phone_names` at least those that are looked for."""
        plain = typed.isascii() and typed.lower() == typed.upper()
        if plain and not any(ending in NO_DIGIT.sub("", typed) for ending in self._endings):
            return {name("phone", typed)}
        return phone_names(typed, country)


def _values(names: Iterable[str], scheme: str) -> list[str]:
    return [one.partition(":")[2] for one in names if one.startswith(f"{scheme}:")]


def digest(key: bytes, named: str) -> bytes:
    """What is kept of a name that must not be kept: nobody works it out, or tries names, without the key."""
    return hmac.digest(key, named.encode(), "sha256")[:DIGEST_BYTES]
