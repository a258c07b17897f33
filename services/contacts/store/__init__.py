"""What contacts keeps in MongoDB."""

from services.contacts.store.contacts import MongoStore
from services.contacts.store.documents import DocumentStore
from services.contacts.store.expiry import ExpiryStore
from services.contacts.store.exports import ExportStore
from services.contacts.store.fields import FieldStore
from services.contacts.store.forms import FormStore
from services.contacts.store.history import HistoryStore
from services.contacts.store.imports import ImportStore
from services.contacts.store.learning import ModelStore
from services.contacts.store.link_keys import LinkKeyStore
from services.contacts.store.links import LinkStore
from services.contacts.store.match_progress import MatchProgress
from services.contacts.store.matching import MatchStore
from services.contacts.store.permissions import PermissionStore
from services.contacts.store.preferences import ConfirmationStore, LinkNumberStore
from services.contacts.store.quality import QualityStore
from services.contacts.store.reassignments import ReassignmentStore
from services.contacts.store.review import ReviewStore
from services.contacts.store.ruling import RuleStore
from services.contacts.store.wanted import WantedStore

__all__ = [
    "ConfirmationStore",
    "DocumentStore",
    "ExpiryStore",
    "ExportStore",
    "FieldStore",
    "FormStore",
    "HistoryStore",
    "ImportStore",
    "LinkKeyStore",
    "LinkNumberStore",
    "LinkStore",
    "MatchProgress",
    "MatchStore",
    "ModelStore",
    "MongoStore",
    "PermissionStore",
    "QualityStore",
    "ReassignmentStore",
    "ReviewStore",
    "RuleStore",
    "WantedStore",
]
