"""HTTP of contacts: register, change and find contacts, their consents and quality, and whose identifiers are."""

from services.contacts.api.contacts import router as contacts
from services.contacts.api.identities import router as identities
from services.contacts.api.problems import PROBLEMS
from services.contacts.api.quality import router as quality

__all__ = ["PROBLEMS", "contacts", "identities", "quality"]
