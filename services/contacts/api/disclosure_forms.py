"""The export event by event, in bytes: what a form of it is, and the one for machines."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

import orjson

from services.contacts.handlers.disclosing import Began, Event, Told
from shared.contracts.contacts import Contact


class Form(Protocol):
    """One way to write it down. `missing`: whose part is not there, or not whole, and why."""

    missing: dict[str, str]

    def head(self) -> bytes: ...

    def of(self, event: Event) -> bytes: ...

    def foot(self) -> bytes: ...


async def written(form: Form, events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    """In pieces, as they come."""
    yield form.head()
    async for event in events:
        yield form.of(event)
    yield form.foot()


class Json:
    """One document: `services` holds a list of sections each, in pieces; `missing` who could not answer, and why."""

    def __init__(self, contact: Contact, now: datetime) -> None:
        self.missing: dict[str, str] = {}
        self._about = {"customer_id": contact.customer_id, "also_known_as": contact.absorbed, "made_at": now}
        self._between = b""

    def head(self) -> bytes:
        return orjson.dumps(self._about)[:-1] + b',"services":{'

    def of(self, event: Event) -> bytes:
        between, self._between = self._between, b","
        match event:
            case Began(service):
                self._between = b""
                return between + orjson.dumps(service) + b":["
            case Told(section, about, items):
                return between + orjson.dumps({"section": section, "about": about, "items": items})
        if event.missing is not None:
            self.missing[event.service] = event.missing
        return b"]"

    def foot(self) -> bytes:
        return b'},"missing":%s,"complete":%s}' % (orjson.dumps(self.missing), orjson.dumps(not self.missing))
