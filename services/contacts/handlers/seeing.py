"""Contacts as one key may see them: the one place between what is kept and whoever reads it.

Others than those that the key is limited to do not exist for it, nor links to anybody, and sensitive fields are left out unless it
has the scope for them. What must be known later, of who saw what, is in the audit trail before it is answered.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from services.contacts.domain.access import Rows, Sensitive, without_links
from services.contacts.domain.changes import Change
from services.contacts.domain.places import ALONE
from services.contacts.domain.provenance import Origin
from services.contacts.domain.quality.values import Judged
from services.contacts.domain.survivorship import Known
from services.contacts.domain.traits import Wanted
from services.contacts.domain.values.found import At, Found
from services.contacts.handlers.errors import IdentifierTaken, NoSuchContact
from shared.audit import Accessed, Trail
from shared.contracts.contacts import Contact
from shared.contracts.sensitive import SEE_SENSITIVE
from shared.mongo import Session
from shared.security import Principal

TIMES = ("before", "after")
Sample: TypeAlias = Mapping[str, Any]


class Kept(Protocol):
    """The contacts that there are."""

    async def contact(self, customer: str) -> Contact | None: ...

    async def load(self, customers: Collection[str], session: Session | None) -> dict[str, Known]: ...

    async def restricted(self, customers: Collection[str], session: Session | None) -> Collection[str]: ...

    async def page(self, after: str, limit: int, rows: Rows) -> list[Contact]: ...

    async def found(self, typed: str, after: At | None, limit: int, rows: Rows, wanted: Sequence[Wanted]) -> Found: ...

    async def count(self, rows: Rows) -> int: ...


class Seeing:
    """Gives each key its view."""

    def __init__(self, kept: Kept, trail: Trail, sensitive: Sensitive) -> None:
        self.kept = kept
        self.trail = trail
        self.sensitive = sensitive

    def by(self, principal: Principal) -> "View":
        return View(self, principal)


class View:
    """What one key sees."""

    def __init__(self, seeing: Seeing, principal: Principal) -> None:
        self.kept, self.trail, self.sensitive = seeing.kept, seeing.trail, seeing.sensitive
        self.principal = principal
        self.rows = Rows(principal.territories, principal.owners)
        self.open = principal.may(SEE_SENSITIVE)

    def may_ask(self, scheme: str) -> bool:
        """Whether it may look for whose an identifier of this scheme is: to find by one is to know it."""
        return self.open or scheme not in self.sensitive

    async def contact(self, customer: str) -> Contact:
        """As it is kept, to be handed on with `shown`. Raises NoSuchContact also for those that the key must not see."""
        contact = await self.kept.contact(customer)
        if contact is None or not self.rows.sees(contact):
            raise NoSuchContact(customer)
        return contact

    async def page(self, after: str, limit: int) -> list[Contact]:
        return await self.kept.page(after, limit, self.rows)

    async def found(self, typed: str, after: At | None, limit: int, wanted: Sequence[Wanted] = ()) -> Found:
        return await self.kept.found(typed, after, limit, self.rows, wanted)

    async def count(self) -> int:
        return await self.kept.count(self.rows)

    async def among(self, customers: Collection[str]) -> set[str]:
        """Those of these roots that the key may see."""
        if self.rows.all:
            return set(customers)
        known = await self.kept.load(customers, None)
        return {customer for customer, one in known.items() if self.rows.sees(one.published)}

    async def tactful(self, taken: IdentifierTaken) -> IdentifierTaken:
        """That an identifier is taken cannot be hidden from who wants it; whose it is can."""
        owner = await self.kept.contact(taken.customer_id) if taken.customer_id else None
        told = owner and self.rows.sees(owner) and self.may_ask(taken.identifier.partition(":")[0])
        return taken if told else IdentifierTaken(taken.identifier, None)

    async def shown(self, action: str, contact: Contact) -> Contact:
        """As the key may see it. Whoever sees sensitive fields is in the audit trail before they see them."""
        return (await self.all_shown(action, [contact]))[0]

    async def all_shown(self, action: str, contacts: Sequence[Contact], *, searched: bool = False) -> list[Contact]:
        """`searched`: asked without naming a contact; of keys that are limited that is kept as well. Whoever is restricted is
        shown, for their data may be contested and mended, and it is said of them.
        """
        restricted = await self.kept.restricted([one.customer_id for one in contacts], None)
        shown = [_marked(self._veiled(one), restricted) for one in contacts]
        fields = [name for one in shown for name in self.sensitive.fields_of(one)]
        if fields or (searched and self.principal.limited):
            told = contacts if searched else [one for one in shown if self.sensitive.fields_of(one)]
            await self.note(action, [one.customer_id for one in told], fields)
        return shown

    async def looks_for(self, action: str) -> None:
        """That a key which is limited has asked is kept before it is known whom it finds."""
        if self.principal.limited:
            await self.note(action, [])

    async def parts_exported(self, parts: Sequence[Known]) -> list[Known]:
        """Contacts with all that is kept of them, as the key may see it. Whatever is in it, an export is in the trail."""
        shown = [self._veiled(one.published) for one in parts]
        fields = [name for one in shown for name in self.sensitive.fields_of(one)]
        await self.note("export", [one.customer_id for one in shown], fields)
        # Nobody's root any more: what all of them make is the contact itself, and nothing of it is left beside.
        return [
            replace(part, contact=contact, place=ALONE, also={}) for part, contact in zip(parts, shown, strict=True)
        ]

    async def origins_shown(self, action: str, customer: str, origins: Sequence[Origin]) -> list[Origin]:
        """Likewise of where fields are from; what else was said of them is as sensitive as they are."""
        fields = [one.field for one in origins if self.sensitive.names(one.field)]
        if not self.open:
            return [one for one in origins if one.field not in fields]
        if fields:
            await self.note(action, [customer], fields)
        return list(origins)

    async def samples_shown(self, action: str, samples: Iterable[Sample]) -> list[Sample]:
        """Likewise of some fields of contacts, as JSON, `before` and `after` something."""
        shown: list[Sample] = [{**one, **{when: self._values_of(one[when]) for when in TIMES}} for one in samples]
        told = [(one["customer_id"], self.sensitive.fields_among(one[when])) for one in shown for when in TIMES]
        if seen := {customer for customer, fields in told if fields}:
            await self.note(action, sorted(seen), [name for _, fields in told for name in fields])
        return shown

    async def values_shown(self, action: str, customer: str, values: Iterable[Judged]) -> list[Judged]:
        """Likewise of values that were judged, some of which have a code of their own."""
        shown = [one for one in values if one.code is None or self.may_ask(one.code)]
        if fields := [one.code for one in shown if one.code is not None and one.code in self.sensitive]:
            await self.note(action, [customer], fields)
        return shown

    async def changes_shown(self, action: str, customer: str, changes: Iterable[Change]) -> list[Change]:
        """Likewise of changes."""
        shown = [self._veiled_in(one) for one in changes]
        if self.open and (fields := [name for one in shown for name in self.sensitive.fields_changed(one)]):
            await self.note(action, [customer], fields)
        return shown

    def _values_of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return dict(values) if self.open else self.sensitive.hidden_among(values)

    def _veiled(self, contact: Contact) -> Contact:
        contact = contact if self.open else self.sensitive.hidden(contact)
        return contact.model_copy(update={"links": []}) if self.principal.limited and contact.links else contact

    def _veiled_in(self, change: Change) -> Change:
        change = change if self.open else self.sensitive.hidden_in(change)
        return without_links(change) if self.principal.limited else change

    async def note(self, action: str, customers: Sequence[str], fields: Iterable[str] = ()) -> None:
        """Into the audit trail. Returns once it is kept."""
        await self.trail.write(Accessed(action, self.principal, customers, sorted(set(fields))))


def _marked(contact: Contact, restricted: Collection[str]) -> Contact:
    return contact.model_copy(update={"restricted": True}) if contact.customer_id in restricted else contact
