"""What the service is put together of: the parts of it, and what each of them is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter

from services.contacts.handlers.catalogue import Catalogue
from services.contacts.handlers.seeing import Seeing
from services.contacts.settings import ContactSettings
from services.contacts.store import MongoStore
from shared.audit import AuditLog
from shared.clock import Clock
from shared.plumbing import Coroutine, Plumbing


@dataclass
class Base:
    """What every part is made of."""

    settings: ContactSettings
    plumbing: Plumbing
    store: MongoStore
    clock: Clock
    trail: AuditLog
    seeing: Seeing
    catalogue: Catalogue

    @property
    def country(self) -> str | None:
        return self.settings.contacts_country


@dataclass
class Part:
    """What the service does about one thing."""

    routers: Sequence[APIRouter] = ()
    prepare: Sequence[Coroutine] = ()
    jobs: Sequence[Coroutine] = ()
    close: Sequence[Coroutine] = ()
