"""HTTP of contacts: register, change, find and merge contacts, their consents and quality, and whose identifiers are."""

from services.contacts.api.confirmations import public as public_confirmations, router as confirmations
from services.contacts.api.consents import router as consents
from services.contacts.api.contacts import router as contacts
from services.contacts.api.disclosure import router as disclosure
from services.contacts.api.do_not_contact import lists as do_not_contact_lists, router as do_not_contact
from services.contacts.api.documents import router as documents
from services.contacts.api.duplicates import router as duplicates
from services.contacts.api.erasures import router as erasures
from services.contacts.api.exports import router as exports
from services.contacts.api.fields import router as fields
from services.contacts.api.forms import public as public_forms, registering as forms
from services.contacts.api.history import router as history
from services.contacts.api.identities import router as identities
from services.contacts.api.imports import MAX_FILE_BYTES, PATH as IMPORTS, router as imports
from services.contacts.api.link_keys import router as link_keys
from services.contacts.api.links import router as links
from services.contacts.api.mappings import router as mappings
from services.contacts.api.merges import router as merges
from services.contacts.api.permissions import router as permissions
from services.contacts.api.preferences import public as public_preferences, router as preferences
from services.contacts.api.problems import PROBLEMS
from services.contacts.api.quality import router as quality
from services.contacts.api.reassignments import router as reassignments
from services.contacts.api.stages import router as stages
from services.contacts.api.survivorship import router as survivorship

__all__ = [
    "IMPORTS",
    "MAX_FILE_BYTES",
    "PROBLEMS",
    "confirmations",
    "consents",
    "contacts",
    "disclosure",
    "do_not_contact",
    "do_not_contact_lists",
    "documents",
    "duplicates",
    "erasures",
    "exports",
    "fields",
    "forms",
    "history",
    "identities",
    "imports",
    "link_keys",
    "links",
    "mappings",
    "merges",
    "permissions",
    "preferences",
    "public_confirmations",
    "public_forms",
    "public_preferences",
    "quality",
    "reassignments",
    "stages",
    "survivorship",
]
