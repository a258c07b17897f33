"""What is different of customers from what was loaded: their contacts, what they are known by, how they are reached. Pure."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from services.contacts.domain.barring import REACHED, addresses
from services.contacts.domain.survivorship import Known
from shared.contracts.contacts import Contact

Customers: TypeAlias = Mapping[str, Known]


def differing(loaded: Customers, current: Customers) -> list[Known]:
    return [known for customer, known in current.items() if known != loaded.get(customer)]


def identified(loaded: Customers, some: Iterable[Known]) -> dict[str, str]:
    """Whose identifiers are from now on that nobody had."""
    found: dict[str, str] = {}
    for known in some:
        customer = known.contact.customer_id
        held = loaded[customer].contact.identifiers if customer in loaded else []
        new = {str(one) for one in known.contact.identifiers} - {str(one) for one in held}
        found.update(dict.fromkeys(new, customer))
    return found


def moved(loaded: Customers, current: Customers) -> list[Contact]:
    """The contacts that have other addresses or numbers than before."""
    return [known.contact for customer, known in current.items() if _has_moved(loaded.get(customer), known)]


def _has_moved(before: Known | None, known: Known) -> bool:
    # What nobody has spoken of is the very same object, and addresses take time to spell.
    if before is not None and all(getattr(before.contact, one) is getattr(known.contact, one) for one in REACHED):
        return False
    return (addresses(before.contact) if before else frozenset()) != addresses(known.contact)
