"""What of a contact is compared with others: values in the fields of its kind of party, keys to find it by.

A contact may have several numbers and addresses; beside another it is seen with those that the two have in common.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from services.contacts.domain.matching.blocking import keys, number_of
from services.contacts.domain.matching.headers import KIND_OF_PART, KIND_OF_WHOLE, plain
from services.contacts.domain.matching.kinds import Kind
from services.contacts.domain.matching.table import Field
from services.contacts.domain.matching.values import identifier
from services.contacts.domain.values import address as addresses, names
from shared.contracts.channels import Address
from shared.contracts.contacts import Contact

PLACE = (Kind.STREET, Kind.NUMBER, Kind.POSTCODE, Kind.CITY)
REACHED = (*PLACE, Kind.PHONE, Kind.EMAIL, Kind.IDENTIFIER)
NAMED: Mapping[str, tuple[Kind, ...]] = {
    "person": (Kind.GIVEN, Kind.MIDDLE, Kind.FAMILY, Kind.SUFFIX, Kind.BIRTH),
    "organisation": (Kind.ORGANISATION,),
    "household": (Kind.NAME,),
}
FIELDS: Mapping[str, tuple[Field, ...]] = {
    party: tuple(Field(kind.value, kind) for kind in (*kinds, *REACHED)) for party, kinds in NAMED.items()
}
"""By party: people, organisations and households are never held against each other."""
GENERATIONS = frozenset({"jr", "sr", "junior", "senior", "ii", "iii", "iv"})
"""Of all suffixes, those that tell son and father apart: a doctorate is no other person."""
MOST_KEYS = 150
"""Of one contact. One with a name, an address, a number and an e-mail address has about 25."""
MOST_PLACES = 5
NUMBER_LAST = re.compile(r"^(?P<street>.*?[^\W\d].*?)[\s,]+(?P<number>\d+\s?[a-zA-Z]?(?:[-/]\d+\s?[a-zA-Z]?)?)$")
NUMBER_FIRST = re.compile(r"^(?P<number>\d+[a-zA-Z]?(?:[-/]\d+[a-zA-Z]?)?)[\s,]+(?P<street>.*[^\W\d].*)$")

Place = tuple[str, str, str, str]
"""Street, house number, postcode, city, in canonical form."""


@dataclass(frozen=True)
class Record:
    """`values` as the fields of the party, canonical, the preferred of each; the lists hold all there are, those too."""

    party: str
    values: tuple[str, ...]
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    """Each behind the plain name of its attribute: `passport x123`."""
    places: tuple[Place, ...] = ()

    @property
    def fields(self) -> tuple[Field, ...]:
        return FIELDS[self.party]

    @property
    def empty(self) -> bool:
        """Nothing to compare: nobody can be told from, or held for, anybody else."""
        return not any(self.values)

    @cached_property
    def plain(self) -> bool:
        """No number, no e-mail address and no address but the preferred one of each."""
        return len(self.phones) < 2 and len(self.emails) < 2 and len(self.places) < 2

    @cached_property
    def keys(self) -> list[int]:
        """At most MOST_KEYS, those of the preferred values first; each is of this party only."""
        seen = [self.values, *(with_said(self.fields, self.values, PLACE, place) for place in self.places)]
        for kind, several in (
            (Kind.PHONE, self.phones),
            (Kind.EMAIL, self.emails),
            (Kind.IDENTIFIER, self.identifiers),
        ):
            seen += [self._alone(kind, value) for value in several]
        found = dict.fromkeys(key for values in dict.fromkeys(seen) for key in sorted(keys(self.fields, values)))
        of_party = number_of(self.party)
        return [key ^ of_party for key in list(found)[:MOST_KEYS]]

    @cached_property
    def whole(self) -> int:
        """The key of those who are alike in everything."""
        return number_of("|".join((self.party, *self.values)))

    def _alone(self, kind: Kind, value: str) -> tuple[str, ...]:
        return tuple(value if one.kind is kind else "" for one in self.fields)


def with_said(
    fields: Sequence[Field], held: Sequence[str], kinds: Sequence[Kind], said: Sequence[str]
) -> tuple[str, ...]:
    """The values held, but of these kinds those said."""
    instead = dict(zip(kinds, said, strict=True))
    return tuple(instead.get(one.kind, value) for one, value in zip(fields, held, strict=True))


def beside(one: Record, other: Record) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The values of two records of one party to be compared: of several numbers those that they share, else the preferred."""
    left, right = one.values, other.values
    if one.plain and other.plain and not (one.identifiers and other.identifiers):
        return left, right
    chosen = (
        ((Kind.PHONE,), _shared(one.phones, other.phones)),
        ((Kind.EMAIL,), _shared(one.emails, other.emails)),
        ((Kind.IDENTIFIER,), _identifiers(one.identifiers, other.identifiers)),
        (PLACE, _nearest(one.places, other.places)),
    )
    for kinds, pair in chosen:
        if pair is not None:
            left, right = (
                with_said(one.fields, held, kinds, said) for held, said in zip((left, right), pair, strict=True)
            )
    return left, right


Pair = tuple[Sequence[str], Sequence[str]]


def _shared(one: Sequence[str], other: Sequence[str]) -> Pair | None:
    both = next((value for value in one if value in other), None)
    return None if both is None else ((both,), (both,))


def _identifiers(one: Sequence[str], other: Sequence[str]) -> Pair | None:
    """Passport beside passport; a passport and a tax number say nothing of each other."""
    if not (one and other):
        return None
    if same := _shared(one, other):
        return same
    named = {value.partition(" ")[0]: value for value in reversed(other)}
    for value in one:
        if (theirs := named.get(value.partition(" ")[0])) is not None:
            return (value,), (theirs,)
    return ("",), ("",)


def _nearest(one: Sequence[Place], other: Sequence[Place]) -> Pair | None:
    """The two addresses that have most in common, the preferred ones if no others have more."""
    if (len(one) < 2 and len(other) < 2) or not (one and other):
        return None
    return max(((a, b) for a in one for b in other), key=lambda pair: _alike(*pair))


def _alike(one: Place, other: Place) -> int:
    return sum(bool(a) and a == b for a, b in zip(one, other, strict=True))


def record_of(contact: Contact) -> Record:
    """What is compared of a contact as it is published, so of one who was merged what all parts say."""
    fields = FIELDS[contact.party]
    phones = _canonical(Kind.PHONE, contact.phone, (one.understood or one.typed for one in contact.phones))
    emails = _canonical(Kind.EMAIL, contact.email, (one.understood or one.typed for one in contact.emails))
    places = _places(contact)
    identifiers = _numbers(contact.attributes | contact.sensitive)
    said = _names(contact)
    said |= dict(zip(PLACE, places[0], strict=True)) if places else {}
    said |= {Kind.PHONE: _first(phones), Kind.EMAIL: _first(emails), Kind.IDENTIFIER: _first(identifiers)}
    values = tuple(said.get(one.kind, "") for one in fields)
    return Record(contact.party, values, phones, emails, identifiers, places)


def _first(values: Sequence[str]) -> str:
    return values[0] if values else ""


def _canonical(kind: Kind, preferred: str | None, others: Iterable[str]) -> tuple[str, ...]:
    read = Field(kind.value, kind).value
    return tuple(dict.fromkeys(value for text in (preferred or "", *others) if (value := read(text))))


def _names(contact: Contact) -> dict[Kind, str]:
    """By kind, canonical. A person's name in parts as said, else as understood."""
    if contact.party != "person":
        kind = NAMED[contact.party][0]
        return {kind: Field(kind.value, kind).value(contact.name or "")}
    parts = contact.name_parts or (names.person(contact.name) if contact.name else None)
    if parts is None:
        return {}
    family = " ".join(part for part in (parts.particles, parts.family) if part)
    texts = {Kind.GIVEN: parts.given, Kind.MIDDLE: parts.middle, Kind.FAMILY: family, Kind.SUFFIX: parts.suffix}
    said = {kind: Field(kind.value, kind).value(text or "") for kind, text in texts.items()}
    if said[Kind.SUFFIX] not in GENERATIONS:
        said[Kind.SUFFIX] = ""
    return said | {Kind.BIRTH: _born(contact.attributes | contact.sensitive)}


def _born(attributes: Mapping[str, Any]) -> str:
    """The date of birth, if an attribute is called so: `birthdate`, `date-of-birth`, `geburtsdatum`."""
    read = Field(Kind.BIRTH.value, Kind.BIRTH).value
    said = (read(str(value)) for code, value in sorted(attributes.items()) if _called(code) is Kind.BIRTH)
    return next((value for value in said if value), "")


def _numbers(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Passports, tax numbers and the like, each with what it is: attributes that are called exactly so, with a figure in them."""
    found = []
    for code, value in sorted(attributes.items()):
        if _called(code) is not Kind.IDENTIFIER or isinstance(value, bool):
            continue
        number = identifier(str(value))
        if any(map(str.isdigit, number)):
            found.append(f"{plain(code)} {number}")
    return tuple(found)


def _called(code: str) -> Kind | None:
    # Whole names only: `leisure` begins with `lei`, which numbers firms.
    name = plain(code)
    return KIND_OF_WHOLE.get(name) or KIND_OF_PART.get(name)


def _places(contact: Contact) -> tuple[Place, ...]:
    typed = [contact.address, *(one.understood or one.typed for one in contact.addresses)]
    found = dict.fromkeys(place for one in typed if one and any(place := _place(one)))
    return tuple(found)[:MOST_PLACES]


def _place(typed: Address) -> Place:
    understood = addresses.understand(typed).understood or typed
    street, number = _street(understood.lines)
    texts = zip(PLACE, (street, number, understood.postal_code, understood.city), strict=True)
    street, number, code, city = (Field(kind.value, kind).value(text or "") for kind, text in texts)
    return street, number, code, city


def _street(lines: Sequence[str]) -> tuple[str, str]:
    """Street and house number: of the first line that has both, in either order; else the first line."""
    for line in lines:
        if found := NUMBER_LAST.match(line.strip()) or NUMBER_FIRST.match(line.strip()):
            return found["street"], found["number"]
    return (lines[0] if lines else ""), ""
