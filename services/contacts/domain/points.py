"""How a customer can be reached: the numbers and addresses of a contact, each with purpose and validity.

Each is a statement of its own, keyed by its purpose and what was typed; of one key the latest said holds. What we
understand of them, and which one is preferred, is worked out of all that is held, never folded.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from services.contacts.domain.hearsay import usable, vouched
from services.contacts.domain.values import address, email, phone
from services.contacts.domain.values.names import MAX_TYPED as MAX_NAME
from services.contacts.domain.values.value import Value
from shared.contracts.channels import Address, AddressClaim, Claim, ContactReported, EmailClaim, NameParts, PhoneClaim
from shared.contracts.contacts import Contact, Email, Phone, Point, PostalAddress
from shared.moments import to_the_millisecond

Points: TypeAlias = Mapping[str, list[Point]]
"""By the name of the field that holds them."""

LISTS = ("phones", "emails", "addresses")
MAX_POINTS = 10
"""Of each kind; the longest unsaid give way. Nobody has so many at a time, and a contact must fit a log record."""
JUDGEMENT = {"understood", "verdict", "reason", "suggestion"}
ONE_TASK = frozenset({"billing", "delivery"})
"""Purposes of an address or number that is for one task: preferred only where there is no other."""
RANK = {"valid": 2, "plausible": 1, "doubtful": 0}
SEPARATORS = re.compile(r"[^\w+]+")


def points(report: ContactReported, source: str, at: datetime) -> Points:
    """What a report says of how to reach the customer; kinds that it says nothing of are absent."""
    if not (report.phones or report.emails or report.addresses):
        return {}
    spoken: dict[str, list[Point]] = {
        "phones": [_phone(claim, source, at) for claim in report.phones],
        "emails": [_email(claim, source, at) for claim in report.emails],
        "addresses": [_postal(claim, source, at) for claim in report.addresses],
    }
    return {name: told for name, told in spoken.items() if told}


def _when(claim: Claim, source: str, at: datetime) -> dict[str, Any]:
    return {
        "purpose": claim.purpose,
        "valid_from": _milliseconds(claim.valid_from),
        "valid_until": _milliseconds(claim.valid_until),
        "source": source,
        "said_at": _milliseconds(claim.said_at) or at,
    }


def _milliseconds(moment: datetime | None) -> datetime | None:
    return moment and to_the_millisecond(moment)


def _phone(claim: PhoneClaim, source: str, at: datetime) -> Phone:
    said = _when(claim, source, at)
    value = phone.understand(claim.typed, claim.country)
    return Phone(typed=claim.typed, country=claim.country, **_judged(value), **said)


def _email(claim: EmailClaim, source: str, at: datetime) -> Email:
    value = email.understand(claim.typed)
    return Email(typed=claim.typed, suggestion=value.suggestion, **_judged(value), **_when(claim, source, at))


def _postal(claim: AddressClaim, source: str, at: datetime) -> PostalAddress:
    value = address.understand(claim.typed)
    return PostalAddress(typed=claim.typed, **_judged(value), **_when(claim, source, at))


def _judged(value: Value | address.AddressValue) -> dict[str, Any]:
    return {"understood": value.understood, "verdict": value.verdict, "reason": value.reason}


def merged(held: Iterable[Point], told: Iterable[Point]) -> list[Point]:
    """All of them, of each key the latest said, the latest said first; what forms have said behind what others have."""
    latest: dict[tuple[str, str], Point] = {}
    for one in (*held, *told):
        place = _key(one)
        if place not in latest or _order(one) > _order(latest[place]):
            latest[place] = one
    newest = sorted(latest, key=lambda place: (*_order(latest[place])[:2], place), reverse=True)
    return [latest[place] for place in newest[:MAX_POINTS]]


def _key(point: Point) -> tuple[str, str]:
    """Of the statement alone. What the rest of the record teaches about it may come later, and must not move it."""
    match point:
        case Phone():
            of_itself = phone.understand(point.typed, point.country).understood
            return point.purpose, of_itself or SEPARATORS.sub("", point.typed)
        case Email():
            return point.purpose, email.understand(point.typed).understood or point.typed.strip().casefold()
        case PostalAddress():
            return point.purpose, address.folded(address.understand(point.typed).understood or point.typed)
    raise TypeError(type(point))


def _order(point: Point) -> tuple[bool, datetime, str]:
    """Later wins; of two said in the same millisecond the greater text, so that arrival does not decide. A form yields."""
    return vouched(point.source), point.said_at, point.model_dump_json(exclude=JUDGEMENT)


def understood(contact: Contact, country: str | None) -> Contact:
    """With the numbers that do not say their country understood by the record's, else by `country`."""
    places = [
        one.model_copy(update=_judged(address.understand(one.typed, country))) if one.typed.country is None else one
        for one in contact.addresses
    ]
    where = _country(contact.address, places) or country
    numbers = [
        one.model_copy(update=_judged(phone.understand(one.typed, where, assumed=True))) if one.country is None else one
        for one in contact.phones
    ]
    return contact.model_copy(update={"addresses": places, "phones": numbers})


def _country(said: Address | None, places: Iterable[PostalAddress]) -> str | None:
    if said and said.country:
        return said.country
    return next((one.understood.country for one in places if one.understood and one.understood.country), None)


def choose(contact: Contact, said: Mapping[str, datetime], *, lead: bool) -> dict[str, Any]:
    """The preferred ones of those that nobody has named, by the names of their fields. `lead`: nobody but forms knows the contact.

    What was removed stays so until something is said later than its removal.
    """
    points: dict[str, list[Any]] = {
        name: [one for one in getattr(contact, name) if usable(one, lead=lead)] for name in LISTS
    }
    found = {
        "address": _preferred(points["addresses"], said.get("address")),
        "phone": _preferred(points["phones"], said.get("phone")),
        "email": _preferred(points["emails"], said.get("email")),
        "name": _joined(contact.name_parts) if _later(said.get("name_parts"), said.get("name")) else None,
    }
    return {name: value for name, value in found.items() if value is not None and getattr(contact, name) is None}


def _later(at: datetime | None, removed_at: datetime | None) -> bool:
    return removed_at is None or (at is not None and at > removed_at)


def _preferred(held: Iterable[Phone | Email | PostalAddress], removed_at: datetime | None) -> Any:
    """The best of those that hold now and have no end: valid before doubtful, for anything before one task, then the
    latest said. An end that is known would take it away without anybody saying so.
    """
    fit = [one for one in held if _lasts(one) and _later(one.said_at, removed_at)]
    best = max(fit, key=_merit, default=None)
    return best.understood if best else None


def _lasts(one: Phone | Email | PostalAddress) -> bool:
    begun = one.valid_from is None or one.valid_from <= one.said_at
    return one.understood is not None and one.verdict in RANK and one.valid_until is None and begun


def _merit(one: Point) -> tuple[int, bool, datetime, tuple[str, str]]:
    return RANK[one.verdict], one.purpose not in ONE_TASK, one.said_at, _key(one)


def _joined(parts: NameParts | None) -> str | None:
    """A name as it is written on a letter, as long as a name may be."""
    if parts is None:
        return None
    named = (parts.title, parts.given, parts.middle, parts.particles, parts.family, parts.suffix)
    return " ".join(part for part in named if part)[:MAX_NAME] or None
