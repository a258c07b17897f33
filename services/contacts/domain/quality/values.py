"""The values of a contact: how each is understood, and what is wrong with it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple, TypeVar

from services.contacts.domain.fields import FIELD_REASONS
from services.contacts.domain.survivorship import Known
from services.contacts.domain.values import address, codes, email, names, numbers, phone
from services.contacts.domain.values.value import REASONS, Verdict
from shared.contracts.channels import NameParts
from shared.contracts.contacts import Contact, Email, Phone, PostalAddress

WORDS = (
    REASONS
    | FIELD_REASONS
    | {
        "missing": "is not known",
        "old": "has not been said again for more than three years",
        "shared": "identifies another contact",
        "phone-elsewhere": "is of another country than the address",
        "number-elsewhere": "is of another country than the address",
    }
)


class Judged(NamedTuple):
    """A value of the record. `understood` is text, also of an address."""

    field: str
    typed: str
    understood: str | None
    verdict: Verdict
    reason: str
    country: str | None = None
    suggestion: str | None = None
    source: str | None = None
    said_at: datetime | None = None
    name_parts: NameParts | None = None
    code: str | None = None
    """Of a number: the scheme, or the attribute, that it is of."""

    @property
    def words(self) -> str:
        return WORDS[self.reason]


def judged(known: Known, now: datetime, country: str | None = None) -> Iterator[Judged]:
    """Every value of the record that holds and that there are rules for. What was chosen from a list is judged there."""
    contact = known.contact
    for field in ("name", "email", "phone", "address", "language", "time_zone"):
        # A name that was put together of its parts is in no list.
        if getattr(contact, field) is not None and (field == "name" or field not in known.chosen):
            yield _single(contact, field, known.said.get(field), country)
    yield from map(_listed, holding(contact.phones, now))
    yield from map(_listed, holding(contact.emails, now))
    yield from map(_listed, holding(contact.addresses, now))
    where = contact.address.country if contact.address else country
    for scheme, number in numbers_of(contact):
        value = numbers.understand(numbers.SCHEMES[scheme], number, where)
        yield Judged("number", number, value.understood, value.verdict, value.reason, value.country, code=scheme)


P = TypeVar("P", Phone, Email, PostalAddress)


def holding(held: Iterable[P], now: datetime) -> Iterator[P]:
    """Without those that are over: nobody has to mend them any more."""
    return (one for one in held if one.valid_until is None or one.valid_until > now)


def _single(contact: Contact, field: str, said_at: datetime | None, country: str | None) -> Judged:
    typed = getattr(contact, field)
    match field:
        case "name":
            name = names.person(typed) if contact.party == "person" else names.organisation(typed)
            parts = _parts(name) if contact.party == "person" and name.understood else None
            return Judged(field, typed, name.understood, name.verdict, name.reason, said_at=said_at, name_parts=parts)
        case "address":
            place = address.understand(typed, country)
            lines = ", ".join(address.formatted(place.understood or typed))
            text = ", ".join(address.formatted(typed))
            return Judged(field, text, lines, place.verdict, place.reason, place.country, said_at=said_at)
        case "email":
            value = email.understand(typed)
        case "phone":
            value = phone.understand(typed)
        case "language":
            value = codes.language(typed)
        case _:
            value = codes.time_zone(typed)
    return Judged(
        field, typed, value.understood, value.verdict, value.reason, value.country, value.suggestion, said_at=said_at
    )


def _parts(name: names.NameValue) -> NameParts:
    return NameParts.model_construct(
        title=name.title,
        given=name.given,
        middle=name.middle,
        particles=name.particles,
        family=name.family,
        suffix=name.suffix,
    )


def _listed(one: Phone | Email | PostalAddress) -> Judged:
    if isinstance(one, PostalAddress):
        where = one.understood.country if one.understood else None
        typed, text = (", ".join(address.formatted(it)) if it else None for it in (one.typed, one.understood))
        return Judged("addresses", typed or "", text, one.verdict, one.reason, where, None, one.source, one.said_at)
    if isinstance(one, Email):
        return Judged(
            "emails", one.typed, one.understood, one.verdict, one.reason, None, one.suggestion, one.source, one.said_at
        )
    where = phone.understand(one.understood).country if one.understood else None
    return Judged("phones", one.typed, one.understood, one.verdict, one.reason, where, None, one.source, one.said_at)


def numbers_of(contact: Contact) -> Iterator[tuple[str, str]]:
    for identifier in contact.identifiers:
        if identifier.scheme in numbers.SCHEMES:
            yield identifier.scheme, identifier.value
    for code, value in contact.attributes.items():
        if code in numbers.SCHEMES and isinstance(value, str):
            yield code, value
