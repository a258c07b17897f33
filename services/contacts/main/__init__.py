"""Contacts, put together. Run it with `uvicorn --factory services.contacts.main:create`."""

from datetime import timedelta
from functools import partial

from fastapi import FastAPI

from services.contacts import api
from services.contacts.clients import Holder, RedisLimiter
from services.contacts.consumers import listen
from services.contacts.domain.access import Sensitive
from services.contacts.domain.erasure import Patience
from services.contacts.handlers import Handlers, Merging
from services.contacts.handlers.catalogue import Catalogue
from services.contacts.handlers.confirming import Confirming
from services.contacts.handlers.disclosing import Disclosing
from services.contacts.handlers.erasing import Erasures
from services.contacts.handlers.exporting import Exporting
from services.contacts.handlers.following import Following
from services.contacts.handlers.forgetting import Forgetting
from services.contacts.handlers.forms import Leads
from services.contacts.handlers.importing import Importing
from services.contacts.handlers.learning import Learning
from services.contacts.handlers.looking_back import LookingBack
from services.contacts.handlers.matching import Matching
from services.contacts.handlers.measuring import Measuring
from services.contacts.handlers.reaching import Reaching
from services.contacts.handlers.reviewing import Reviewing, Unasked
from services.contacts.handlers.rows import Rows
from services.contacts.handlers.seeing import Seeing
from services.contacts.handlers.staging import Staging
from services.contacts.jobs import (
    follow_contacts,
    import_files,
    learn_regularly,
    look_through_the_log,
    make_findable,
    measure_quality,
    watch_erasures,
)
from services.contacts.main import consents, records
from services.contacts.main.parts import Base, Part
from services.contacts.settings import ContactSettings
from services.contacts.store import (
    DocumentStore,
    ExportStore,
    FieldStore,
    FormStore,
    ImportStore,
    MatchProgress,
    MatchStore,
    ModelStore,
    MongoStore,
    QualityStore,
    ReviewStore,
    WantedStore,
)
from services.contacts.store.erased_names import ErasedNames
from services.contacts.store.erasing import STEPS, ErasureStore
from services.contacts.store.held import held
from services.contacts.store.secret import Secret
from services.contacts.store.unlinking import Unlinked
from shared.audit import AuditLog, audit_routes
from shared.clock import clock
from shared.erasing import Erasing, Terms
from shared.held import held_routes
from shared.http import add_problems
from shared.idle import Idle
from shared.leases import MongoLease
from shared.messaging import duplicates
from shared.messaging.ages import Log
from shared.plumbing import Plumbing


def create(settings: ContactSettings | None = None) -> FastAPI:
    settings = settings or ContactSettings()
    plumbing = Plumbing("contacts", settings)
    secret = Secret(plumbing.database, settings.contacts_secret)
    store, trail = MongoStore(plumbing.database, secret), AuditLog(plumbing.database)
    catalogue = Catalogue(FieldStore(plumbing.database).all)
    seeing = Seeing(store, trail, Sensitive(settings.contacts_sensitive, catalogue.secret))
    base = Base(settings, plumbing, store, clock(settings, plumbing.database), trail, seeing, catalogue)
    erasures, erasing = _erasures(base, secret)
    merging = Merging(base.store, base.clock, base.country, erasures.after_merge)
    staging, life_cycle = records.life_cycle(base)
    keys, link_keys = consents.link_keys(base, secret)
    confirming, confirmations = consents.confirmations(base, keys)
    parts = [
        erasing,
        Part([api.merges(merging, base.store, plumbing.messaging, seeing)]),
        _duplicates(base, merging),
        _quality(base),
        _files(base, secret),
        _forms(base, confirming),
        records.fields(base),
        records.survivorship(base),
        records.reassignments(base),
        records.links(base),
        life_cycle,
        records.documents(base),
        consents.expiry(base),
        consents.permissions(base),
        consents.do_not_contact(base),
        link_keys,
        confirmations,
        consents.preferences(base, keys),
        # Last: the path of a contact's id would take the others' paths for its own.
        _disclosure(base),
        _contacts(base, erasures, staging, confirming),
    ]
    app = plumbing.app(
        title="Contacts",
        description="Who the customers are: people, organisations and households, their identifiers, consents and quality.",
        routers=[router for part in parts for router in part.routers],
        prepare=[base.store.prepare, *(ready for part in parts for ready in part.prepare)],
        jobs=[job for part in parts for job in part.jobs],
        close=[last for part in parts for last in part.close],
        larger_bodies={api.IMPORTS: api.MAX_FILE_BYTES},
    )
    add_problems(app, api.PROBLEMS)
    return app


def _contacts(base: Base, erasures: Erasures, staging: Staging, confirming: Confirming) -> Part:
    handlers = Handlers(base.store, base.clock, duplicates.fresh, base.country, base.catalogue)
    listen(base.plumbing.messaging, handlers, erasures, staging if base.settings.contacts_lifecycle else None)
    having = WantedStore(base.plumbing.database)
    back = LookingBack(base.store, base.store.history)
    exporting = Exporting(ExportStore(base.plumbing.database), base.clock, base.country, base.store.rulebook)
    return Part(
        routers=[
            api.exports(exporting, handlers, base.seeing),
            api.contacts(handlers, base.store, having, base.plumbing.messaging, base.seeing, back),
            api.consents(handlers, confirming, base.store, base.plumbing.messaging, base.seeing),
            api.history(base.seeing, back),
            api.identities(handlers, base.plumbing.messaging),
        ],
        prepare=[having.prepare],
        jobs=[partial(make_findable, base.store.make_findable)],
    )


def _disclosure(base: Base) -> Part:
    own, key = held(base.plumbing.database, base.country), base.settings.internal_key
    others = [Holder(service, url, key) for service, url in base.settings.others.items()]
    routers = [
        api.disclosure(base.seeing, Disclosing(own, others, DocumentStore(base.plumbing.database))),
        held_routes(own, base.trail),
        audit_routes(base.trail),
    ]
    return Part(routers, [base.trail.prepare, *(one.open for one in others)], close=[one.close for one in others])


def _duplicates(base: Base, merging: Merging) -> Part:
    settings, messaging = base.settings, base.plumbing.messaging
    matches = MatchStore(base.plumbing.database)
    queue = ReviewStore(matches)
    reviewing = Reviewing(queue, base.store, merging)
    matching = Matching(matches, base.clock, Unasked(reviewing, messaging.transact).merge)
    progress = MatchProgress(base.plumbing.database, matches)
    following = Following(progress, matching, settings.instance, settings.contacts_matching_share, Idle())
    learning = Learning(ModelStore(base.plumbing.database, matches), base.clock, settings.instance)
    jobs = [partial(follow_contacts, following), partial(learn_regularly, learning)]
    return Part([api.duplicates(reviewing, queue, messaging, base.seeing)], [matches.prepare], jobs)


def _quality(base: Base) -> Part:
    share = base.settings.contacts_quality_share
    reports = QualityStore(base.plumbing.database)
    instance, rulebook = base.settings.instance, base.store.rulebook
    measuring = Measuring(reports, base.clock, instance, share, base.country, rulebook, Idle())
    return Part([api.quality(measuring, base.seeing)], jobs=[partial(measure_quality, measuring)])


def _erasures(base: Base, secret: Secret) -> tuple[Erasures, Part]:
    settings, plumbing = base.settings, base.plumbing
    ledger = ErasureStore(plumbing.database, secret)
    settle = Terms(timedelta(seconds=settings.erasure_settle_seconds))
    steps = [*STEPS, Unlinked(base.store, base.clock, base.country)]
    erasing = Erasing("contacts", plumbing.database, plumbing.messaging, steps, settle)
    alarm = timedelta(days=settings.contacts_erasure_alarm_days)
    patience = Patience(place=alarm, before_deadline=alarm)
    days, lists = settings.contacts_erasure_days, base.store.lists
    erasures = Erasures(base.store, lists, ledger, erasing, erasing.tombstones, days, patience)
    lease = MongoLease(plumbing.database, "log-lease")
    files = ImportStore(plumbing.database)
    forgetting = Forgetting(Log(settings), files, ledger, lease, settings.instance, plumbing.messaging.transact)
    return erasures, Part(
        [api.erasures(erasures, ledger, plumbing.messaging)],
        [ledger.prepare, erasing.prepare],
        [
            erasing.carry_out,
            partial(watch_erasures, erasures),
            partial(look_through_the_log, forgetting, settings.contacts_log_look_seconds),
        ],
    )


def _files(base: Base, secret: Secret) -> Part:
    files, erased = ImportStore(base.plumbing.database), ErasedNames(base.plumbing.database, secret)
    rows = Rows(base.clock, base.country, base.catalogue)
    importing = Importing(files, base.store, rows, erased, base.plumbing.messaging.transact, base.settings.instance)
    return Part(
        [api.mappings(files), api.imports(files, base.seeing)], [files.prepare], [partial(import_files, importing)]
    )


def _forms(base: Base, confirming: Confirming) -> Part:
    forms = FormStore(base.plumbing.database)
    limiter = RedisLimiter(base.settings.redis_url, base.settings.namespace)
    transact = base.plumbing.messaging.transact
    reaching = Reaching(base.store, base.store.lists)
    leads = Leads(base.store, limiter, base.clock, transact, reaching, base.country, base.catalogue, confirming)
    public = api.public_forms(forms, leads, base.settings.contacts_proxies)
    return Part([api.forms(forms), public], [forms.prepare], close=[limiter.close])
