"""The parts about what customers allow: whether we may approach them, grants that run out, and who is not to be contacted."""

from functools import partial

from services.contacts import api
from services.contacts.handlers.barring import Barring, Listing
from services.contacts.handlers.expiring import Expiring
from services.contacts.handlers.permitting import Permitting
from services.contacts.jobs import hold_lists, sweep_lists, tell_expired_consents
from services.contacts.main.parts import Base, Part
from services.contacts.store import GrantStore, PermissionStore


def expiry(base: Base) -> Part:
    grants, transact = GrantStore(base.plumbing.database), base.plumbing.messaging.transact
    expiring = Expiring(grants, base.store, base.clock, transact, base.settings.instance, base.country)
    return Part(prepare=[grants.prepare], jobs=[partial(tell_expired_consents, expiring)])


def permissions(base: Base) -> Part:
    permitting = Permitting(PermissionStore(base.plumbing.database), base.clock)
    return Part([api.permissions(permitting, base.seeing)])


def do_not_contact(base: Base) -> Part:
    messaging, lists = base.plumbing.messaging, base.store.lists
    barring = Barring(base.store, base.clock, base.country)
    listing = Listing(lists, base.store, base.clock, messaging.transact, base.settings.instance, base.country)
    routers = [api.do_not_contact(barring, messaging), api.do_not_contact_lists(listing)]
    return Part(routers, jobs=[partial(hold_lists, listing), partial(sweep_lists, listing)])
