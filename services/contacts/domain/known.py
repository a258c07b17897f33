"""What is known of a customer, and what is said of one. The rules that bring the two together are in `survivorship`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from services.contacts.domain.lifecycle import Course, Mark
from services.contacts.domain.places import ALONE, Place
from services.contacts.domain.points import Points
from shared.contracts.contacts import Consent, Contact
from shared.contracts.fact import Identifier
from shared.contracts.parties import PartyLink, Role


class Teller(NamedTuple):
    """Who says something: a channel, a form, an import, or a key with its name."""

    source: str = ""
    by: str | None = None


UNKNOWN = Teller()
"""Of what was said before it was kept who says something, and of what follows from other data."""


class Candidate(NamedTuple):
    """What was said of one field; None: that there is nothing, or nothing any more."""

    at: datetime
    teller: Teller
    value: Any


@dataclass(frozen=True)
class Statement:
    """What a source says about a customer, as of a time. A field that is None is removed; attributes likewise."""

    source: str
    said_at: datetime
    identifiers: list[Identifier] = field(default_factory=list)
    fields: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    consents: list[Consent] = field(default_factory=list)
    interests: Mapping[str, Any] = field(default_factory=dict)
    preferences: Mapping[str, Any] = field(default_factory=dict)
    points: Points = field(default_factory=dict)
    links: Iterable[PartyLink] = ()
    roles: Iterable[Role] = ()
    marks: Iterable[Mark] = ()
    """Of the life cycle."""
    sensitive: Mapping[str, Any] = field(default_factory=dict)
    misfits: Mapping[str, str] = field(default_factory=dict)
    """Attributes that were kept out because they are not what their fields were defined to be, with the reason."""
    by: str | None = None
    """The name of the key, where the source is one."""


class Fault(NamedTuple):
    """A value was kept out: why, in a word, and when it was said."""

    at: datetime
    reason: str


@dataclass(frozen=True)
class Known:
    """A contact, when and by whom each of its fields was said, and who else this customer was found to be.

    Fields that nobody has spoken of have no time. The contact's version is that of what is published under its id.
    `chosen` names the fields that nobody has said, or that were removed, and that we took from the lists.
    """

    contact: Contact
    said: Mapping[str, datetime]
    chosen: frozenset[str] = frozenset()
    place: Place = ALONE
    course: Course = ()
    """What was heard of the life cycle; `stage` and `lifecycle` follow from it."""
    faults: Mapping[str, Fault] = field(default_factory=dict)
    """Attributes that were kept out, by name, as of when."""
    tellers: Mapping[str, Teller] = field(default_factory=dict)
    """Who said what holds of each field, as far as that was kept."""
    also: Mapping[str, tuple[Candidate, ...]] = field(default_factory=dict)
    """What else was said of fields whose rule may come back to it; see `ruling`. Empty, as long as the newest holds."""

    @property
    def published(self) -> Contact:
        """Of a root, what all its members make together."""
        return self.place.golden or self.contact
