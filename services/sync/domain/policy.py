"""What a channel may see of a customer: the fields its policy names, as far as the customer's consent goes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import orjson
from pydantic import BaseModel

from services.sync.domain.sensitive import Sensitive
from shared.consent import ANY, STRICTNESS
from shared.contracts.sync import CustomerView

Basis = Literal["contract", "legitimate-interest", "consent"]
"""Why the channel may process personal data at all (GDPR, article 6)."""
Tree = dict[str, "Tree | None"]
"""The named fields as nested keys; None ends a path and takes all that lies below."""
EVERYTHING = "*"


@dataclass(frozen=True)
class Policy:
    """One version of what a channel receives and why."""

    version: int
    purpose: str
    basis: Basis
    fields: tuple[str, ...]
    consent_channel: str
    approach: bool = False
    """It is there to approach customers: whoever must not be approached on its `consent_channel` is kept back from it."""

    def allows(self, contact: Mapping[str, Any] | None, at: datetime) -> bool:
        """Whether the channel may have more than the bare id at this moment."""
        if self.approach and is_barred(contact, self.consent_channel, at):
            return False
        if self.basis == "contract":
            return True
        answer = standing_answer(contact, self.purpose, self.consent_channel, at)
        # Whoever objects to a legitimate interest is heard as well (article 21). A grant that has run out objects to nothing.
        return answer == "granted" if self.basis == "consent" else answer not in {"denied", "withdrawn"}


@dataclass(frozen=True, slots=True)
class Allowed:
    """The part of a view that a channel may see, as JSON, and the fields that the customer keeps back."""

    customer: bytes
    withheld: tuple[str, ...] = ()


def standing_answer(contact: Mapping[str, Any] | None, purpose: str, channel: str, at: datetime) -> str | None:
    """`shared.consent.standing` of a contact that is JSON: models of all that is delivered would cost ten times as much."""
    speaking = [
        one
        for one in (contact or {}).get("consents", ())
        if one["purpose"] == purpose and one["channel"] in {channel, ANY}
    ]
    if not speaking:
        return None
    latest = speaking[0] if len(speaking) == 1 else max(speaking, key=_lateness)
    return _answer(latest, at)


def _lateness(consent: Mapping[str, Any]) -> tuple[datetime, int, str]:
    return datetime.fromisoformat(consent["given_at"]), STRICTNESS[consent["status"]], consent["channel"]


def _answer(consent: Mapping[str, Any], at: datetime) -> str:
    status: str = consent["status"]
    until = consent.get("valid_until") if status == "granted" else None
    ended = until is not None and datetime.fromisoformat(until) <= at
    return "expired" if ended or consent.get("expired") else status


def is_barred(contact: Mapping[str, Any] | None, channel: str, at: datetime) -> bool:
    """`shared.consent.barred` of a contact that is JSON."""
    return any(_in_force(entry, at) for entry in entries_for(contact, channel))


def entries_for(contact: Mapping[str, Any] | None, channel: str) -> list[Mapping[str, Any]]:
    """What forbids approaches on this channel, at whatever time."""
    entries = (contact or {}).get("do_not_contact", ())
    return [one for one in entries if one["channel"] in {channel, ANY}]


def _in_force(entry: Mapping[str, Any], at: datetime) -> bool:
    until = entry.get("until")
    return datetime.fromisoformat(entry["since"]) <= at and (until is None or at < datetime.fromisoformat(until))


def allowed(policy: Policy, view: bytes, at: datetime, sensitive: Sensitive) -> Allowed:
    """Cut a view, given as JSON, down to what the policy allows at this moment.

    It is read in any case: to look for what is sensitive among its bytes costs more.
    """
    document = orjson.loads(view)
    if not policy.allows(document.get("contact"), at):
        return Allowed(b"{}", policy.fields)
    kept_back = sensitive.keep_back(document, policy.fields)
    if EVERYTHING in policy.fields:
        return Allowed(orjson.dumps(document) if kept_back else view)
    return Allowed(orjson.dumps(cut(document, tree(policy.fields))))


def cut(value: Any, fields: Tree | None) -> Any:
    """The named fields of a document; of a list, the named fields of each element."""
    if fields is None or value is None:
        return value
    if isinstance(value, list):
        return [cut(element, fields) for element in value]
    return {name: cut(value[name], below) for name, below in fields.items() if name in value}


@cache
def tree(fields: tuple[str, ...]) -> Tree:
    """Paths as a tree; a path that takes a whole part swallows the paths into that part."""
    root: Tree = {}
    for path in sorted(fields, key=lambda path: len(steps(path)), reverse=True):
        *parents, last = steps(path)
        place = root
        for step in parents:
            below = place.setdefault(step, {})
            assert below is not None, "longer paths come first"
            place = below
        place[last] = None
    return root


def steps(path: str) -> list[str]:
    """The keys on a path. The names of attributes may hold dots themselves."""
    table = next((table for table in tables() if path.startswith(f"{table}.")), None)
    return path.split(".") if table is None else [*table.split("."), path.removeprefix(f"{table}.")]


def known_field(path: str) -> str:
    """The path, if it names something in a customer view. Raises ValueError."""
    in_table = any(path.startswith(f"{table}.") and len(path) > len(table) + 1 for table in tables())
    if path != EVERYTHING and path not in known_paths() and not in_table:
        raise ValueError(f"a customer view has no field {path!r}")
    return path


@cache
def known_paths() -> dict[str, bool]:
    """Every path into a customer view -> whether it is a table of free keys."""
    return dict(paths(CustomerView, ""))


@cache
def tables() -> tuple[str, ...]:
    return tuple(path for path, free in known_paths().items() if free)


def paths(model: type[BaseModel], prefix: str) -> Iterable[tuple[str, bool]]:
    for name, field in model.model_fields.items():
        kinds = list(plain_types(field.annotation))
        yield f"{prefix}{name}", dict in kinds
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from paths(kind, f"{prefix}{name}.")


def plain_types(annotation: Any) -> Iterable[Any]:
    """The types inside Annotated, Optional and list."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from plain_types(get_args(annotation)[0])
    elif origin in {Union, UnionType, list}:
        for inner in get_args(annotation):
            yield from plain_types(inner)
    else:
        yield origin or annotation
