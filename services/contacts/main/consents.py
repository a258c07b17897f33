"""The parts about what customers allow: whether we may approach them, and grants that run out."""

from functools import partial

from services.contacts import api
from services.contacts.handlers.expiring import Expiring
from services.contacts.handlers.permitting import Permitting
from services.contacts.jobs import tell_expired_consents
from services.contacts.main.parts import Base, Part
from services.contacts.store import GrantStore, PermissionStore


def expiry(base: Base) -> Part:
    grants, transact = GrantStore(base.plumbing.database), base.plumbing.messaging.transact
    expiring = Expiring(grants, base.store, base.clock, transact, base.settings.instance, base.country)
    return Part(prepare=[grants.prepare], jobs=[partial(tell_expired_consents, expiring)])


def permissions(base: Base) -> Part:
    permitting = Permitting(PermissionStore(base.plumbing.database), base.clock)
    return Part([api.permissions(permitting, base.seeing)])
