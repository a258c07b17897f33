"""What contacts holds on a customer, for the export of it."""

from services.contacts.store.held.consents import confirmations, consents, preference_links
from services.contacts.store.held.files import kept_files, refused_rows, shown_rows
from services.contacts.store.held.handling import accesses, changes, restrictions
from services.contacts.store.held.others import conflicts, duplicates, linked_by, merges
from services.contacts.store.held.record import contact, documents, identifiers
from shared.held import Held
from shared.mongo import Database

SECTIONS = (
    contact, identifiers, consents, confirmations, preference_links, changes, merges, conflicts, documents, linked_by, duplicates,
    refused_rows, shown_rows, restrictions, accesses,
)  # fmt: skip
"""In the order in which they are told."""


def held(database: Database, country: str | None = None) -> Held:
    """`country`: where telephone numbers are of that say none."""
    return Held("contacts", [*(section(database) for section in SECTIONS), kept_files(database, country)])
