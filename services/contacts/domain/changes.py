"""What is kept of each change of a contact, and how the record of any moment is found from it. Pure.

A change is what others see different under an id, field by field. Those of one id are in the order of its versions, and each says
what was there before, so whoever goes back from today's record through them has the record of any earlier moment.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, TypeAdapter

from services.contacts.domain.points import LISTS as POINTS, merged
from services.contacts.domain.survivorship import MAPS, Known
from shared.contracts.contacts import Contact, Email, Phone, PostalAddress

Kind = Literal["registered", "changed", "merged", "unmerged", "absorbed", "freed"]
"""`merged` and `unmerged`: of who answers for all; `absorbed` and `freed`: of who was merged into another, and out again."""

LISTED = ("identifiers", "consents", "absorbed", *POINTS, "links", "roles", "do_not_contact")
"""Of these only the entries that are gone and those that are new are kept; their order follows from what they are."""
READ: dict[str, TypeAdapter[Any]] = {
    "phones": TypeAdapter(list[Phone]),
    "emails": TypeAdapter(list[Email]),
    "addresses": TypeAdapter(list[PostalAddress]),
}


class NotKnownThen(LookupError):
    """Nothing is known of the customer as of that moment: they were not registered, or the history begins later."""


class HistoryErased(LookupError):
    """Between that moment and now lies a change whose values were erased."""


class FieldChange(NamedTuple):
    """One field, before and after: values as they are in a contact's `model_dump`, None for nothing.

    Of a field that is a list: the entries that are gone, and those that are new. `said_at`: as of when it was said.
    """

    field: str
    before: Any
    after: Any
    said_at: datetime | None = None


@dataclass(frozen=True)
class Author:
    """Who is behind a change, as far as it is known."""

    source: str = ""
    """The channel or the key, as in a statement; empty: what follows from other data."""
    by: str | None = None
    """The key's name."""
    reason: str | None = None
    event_id: str | None = None
    """The channel's event."""


@dataclass(frozen=True)
class Change:
    """One version of what is published under an id, or that another answers for it from now on (`absorbed`)."""

    customer_id: str
    version: int
    """After it."""
    kind: Kind
    recorded_at: datetime
    was_at: datetime
    """When the version before was recorded."""
    of: str
    """Whom it was said of: themselves, or a customer who was one with them then. Of a merge: the other one."""
    fields: tuple[FieldChange, ...]
    among: tuple[str, ...] = ()
    """Who else was part of what was published, before or after it: its values may be theirs."""
    author: Author = Author()
    said_at: datetime | None = None
    merge_id: str | None = None
    into: str | None = None
    """Of `absorbed`: who answers from now on."""
    whole: Contact | None = None
    """Of `absorbed`: what was published last under this id."""
    erased: bool = False
    """Its values are gone."""

    @property
    def place(self) -> str:
        """Unique, and in the order in which the changes of one id were made."""
        return f"{self.customer_id}:{self.version:012d}:{int(self.kind == 'absorbed')}"


def field_changes(before: Contact | None, after: Contact, names: Iterable[str], told: Known) -> tuple[FieldChange, ...]:
    """What is different in the named fields; before: None for somebody new. `told`: whom it was said of, with its times."""
    found: list[FieldChange] = []
    for name in names:
        old = _plain(getattr(before, name)) if before else None
        found += _differences(name, old, _plain(getattr(after, name)), told.said)
    if before and before.registered_at != after.registered_at:
        found.append(FieldChange("registered_at", before.registered_at, after.registered_at))
    return tuple(found)


def _differences(name: str, old: Any, new: Any, said: Mapping[str, datetime]) -> Iterator[FieldChange]:
    if name in LISTED:
        old, new = old or [], new or []
        yield FieldChange(name, [one for one in old if one not in new], [one for one in new if one not in old])
    elif name in MAPS:
        old, new = old or {}, new or {}
        for code in sorted({*old, *new}):
            before, after = old.get(code), new.get(code)
            # To Python 1, 1.0 and true are the same; the outside world tells them apart.
            if (type(before), before) != (type(after), after):
                place = f"{name}.{code}"
                yield FieldChange(place, before, after, said.get(place))
    else:
        yield FieldChange(name, old, new, said.get(name))


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value


class Then(NamedTuple):
    """The answer for a moment: the record, or who answered for this id then."""

    contact: Contact | None
    into: str | None = None


class Rewinding:
    """Goes back from what is published under an id now (None: another answers for it) to what was known at a moment."""

    def __init__(self, published: Contact | None, moment: datetime) -> None:
        self.moment = moment
        self.state = _state(published) if published else None
        self.newest = published.version if published else None

    def back(self, change: Change) -> Then | None:
        """Take one change back, the latest first; the answer once it is reached. Raises NotKnownThen, HistoryErased."""
        if self.newest is not None and change.version > self.newest:
            return None  # has come since today's record was read
        if change.recorded_at <= self.moment:
            return Then(None, change.into) if change.kind == "absorbed" else self._reached()
        if change.kind == "registered":
            raise NotKnownThen(change.customer_id)
        if change.erased:
            raise HistoryErased(change.customer_id)
        if change.kind == "absorbed":
            self.state = _state(change.whole) if change.whole else None
        elif change.kind == "freed":
            self.state = None
        elif self.state is not None:
            self.state = _undone(self.state, change)
        return None

    def at_the_beginning(self, customer: str, into: str | None) -> Then:
        """The answer where no change is left: records of before there was a history have none. `into`: as `Then`."""
        if self.state is None and into is not None:
            return Then(None, into)
        if self.state is None or self.state["changed_at"] > self.moment:
            raise NotKnownThen(customer)
        return self._reached()

    def _reached(self) -> Then:
        if self.state is None:
            raise NotKnownThen
        return Then(Contact.model_validate(self.state))


def _state(contact: Contact) -> dict[str, Any]:
    """All fields, also those that are left out where they are empty."""
    return {name: _plain(value) for name, value in contact}


def _undone(state: Mapping[str, Any], change: Change) -> dict[str, Any]:
    earlier = {**state, "version": change.version - 1, "changed_at": change.was_at}
    for field, before, after, _ in change.fields:
        name, _, code = field.partition(".")
        if name in LISTED:
            left = [one for one in earlier[name] if one not in after]
            earlier[name] = _ordered(name, [*left, *before])
        elif name in MAPS:
            kept = {key: value for key, value in earlier[name].items() if key != code}
            earlier[name] = dict(sorted((kept if before is None else {**kept, code: before}).items()))
        else:
            earlier[name] = before
    return earlier


def _ordered(name: str, entries: list[Any]) -> list[Any]:
    match name:
        case "identifiers":
            return sorted(entries, key=lambda one: f"{one['scheme']}:{one['value']}")
        case "consents":
            return sorted(entries, key=lambda one: (one["purpose"], one["channel"]))
        case "absorbed":
            return sorted(entries)
        case "do_not_contact":
            return sorted(entries, key=lambda one: (one["channel"], one["source"], one["reason"], one["since"]))
        case "links":
            return sorted(entries, key=lambda one: (one["kind"], one["to"]))
        case "roles":
            return sorted(entries, key=lambda one: one["role"])
    # The rule that orders them takes them as what they are.
    return [one.model_dump() for one in merged(READ[name].validate_python(entries), [])]


def shown(change: Change, members: Collection[str]) -> Change:
    """A change as it is shown of a customer and all whom they are found to be now.

    Who was one with somebody else for a while has changes that hold the other's data. Of those only what was said of us is
    shown, and not what was there before.
    """
    if {change.customer_id, *change.among} <= set(members):
        return change
    ours = change.kind == "changed" and change.of in members
    return replace(
        change, fields=tuple(_ours(one, change) if ours else _veiled(one) for one in change.fields), whole=None
    )


def _veiled(one: FieldChange) -> FieldChange:
    return one._replace(before=None, after=None)


def _ours(one: FieldChange, change: Change) -> FieldChange:
    """What the statement itself has said: what followed from it, as the next best number, may be the other's."""
    if one.field in POINTS:
        return one._replace(before=None, after=[new for new in one.after if new["said_at"] == change.said_at])
    if one.field == "consents":
        return one._replace(before=None, after=[new for new in one.after if new["source"] == change.author.source])
    if one.field == "identifiers" or (one.said_at is not None and one.said_at == change.said_at):
        return one._replace(before=None)
    return _veiled(one)
