"""Which of many reports about a customer holds: for each field the latest said, whatever the order of arrival.

Folding is commutative and idempotent: any order and repetition of the same statements ends in the same contact.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from services.contacts.domain import lifecycle, links, roles
from services.contacts.domain.consents import MAX_CONSENTS, TooManyConsents, consent, standing, stricter
from services.contacts.domain.following import UNKNOWN_STAGE, at_stage, course_of, faulty, stage_said
from services.contacts.domain.identities import distinct
from services.contacts.domain.known import Fault, Known, Statement, milliseconds
from services.contacts.domain.points import LISTS, choose, merged, points, understood
from shared.contracts.channels import ContactReported
from shared.contracts.contacts import Contact
from shared.contracts.fact import Identifier
from shared.contracts.parties import PartyLink

__all__ = [
    "FIELDS", "MAPS", "MAX_ATTRIBUTES", "MAX_CONSENTS", "MAX_IDENTIFIERS", "PUBLISHED", "Known", "Statement",
    "TooManyConsents", "after_all_said", "as_said", "consent", "differences", "fold", "heard", "milliseconds", "moved", "newcomer",
    "revise", "settled", "statement", "stricter",
]  # fmt: skip

FIELDS = (
    "party", "name", "email", "phone", "language", "address", "name_parts", "time_zone", "owner", "territory",
)  # fmt: skip
MAPS = ("attributes", "interests", "preferences", "sensitive")
"""Fields with a field for each of their keys, each with a time of its own: `attributes.shoe-size`."""
PUBLISHED = (
    "party", "stage", *FIELDS[1:], *MAPS, *LISTS, "identifiers", "consents", "absorbed", "lifecycle", "links", "roles",
    "do_not_contact",
)  # fmt: skip
# A contact must fit a database document and a log record, whatever channels send in the course of years.
MAX_ATTRIBUTES = 50
"""As many interests, and as many preferences."""
MAX_IDENTIFIERS = 200


def statement(
    report: ContactReported,
    source: str,
    *,
    said_at: datetime | None = None,
    given: Collection[str] | None = None,
    identifiers: Iterable[Identifier] | None = None,
    linked: Iterable[PartyLink] = (),
) -> Statement:
    """A report as a statement. `given` names the fields that speak even if they are null; else null says nothing.

    `linked`: what it says of links of the customer itself.
    """
    values = {name: getattr(report, name) for name in FIELDS}
    speaking = given if given is not None else {name for name, value in values.items() if value is not None}
    at = milliseconds(said_at or report.reported_at)
    return Statement(
        source=source,
        said_at=at,
        identifiers=distinct(report.customer if identifiers is None else identifiers),
        fields={name: value for name, value in values.items() if name in speaking},
        attributes=report.attributes,
        consents=[consent(claim, source) for claim in report.consents],
        interests=report.interests,
        preferences=report.preferences,
        points=points(report, source, at),
        links=linked,
        roles=roles.roles(report.roles, source, at) if report.roles else (),
        marks=[lifecycle.said(report.stage, at, source)] if report.stage else (),
    )


def after_all_said(parts: Iterable[Known], now: datetime) -> datetime:
    """When a person speaks now: later than all that was said, also by channels whose clocks run ahead of ours."""
    latest = max((at for known in parts for at in known.said.values()), default=None)
    return now if latest is None else max(now, latest + timedelta(milliseconds=1))


def newcomer(customer_id: str, now: datetime) -> Known:
    """A prospect of whom nothing is known yet."""
    moment = milliseconds(now)
    contact = Contact(
        customer_id=customer_id,
        version=1,
        party="person",
        stage=UNKNOWN_STAGE,
        identifiers=[],
        registered_at=moment,
        changed_at=moment,
    )
    return Known(contact, {})


def fold(known: Known, told: Statement, country: str | None = None) -> Known:
    """The contact after a statement. Its version stays; see `revise`.

    `country` (ISO 3166): where telephone numbers of customers without an address are taken to be of.
    """
    return settled(heard(as_said(known), told), country)


def as_said(known: Known) -> Known:
    """Without what we have chosen."""
    if not known.chosen:
        return known
    contact = known.contact.model_copy(update=dict.fromkeys(known.chosen))
    return replace(known, contact=contact, chosen=frozenset())


def heard(known: Known, told: Statement) -> Known:
    """What has been said of a contact after a statement; to be `settled` after the last of them."""
    contact, said = known.contact, dict(known.said)
    update: dict[str, Any] = {}
    for name, value in told.fields.items():
        if _wins(told.said_at, value, said.get(name), getattr(contact, name)):
            said[name] = told.said_at
            update[name] = value
    for name in MAPS:
        if entries := getattr(told, name):
            update[name] = _entries(name, getattr(contact, name), said, entries, told.said_at)
    for name, listed in told.points.items():
        update[name] = merged(getattr(contact, name), listed)
    if told.identifiers:
        update["identifiers"] = _identifiers(contact.identifiers, told.identifiers)
    if told.consents:
        update["consents"] = standing(contact.consents, told.consents)
    if told.links:
        update["links"] = links.merged(contact.links, told.links)
    if told.roles:
        update["roles"] = roles.merged(contact.roles, told.roles)
    contact, course = contact.model_copy(update=update) if update else contact, known.course
    if told.marks:
        course = lifecycle.heard(course_of(known), told.marks)
        contact, said = at_stage(contact, course), dict(stage_said(said, course))
    known = replace(known, contact=contact, said=said, course=course)
    if not told.misfits:
        return known
    return faulty(known, {name: Fault(told.said_at, reason) for name, reason in told.misfits.items()})


def moved(known: Known, name: str, source: str, to: str) -> Known:
    """With the value of an attribute, and when it was said, moved between `attributes` and `sensitive`; the later holds."""
    contact, said = known.contact, dict(known.said)
    old, new = dict(getattr(contact, source)), dict(getattr(contact, to))
    value, at = old.pop(name), said.pop(f"{source}.{name}")
    if _wins(at, value, said.get(f"{to}.{name}"), new.get(name)):
        said[f"{to}.{name}"], new[name] = at, value
    contact = contact.model_copy(update={source: old, to: dict(sorted(new.items()))})
    return replace(known, contact=contact, said=said)


def settled(known: Known, country: str | None) -> Known:
    """With what follows from all that was said: it depends on nothing else, so it is the same in any order."""
    contact = known.contact
    if not (contact.phones or contact.emails or contact.addresses or contact.name_parts):
        return known
    contact = understood(contact, country)
    chosen = choose(contact, known.said)
    contact = contact.model_copy(update=chosen) if chosen else contact
    return replace(known, contact=contact, chosen=frozenset(chosen))


def revise(before: Known | None, after: Known, now: datetime) -> tuple[Known, list[str]]:
    """The next version, if anything that others may see is different, and the names of the fields that are."""
    if before is None:
        return after, [name for name in PUBLISHED if getattr(after.contact, name)]
    changed = differences(before.contact, after.contact)
    if not changed:
        return after, []
    update = {"version": before.contact.version + 1, "changed_at": milliseconds(now)}
    return replace(after, contact=after.contact.model_copy(update=update)), changed


def differences(before: Contact, after: Contact) -> list[str]:
    """The fields that others see different."""
    # What no statement has touched is the very same object, and most of it is.
    old, new = before.__dict__, after.__dict__
    return [name for name in PUBLISHED if old[name] is not new[name] and _differs(old[name], new[name])]


def _wins(at: datetime, value: Any, old_at: datetime | None, old_value: Any) -> bool:
    """Later wins; of two said at the same millisecond the greater text, so that arrival does not decide."""
    if old_at is None or at != old_at:
        return old_at is None or at > old_at
    return _canonical(value) > _canonical(old_value)


def _canonical(value: Any) -> str:
    if value is None:
        return ""
    return value.model_dump_json() if isinstance(value, BaseModel) else json.dumps(value, sort_keys=True)


def _differs(before: Any, after: Any) -> bool:
    """`==` holds 1, 1.0 and true for the same; the outside world does not."""
    return before != after or (isinstance(before, dict) and _types(before) != _types(after))


def _types(attributes: Mapping[str, Any]) -> list[type]:
    return [type(attributes[code]) for code in sorted(attributes)]


def _entries(
    name: str, held: Mapping[str, Any], said: dict[str, datetime], told: Mapping[str, Any], at: datetime
) -> dict[str, Any]:
    """The entries of a map after a statement; `said` is brought up to date. Beyond the limit the longest unsaid give way."""
    prefix = f"{name}."
    entries = dict(held)
    for code, value in told.items():
        if _wins(at, value, said.get(prefix + code), entries.get(code)):
            said[prefix + code] = at
            entries[code] = value
    times = sorted((when, place) for place, when in said.items() if place.startswith(prefix))
    for _, place in times[: max(0, len(times) - MAX_ATTRIBUTES)]:
        del said[place]
        entries.pop(place.removeprefix(prefix), None)
    return {code: value for code, value in sorted(entries.items()) if value is not None}


def _identifiers(held: list[Identifier], told: Iterable[Identifier]) -> list[Identifier]:
    """Sorted, so that their order says nothing. A full contact takes no more; see `MAX_IDENTIFIERS`."""
    have = {str(one) for one in held}
    new = [one for one in told if str(one) not in have][: max(0, MAX_IDENTIFIERS - len(held))]
    return sorted([*held, *new], key=str) if new else held
