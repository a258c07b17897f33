"""May we, for this purpose, on this channel, now? The one rule by which contacts, campaigns and sync answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from shared.contracts.contacts import Consent

ANY = "any"
Answer = Literal["granted", "denied", "withdrawn", "expired"]
STRICTNESS = {"granted": 0, "withdrawn": 1, "denied": 2}


class Barring(Protocol):
    """As much of a `DoNotContact` as the rule reads, in whatever form it is kept."""

    @property
    def channel(self) -> str: ...

    @property
    def since(self) -> datetime: ...

    @property
    def until(self) -> datetime | None: ...


Entry = TypeVar("Entry", bound=Barring)


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer in force for one purpose on one channel, and the consent that says it."""

    answer: Answer
    consent: Consent

    @property
    def grants(self) -> bool:
        return self.answer == "granted"


def standing(consents: Iterable[Consent], purpose: str, channel: str, at: datetime) -> Standing | None:
    """What a customer's consents say; None if they were never asked for this purpose.

    On one channel both its own answer and the one for `any` channel speak, and the later counts; of two given at once the
    refusal does. So a withdrawal on all channels ends every earlier permission, and a later permission for one channel
    opens that channel again.
    """
    speaking = [one for one in consents if one.purpose == purpose and one.channel in {channel, ANY}]
    if not speaking:
        return None
    latest = max(speaking, key=lambda one: (one.given_at, STRICTNESS[one.status], one.channel))
    return Standing(answer(latest, at), latest)


def answer(consent: Consent, at: datetime) -> Answer:
    """What a consent says by itself at a moment: a grant that has run out is expired, whether that has been told or not."""
    if consent.expired or (
        consent.status == "granted" and consent.valid_until is not None and consent.valid_until <= at
    ):
        return "expired"
    return consent.status


def barred(entries: Iterable[Entry], channel: str, at: datetime) -> Entry | None:
    """Why nobody may approach the customer on this channel at this moment; None if nothing forbids it."""
    forbidding = (
        one
        for one in entries
        if one.channel in {channel, ANY} and one.since <= at and (one.until is None or at < one.until)
    )
    return next(forbidding, None)
