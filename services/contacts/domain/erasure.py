"""An erasure: why and for whom, which places have something of the customer, and which of them are empty. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from services.contacts.domain.barring import CHANNELS, addresses
from services.contacts.domain.hearsay import LEAD
from shared.contracts.contacts import Contact, ContactErased
from shared.contracts.erasures import CHANNEL, LOG, ErasureAwaited, ErasureDone, Kept

Ground = Literal["not-needed", "consent-withdrawn", "objection", "unlawful", "legal-obligation", "child"]
"""GDPR, article 17 (1), a to f. A word and no text, so that nothing personal is kept with the proof."""
Asker = Literal["customer", "representative", "company", "authority"]
SERVICES = ("contacts", "interactions", "campaigns", "scoring", "sync")
PLACES = (*SERVICES, LOG)
"""Those of every erasure; channels come as sync finds them."""


@dataclass(frozen=True)
class PlaceState:
    """What is known of one place. Open until it says that nothing is left."""

    place: str
    since: datetime
    at: datetime | None = None
    removed: Mapping[str, int] = field(default_factory=dict)
    kept: Sequence[Kept] = ()


@dataclass(frozen=True)
class Erasure:
    """One request to be forgotten. Of the customer only ids, which lead nowhere any more."""

    erasure_id: str
    customers: tuple[str, ...]
    ground: Ground
    asked_by: Asker
    reference: str | None
    taken_by: str
    """The key that it came by."""
    requested_at: datetime
    deadline: datetime
    places: tuple[PlaceState, ...] = ()
    leads: tuple[str, ...] = ()
    """Who is left, and has an address or number of the erased by the word of a form. Whether they are the same is for people to say."""

    @property
    def fact(self) -> ContactErased:
        """As it is told, under each of the ids."""
        return ContactErased(
            erasure_id=self.erasure_id,
            customers=list(self.customers),
            requested_at=self.requested_at,
            deadline=self.deadline,
        )

    @property
    def open_places(self) -> list[str]:
        return [one.place for one in self.places if one.at is None]

    @property
    def done_at(self) -> datetime | None:
        """When the last place was done; None while one is open."""
        ends = [one.at for one in self.places]
        return None if None in ends else max((at for at in ends if at), default=None)

    @property
    def told_until(self) -> datetime | None:
        """When the last service has stopped telling of the customer, so that the log may be looked through; None: not yet."""
        ends = [one.at for one in self.places if one.place in SERVICES]
        return None if None in ends else max((at for at in ends if at), default=None)


def begun(erasure: Erasure) -> Erasure:
    """With the places that every erasure has."""
    return replace(erasure, places=tuple(PlaceState(place, erasure.requested_at) for place in PLACES))


def awaited(erasure: Erasure, fact: ErasureAwaited) -> Erasure:
    """One more place. Of one that is known already nothing changes."""
    if fact.place in {one.place for one in erasure.places}:
        return erasure
    return replace(erasure, places=(*erasure.places, PlaceState(fact.place, fact.since)))


def receipted(erasure: Erasure, fact: ErasureDone) -> Erasure:
    """A place is done; its first receipt holds. One that nobody awaited is put down as well."""
    told = PlaceState(fact.place, fact.at, fact.at, dict(fact.removed), tuple(fact.kept))
    known = [one.place for one in erasure.places]
    if fact.place not in known:
        return replace(erasure, places=(*erasure.places, told))
    places = [
        replace(told, since=one.since) if one.place == fact.place and one.at is None else one for one in erasure.places
    ]
    return replace(erasure, places=tuple(places))


@dataclass(frozen=True)
class Patience:
    """How long a place may stay open before somebody has to look."""

    place: timedelta = timedelta(days=3)
    log: timedelta = timedelta(days=23)
    """The log forgets by itself, two weeks and some days after the last service (`deploy/local/topics.py`)."""
    before_deadline: timedelta = timedelta(days=3)


def late_places(erasure: Erasure, now: datetime, patience: Patience) -> list[str]:
    """Those that somebody has to look after: open for too long, or so near to the deadline."""
    # Of a short term a quarter, else the alarm would be there from the beginning.
    term = erasure.deadline - erasure.requested_at
    near = now >= erasure.deadline - min(patience.before_deadline, term / 4)
    return [
        one.place for one in erasure.places if one.at is None and (near or now - one.since >= _allowed(one, patience))
    ]


def _allowed(state: PlaceState, patience: Patience) -> timedelta:
    return patience.log if state.place == LOG else patience.place


def is_channel(place: str) -> bool:
    return place.startswith(CHANNEL)


@dataclass(frozen=True)
class Traces:
    """How a customer may be named where nobody knows their id: in events that were refused."""

    identifiers: frozenset[str]
    """`scheme:value`."""
    texts: frozenset[str]
    """E-mail addresses and telephone numbers, as typed and as understood."""


def traces_of(contacts: Iterable[Contact]) -> Traces:
    """Of all who are one. Names and addresses are many people's, so they are no trace."""
    identifiers: set[str] = set()
    texts: set[str | None] = set()
    for contact in contacts:
        identifiers |= {str(one) for one in contact.identifiers}
        texts |= {contact.email, contact.phone}
        texts |= {text for one in contact.emails for text in (one.typed, one.understood)}
        texts |= {text for one in contact.phones for text in (one.typed, one.understood)}
    return Traces(frozenset(identifiers), frozenset(text for text in texts if text))


def reached_by(contacts: Iterable[Contact]) -> frozenset[str]:
    """What leads would have of the erased: e-mail and telephone, now and before, and how a lead of theirs would be known."""
    found: set[str] = set()
    for contact in contacts:
        found |= addresses(contact) | {str(one) for one in contact.identifiers if one.scheme in CHANNELS}
    told = (one.partition(":") for one in found)
    return frozenset(found | {f"{LEAD}:{value}" for scheme, _, value in told if scheme in CHANNELS})


def summary(erasures: Iterable[tuple[Erasure, Sequence[str]]]) -> dict[str, Any]:
    """Of open erasures and their late places: how many are open, and late, by kind of place (all channels are one)."""
    waiting: dict[str, int] = {}
    late: dict[str, int] = {}
    for erasure, late_ones in erasures:
        for counts, places in ((waiting, erasure.open_places), (late, late_ones)):
            for kind in {"channel" if is_channel(place) else place for place in places}:
                counts[kind] = counts.get(kind, 0) + 1
    return {"open": waiting, "late": late}
