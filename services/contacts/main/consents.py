"""The parts about what customers allow: whether we may approach them, grants that run out, and who is not to be contacted;
and the links by which customers say it themselves.
"""

from datetime import timedelta
from functools import partial

from services.contacts import api
from services.contacts.api.anybody import Gate
from services.contacts.clients import RedisLimiter
from services.contacts.handlers.barring import Barring, Listing
from services.contacts.handlers.confirming import Confirming
from services.contacts.handlers.expiring import Expiring
from services.contacts.handlers.permitting import Permitting
from services.contacts.handlers.preferring import Preferring
from services.contacts.handlers.reaching import Reaching
from services.contacts.handlers.rotating import Rotating
from services.contacts.jobs import hold_lists, sweep_lists, tell_expired_consents
from services.contacts.main.parts import Base, Part
from services.contacts.store import ConfirmationStore, ExpiryStore, LinkKeyStore, LinkNumberStore, PermissionStore
from services.contacts.store.secret import Secret


def expiry(base: Base) -> Part:
    grants, transact = ExpiryStore(base.plumbing.database), base.plumbing.messaging.transact
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


def link_keys(base: Base, secret: Secret) -> tuple[LinkKeyStore, Part]:
    kept = LinkKeyStore(base.plumbing.database, secret, base.settings.contacts_link_secrets)
    return kept, Part([api.link_keys(Rotating(kept), base.plumbing.messaging)], [kept.prepare])


def confirmations(base: Base, keys: LinkKeyStore) -> tuple[Confirming, Part]:
    kept, settings = ConfirmationStore(base.plumbing.database), base.settings
    life = timedelta(days=settings.contacts_confirmation_days)
    reaching = Reaching(base.store, base.store.lists)
    confirming = Confirming(base.store, reaching, kept, base.clock, keys.ring, life, base.country)
    limiter = RedisLimiter(settings.redis_url, settings.namespace)
    gate = Gate(limiter, "confirm", settings.contacts_proxies, settings.contacts_public_per_minute)
    routers = [
        api.confirmations(confirming, base.seeing, settings.contacts_public_url),
        api.public_confirmations(confirming, base.plumbing.messaging, gate, settings.contacts_names),
    ]
    return confirming, Part(routers, [kept.prepare], close=[limiter.close])


def preferences(base: Base, keys: LinkKeyStore) -> Part:
    numbers, settings, messaging = LinkNumberStore(base.plumbing.database), base.settings, base.plumbing.messaging
    preferring = Preferring(base.store, numbers, base.clock, keys.ring, base.seeing.sensitive, base.country)
    limiter = RedisLimiter(settings.redis_url, settings.namespace)
    gate = Gate(limiter, "preferences", settings.contacts_proxies, settings.contacts_public_per_minute)
    routers = [
        api.preferences(preferring, messaging, base.seeing, settings.contacts_public_url),
        api.public_preferences(preferring, messaging, gate, settings.contacts_names),
    ]
    return Part(routers, [numbers.prepare], close=[limiter.close])
