"""What customers see and say of themselves in the preference centre, and by confirming. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from services.contacts.domain.survivorship import milliseconds
from shared.consent import ANY, answer, standing
from shared.contracts.channels import ConsentClaim
from shared.contracts.contacts import Consent, Contact

SOURCE = "preference-centre"
ONE_CLICK = "one-click unsubscribe"
Wish: TypeAlias = Literal["granted", "withdrawn"]
REFUSED = ("denied", "withdrawn")
Place: TypeAlias = tuple[str, str]
"""A purpose and a channel."""


class NotOffered(ValueError):
    """The customer was not asked about it: a link lets nobody say whatever they like."""

    def __init__(self, field_name: str) -> None:
        super().__init__(field_name)
        self.field = field_name


@dataclass(frozen=True, slots=True)
class Choice:
    """What may be chosen, and how it stands: `not-asked` if nobody has said anything."""

    purpose: str
    channel: str
    status: str
    wording: str | None = None
    since: datetime | None = None
    valid_until: datetime | None = None
    refused: bool = False
    """Of this very channel, whatever was said of every channel since."""

    @property
    def place(self) -> Place:
        return self.purpose, self.channel


@dataclass(frozen=True)
class Preferences:
    """What the preference centre shows."""

    choices: Sequence[Choice]
    interests: Mapping[str, bool]
    language: str | None
    about: Place | None = None


@dataclass(frozen=True)
class Wishes:
    """What the customer says."""

    consents: Mapping[Place, Wish] = field(default_factory=dict)
    interests: Mapping[str, bool] = field(default_factory=dict)
    language: str | None = None


def preferences(contact: Contact, hidden: Collection[str], about: Place | None, now: datetime) -> Preferences:
    """`hidden`: interests that a link, which may be passed on, must not show."""
    choices = [_choice(contact, one, now) for one in contact.consents]
    if about is not None and about not in {one.place for one in choices}:
        found = standing(contact.consents, *about, now)
        choices.append(Choice(*about, found.answer if found else "not-asked"))
    interests = {code: value for code, value in contact.interests.items() if code not in hidden}
    return Preferences(sorted(choices, key=lambda one: one.place), interests, contact.language, about)


def _choice(contact: Contact, own: Consent, now: datetime) -> Choice:
    """As it stands: what was said of every channel since speaks of this one too."""
    found = standing(contact.consents, own.purpose, own.channel, now)
    assert found, "its own answer speaks of it"
    held = found.consent
    refused = answer(own, now) in REFUSED
    return Choice(own.purpose, own.channel, found.answer, held.wording, held.given_at, held.valid_until, refused)


def news(offered: Preferences, wishes: Wishes) -> Wishes:
    """What of it is different from how it stands. Raises NotOffered."""
    stands = {one.place: one.status for one in offered.choices}
    for place in wishes.consents:
        if place not in stands:
            raise NotOffered(f"consents.{'.'.join(place)}")
    for code in wishes.interests:
        if code not in offered.interests:
            raise NotOffered(f"interests.{code}")
    consents = {place: wish for place, wish in wishes.consents.items() if _turns(stands[place], wish)}
    consents |= dict.fromkeys(_still_refused(offered, wishes, consents), "withdrawn")
    interests = {code: wish for code, wish in wishes.interests.items() if offered.interests[code] is not wish}
    language = wishes.language if wishes.language != offered.language else None
    return Wishes(consents, interests, language)


def _turns(status: str, wish: Wish) -> bool:
    """Whoever says no where there is no yes has said so before; except of what they were never asked."""
    return status != "granted" if wish == "granted" else status in {"granted", "not-asked"}


def _still_refused(offered: Preferences, wishes: Wishes, consents: Mapping[Place, Wish]) -> list[Place]:
    """Where a yes on every channel, which would be the later word, must not stand for a no."""
    opened = {purpose for (purpose, channel), wish in consents.items() if channel == ANY and wish == "granted"}
    single = [one for one in offered.choices if one.purpose in opened and one.channel != ANY]
    wished = wishes.consents
    return [one.place for one in single if wished.get(one.place, "withdrawn" if one.refused else None) == "withdrawn"]


def unsubscribed(offered: Preferences) -> Wishes:
    """What one click says: no to what the link is about; if it is about nothing, to all that was granted."""
    granted = [one.place for one in offered.choices if one.status == "granted"]
    if offered.about is None:
        return Wishes(dict.fromkeys(granted, "withdrawn"))
    purpose, channel = offered.about
    ended = [place for place in granted if channel == ANY and place[0] == purpose]
    return Wishes(dict.fromkeys([offered.about, *ended], "withdrawn"))


def claims(contact: Contact, wishes: Wishes, evidence: str, at: datetime) -> list[ConsentClaim]:
    """The wishes about consents, to a text that stands there already."""
    wordings = {(one.purpose, one.channel): one.wording for one in contact.consents}
    return [
        ConsentClaim(
            purpose=purpose,
            channel=channel,
            status=wish,
            given_at=at,
            evidence=evidence,
            wording=wordings.get((purpose, channel)) if wish == "granted" else None,
        )
        for (purpose, channel), wish in wishes.consents.items()
    ]


def spoken_last(contact: Contact, places: Collection[Place], now: datetime) -> datetime:
    """When a customer speaks now: later than all that channels, whose clocks may run ahead of ours, say that they said of it."""
    of_them = [one.given_at for one in contact.consents if any(_speaks(one, *place) for place in places)]
    latest = max(of_them, default=None)
    now = milliseconds(now)
    return now if latest is None else max(now, latest + timedelta(milliseconds=1))


def _speaks(one: Consent, purpose: str, channel: str) -> bool:
    return one.purpose == purpose and (ANY in {one.channel, channel} or one.channel == channel)
