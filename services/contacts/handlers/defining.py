"""Defining fields while everything runs: what each instance knows of them, and what becomes of values when they change."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from services.contacts.domain.fields import MAX_FIELDS, MAX_SEARCHABLE, Definition, Rules, Sensitivity, misfit
from services.contacts.domain.reconsidering import cleared, moved
from services.contacts.domain.survivorship import Known, after_all_said, milliseconds
from services.contacts.handlers.book import Store, open_book
from services.contacts.handlers.catalogue import Catalogue, Field, Place
from shared.clock import WallClock
from shared.leases import Lease, UnderWay, leased
from shared.messaging import Transact, Unit
from shared.mongo import Session

CURRENT = timedelta(seconds=5)
"""After so long every instance knows a change: it asks every second, and does not write if it cannot read."""
PIECE = 100
"""Contacts that are changed in one transaction."""


class NoSuchField(LookupError):
    """Nobody has defined this field."""


class ValuesDoNotFit(ValueError):
    """So many contacts have a value that the definition would not take."""

    def __init__(self, count: int, reasons: Mapping[str, int]) -> None:
        super().__init__(count)
        self.count = count
        self.reasons = reasons


class NotNow(ValueError):
    """The field, or all fields together, do not allow it; the message says why."""


class Fields(Protocol):
    """Where definitions are kept."""

    lease: Lease

    async def all(self, session: Session | None = None) -> dict[str, Field]: ...

    async def save(self, name: str, field: Field, session: Session | None = None) -> None: ...

    async def remove(self, name: str, session: Session | None = None) -> None: ...

    def values(self, name: str) -> AsyncIterator[Any]: ...

    async def having(
        self, name: str, place: Place, after: str, limit: int, session: Session | None
    ) -> Sequence[str]: ...

    async def index(self, name: str, sensitivity: Sensitivity) -> None: ...

    async def forget_index(self, name: str) -> None: ...


class Defining:
    """The use cases of fields."""

    def __init__(
        self,
        fields: Fields,
        store: Store,
        catalogue: Catalogue,
        transact: Transact[Field],
        owner: str,
        country: str | None,
    ) -> None:
        self.fields = fields
        self.store = store
        self.catalogue = catalogue
        self.transact = transact
        self.owner = owner
        self.country = country
        # Leases and changes of definitions are of the platform's own time, not of a history that is being played.
        self.clock = WallClock()

    async def refresh(self) -> None:
        """Know what is defined now."""
        self.catalogue.learn(await self.fields.all())

    async def define(self, name: str, new: Definition) -> Field:
        """Define a field, or change it. Raises ValuesDoNotFit, NotNow."""
        fields = await self.fields.all()
        before = fields.get(name)
        self._check(name, new, fields)
        if before is None or _rules(before.definition) != _rules(new):
            await self._check_values(name, new)
        placed = before is not None and _secret(before.definition) == _secret(new)
        if before and (not new.searchable or not placed):
            await self.fields.forget_index(name)
        if new.searchable:
            await self.fields.index(name, new.sensitivity)
        # Values that were there before anybody defined the field stand among those that everybody sees.
        moves = not placed if before else _secret(new)
        due = await self.clock.now() + CURRENT
        field = Field(new, "move", "", due) if moves else replace(before or Field(new), definition=new)
        await self.fields.save(name, field)
        await self.refresh()
        return field

    @staticmethod
    def _check(name: str, new: Definition, fields: Mapping[str, Field]) -> None:
        others = [field for other, field in fields.items() if other != name]
        if name in fields and fields[name].work == "drop":
            raise NotNow("its values are being dropped; define it again when it is gone")
        if len(others) >= MAX_FIELDS:
            raise NotNow(f"at most {MAX_FIELDS} fields can be defined")
        if new.searchable and sum(one.definition.searchable for one in others) >= MAX_SEARCHABLE:
            raise NotNow(f"at most {MAX_SEARCHABLE} fields can be searchable")

    async def _check_values(self, name: str, new: Definition) -> None:
        reasons: dict[str, int] = {}
        async for value in self.fields.values(name):
            if reason := misfit(new, value):
                reasons[reason] = reasons.get(reason, 0) + 1
        if reasons:
            raise ValuesDoNotFit(sum(reasons.values()), reasons)

    async def delete(self, name: str, *, drop: bool) -> Field | None:
        """Forget a field, and keep its values as attributes that nobody has defined, or drop them; then what is left to be done.

        Raises NoSuchField, NotNow.
        """
        field = (await self.fields.all()).get(name)
        if field is None:
            raise NoSuchField(name)
        if not drop and (_secret(field.definition) or field.work):
            raise NotNow("values of a sensitive field would be seen by everybody; drop them, or make it internal first")
        await self.fields.forget_index(name)
        if drop:
            field = Field(field.definition, "drop", "", await self.clock.now() + CURRENT)
            await self.fields.save(name, field)
        else:
            await self.fields.remove(name)
        await self.refresh()
        return field if drop else None

    async def work_if_due(self) -> None:
        """Do what is left to be done of changed fields, if no other instance is at it. Raises LeaseLost."""
        now = await self.clock.now()
        if not any(field.work and field.due and field.due <= now for field in (await self.fields.all()).values()):
            return
        with suppress(UnderWay):
            async with leased(self.fields.lease, self.owner, "Work on fields"):
                for name, field in (await self.fields.all()).items():
                    if field.work and field.due and field.due <= now:
                        await self._work(name, field)

    async def _work(self, name: str, field: Field) -> None:
        """Piece by piece; where it is interrupted, it goes on."""
        while field.work:
            field = await self.transact(partial(self._piece, name, field))

    async def _piece(self, name: str, field: Field, unit: Unit) -> Field:
        """The next contacts, with how far it is got. A field that was changed meanwhile is left to the next round."""
        current = (await self.fields.all(unit.session)).get(name)
        if current != field:
            return replace(field, work=None)
        to: Place = "sensitive" if _secret(field.definition) else "attributes"
        source: Place = "attributes" if to == "sensitive" else "sensitive"
        places: Sequence[Place] = ("attributes", "sensitive") if field.work == "drop" else (source,)
        customers: list[str] = []
        for place in places:
            customers += await self.fields.having(name, place, field.after, PIECE, unit.session)
        customers = sorted(set(customers))[:PIECE]
        book = await open_book(self.store, unit, customers, await self.clock.now(), self.country)
        for customer in customers:
            known = book.current[customer]
            if field.work == "drop":
                book.take(_dropped(known, name, book.now))
            else:
                book.take(moved(known, name, source, to, book.rules))
        await book.save(self.store)
        return await self._reached(unit, name, field, customers)

    async def _reached(self, unit: Unit, name: str, field: Field, customers: Sequence[str]) -> Field:
        if customers:
            field = replace(field, after=customers[-1])
            await self.fields.save(name, field, unit.session)
            return field
        if field.work == "drop":
            await self.fields.remove(name, unit.session)
        else:
            await self.fields.save(name, replace(field, work=None), unit.session)
        return replace(field, work=None)


def _dropped(known: Known, name: str, now: datetime) -> Known:
    at = milliseconds(after_all_said([known], now))
    return cleared(cleared(known, f"attributes.{name}", at), f"sensitive.{name}", at)


def _rules(definition: Definition) -> dict[str, Any]:
    return definition.model_dump(include=set(Rules.model_fields))


def _secret(definition: Definition) -> bool:
    return definition.sensitivity == "sensitive"
