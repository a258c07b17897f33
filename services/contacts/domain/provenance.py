"""Where each field of a contact is from: who said it, when, and what others have said of it. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from services.contacts.domain.known import UNKNOWN, Candidate, Known, Teller
from shared.contracts.contacts import Contact

CHOSEN_FROM = {"phone": "phones", "email": "emails", "address": "addresses", "name": "name_parts"}


class Origin(NamedTuple):
    """Of one field. `also`: what else was said, by whom, as far as the field's rule may come back to it."""

    field: str
    teller: Teller
    said_at: datetime
    chosen_from: str | None = None
    """The list, or the parts of a name, that it was taken from because nobody has said it itself."""
    also: tuple[Candidate, ...] = ()


def origins(known: Known) -> list[Origin]:
    """Of all single fields that somebody has spoken of, also of those that were removed. Entries of lists say it themselves."""
    said = [
        Origin(place, known.tellers.get(place, UNKNOWN), at, also=known.also.get(place, ()))
        for place, at in known.said.items()
        if place != "stage" and place not in known.chosen
    ]
    return sorted([*said, *_chosen(known)], key=lambda one: one.field)


def _chosen(known: Known) -> Iterable[Origin]:
    for field in known.chosen:
        source = CHOSEN_FROM[field]
        if source == "name_parts":
            teller, at = known.tellers.get(source, UNKNOWN), known.said.get(source)
        else:
            teller, at = _point(known.contact, field, source)
        if at is not None:
            yield Origin(field, teller, at, source, known.also.get(field, ()))


def _point(contact: Contact, field: str, listed: str) -> tuple[Teller, datetime | None]:
    """The latest said stand first."""
    value = getattr(contact, field)
    found = next((one for one in getattr(contact, listed) if one.understood == value), None)
    return (Teller(found.source), found.said_at) if found else (UNKNOWN, None)
