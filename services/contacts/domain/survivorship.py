"""Which of many reports about a customer holds: for each field the latest said, or what the field's rule says (`ruling`).

Folding is commutative and idempotent: any order and repetition of the same statements ends in the same contact.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.contacts.domain import lifecycle, links, roles
from services.contacts.domain.consents import MAX_CONSENTS, TooManyConsents, answers, consent, stricter
from services.contacts.domain.following import UNKNOWN_STAGE, at_stage, course_of, faulty, stage_said
from services.contacts.domain.hearsay import only_a_lead
from services.contacts.domain.identities import distinct
from services.contacts.domain.known import Fault, Known, Statement, Teller
from services.contacts.domain.points import LISTS, choose, merged, points, understood
from services.contacts.domain.ruling import RULED_FIELDS as FIELDS, Rules
from services.contacts.domain.standing import MAX_ATTRIBUTES, Standing
from shared.contracts.channels import ContactReported
from shared.contracts.contacts import Contact
from shared.contracts.fact import Identifier
from shared.contracts.parties import PartyLink
from shared.moments import to_the_millisecond as milliseconds

__all__ = [
    "FIELDS", "MAPS", "MAX_ATTRIBUTES", "MAX_CONSENTS", "MAX_IDENTIFIERS", "NO_RULES", "PUBLISHED", "Known", "Statement",
    "TooManyConsents", "after_all_said", "as_said", "consent", "differences", "fold", "heard", "milliseconds", "newcomer", "revise",
    "settled", "statement", "stricter",
]  # fmt: skip

NO_RULES: Rules = {}
MAPS = ("attributes", "interests", "preferences", "sensitive")
"""Fields with a field for each of their keys, each with a time of its own: `attributes.shoe-size`."""
PUBLISHED = (
    "party", "stage", *FIELDS[1:], *MAPS, *LISTS, "identifiers", "consents", "absorbed", "lifecycle", "links", "roles",
    "do_not_contact",
)  # fmt: skip
MAX_IDENTIFIERS = 200


def statement(
    report: ContactReported,
    source: str,
    *,
    said_at: datetime | None = None,
    given: Collection[str] | None = None,
    identifiers: Iterable[Identifier] | None = None,
    linked: Iterable[PartyLink] = (),
    by: str | None = None,
) -> Statement:
    """A report as a statement. `given` names the fields that speak even if they are null; else null says nothing.

    `linked`: what it says of links of the customer itself. `by`: the name of the key, where the source is one.
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
        by=by,
    )


def after_all_said(parts: Iterable[Known], now: datetime) -> datetime:
    """When a person speaks now: later than all that was said, also by channels whose clocks run ahead of ours."""
    latest = max((at for known in parts for at in _times(known)), default=None)
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


def _times(known: Known) -> Iterable[datetime]:
    yield from known.said.values()
    for others in known.also.values():
        yield from (one.at for one in others)


def fold(known: Known, told: Statement, country: str | None = None, rules: Rules = NO_RULES) -> Known:
    """The contact after a statement. Its version stays; see `revise`.

    `country` (ISO 3166): where telephone numbers of customers without an address are taken to be of.
    """
    return settled(heard(as_said(known), told, rules), country)


def as_said(known: Known) -> Known:
    """Without what we have chosen."""
    if not known.chosen:
        return known
    contact = known.contact.model_copy(update=dict.fromkeys(known.chosen))
    return replace(known, contact=contact, chosen=frozenset())


def heard(known: Known, told: Statement, rules: Rules = NO_RULES) -> Known:
    """What has been said of a contact after a statement; to be `settled` after the last of them."""
    contact, standing = known.contact, Standing(known, rules)
    at, teller = told.said_at, Teller(told.source, told.by)
    update: dict[str, Any] = {
        name: standing.hear(name, getattr(contact, name), at, teller, value) for name, value in told.fields.items()
    }
    for name in MAPS:
        if entries := getattr(told, name):
            update[name] = standing.hear_entries(name, getattr(contact, name), at, teller, entries)
    for name, listed in told.points.items():
        update[name] = merged(getattr(contact, name), listed)
    if told.identifiers:
        update["identifiers"] = _identifiers(contact.identifiers, told.identifiers)
    if told.consents:
        update["consents"] = answers(contact.consents, told.consents)
    if told.links:
        update["links"] = links.merged(contact.links, told.links)
    if told.roles:
        update["roles"] = roles.merged(contact.roles, told.roles)
    contact, course, said = contact.model_copy(update=update) if update else contact, known.course, standing.said
    if told.marks:
        course = lifecycle.heard(course_of(known), told.marks)
        contact, said = at_stage(contact, course), dict(stage_said(said, course))
    known = replace(known, contact=contact, said=said, course=course, tellers=standing.tellers, also=standing.also)
    if not told.misfits:
        return known
    return faulty(known, {name: Fault(told.said_at, reason) for name, reason in told.misfits.items()})


def settled(known: Known, country: str | None, *, leads: bool | None = None) -> Known:
    """With what follows from all that was said: it depends on nothing else, so it is the same in any order.

    `leads`: of several who are one, whether nobody but forms knows any of them.
    """
    contact = known.contact
    if not (contact.phones or contact.emails or contact.addresses or contact.name_parts):
        return known
    contact = understood(contact, country)
    chosen = choose(contact, known.said, lead=only_a_lead(contact) if leads is None else leads)
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


def _differs(before: Any, after: Any) -> bool:
    """`==` holds 1, 1.0 and true for the same; the outside world does not."""
    return before != after or (isinstance(before, dict) and _types(before) != _types(after))


def _types(attributes: Mapping[str, Any]) -> list[type]:
    return [type(attributes[code]) for code in sorted(attributes)]


def _identifiers(held: list[Identifier], told: Iterable[Identifier]) -> list[Identifier]:
    """Sorted, so that their order says nothing. A full contact takes no more; see `MAX_IDENTIFIERS`."""
    have = {str(one) for one in held}
    new = [one for one in told if str(one) not in have][: max(0, MAX_IDENTIFIERS - len(held))]
    return sorted([*held, *new], key=str) if new else held
