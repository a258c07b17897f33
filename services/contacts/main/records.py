"""The parts about what a record is beyond its contact: fields of a company's own, links, the life cycle, documents, reassigning,
survivorship.
"""

from functools import partial

from services.contacts import api
from services.contacts.clients import Clamd
from services.contacts.handlers.attaching import Attaching
from services.contacts.handlers.defining import Defining
from services.contacts.handlers.hierarchies import Hierarchies
from services.contacts.handlers.linking import Linking
from services.contacts.handlers.reassigning import Reassigning
from services.contacts.handlers.ruling import Ruling
from services.contacts.handlers.staging import Lapsing, Staging
from services.contacts.handlers.tracing import Tracing
from services.contacts.jobs import (
    judge_by_changed_rules,
    keep_fields_current,
    keep_rules_current,
    reassign,
    sweep_documents,
    work_on_fields,
)
from services.contacts.main.parts import Base, Part
from services.contacts.store import DocumentStore, FieldStore, LinkStore, ReassignmentStore, RuleStore

MEGABYTE = 1_000_000


def fields(base: Base) -> Part:
    kept, transact = FieldStore(base.plumbing.database), base.plumbing.messaging.transact
    defining = Defining(kept, base.store, base.catalogue, transact, base.settings.instance, base.country)
    return Part(
        [api.fields(defining)],
        [kept.prepare, defining.refresh],
        [partial(keep_fields_current, defining), partial(work_on_fields, defining)],
    )


def survivorship(base: Base) -> Part:
    kept, transact = RuleStore(base.plumbing.database), base.plumbing.messaging.transact
    ruling = Ruling(kept, base.store, base.clock, transact, base.settings.instance, base.country)
    return Part(
        [api.survivorship(ruling, Tracing(base.store, base.country), base.seeing)],
        [kept.prepare, ruling.refresh],
        [partial(keep_rules_current, ruling), partial(judge_by_changed_rules, ruling)],
    )


def reassignments(base: Base) -> Part:
    kept, messaging = ReassignmentStore(base.plumbing.database), base.plumbing.messaging
    reassigning = Reassigning(kept, base.store, base.clock, messaging.transact, base.settings.instance, base.country)
    return Part([api.reassignments(reassigning, messaging)], [kept.prepare], [partial(reassign, reassigning)])


def links(base: Base) -> Part:
    linked = LinkStore(base.plumbing.database)
    linking = Linking(base.store, linked, base.clock, base.country)
    routes = api.links(linking, Hierarchies(linking, linked), base.plumbing.messaging, base.seeing)
    return Part([routes], [linked.prepare])


def life_cycle(base: Base) -> tuple[Staging, Part]:
    lapsing = Lapsing(base.settings.contacts_lapsed_days)
    staging = Staging(base.store, base.store, base.clock, lapsing, base.country)
    return staging, Part([api.stages(staging, base.plumbing.messaging, base.seeing)])


def documents(base: Base) -> Part:
    settings, kept = base.settings, DocumentStore(base.plumbing.database)
    scanner = None
    if settings.contacts_clamd is not None:
        host, _, port = settings.contacts_clamd.rpartition(":")
        scanner = Clamd(host, int(port))
    max_bytes = settings.contacts_document_mb * MEGABYTE
    attaching = Attaching(kept, base.store, base.plumbing.messaging.transact, max_bytes, scanner)
    return Part(
        [api.documents(attaching, base.seeing, base.plumbing.messaging)],
        [kept.prepare],
        [partial(sweep_documents, kept.sweep)],
    )
