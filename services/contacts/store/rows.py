"""Documents of the database, and what they are in the service: each reads back as what was written."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from pymongo import UpdateOne

from services.contacts.domain import traits
from services.contacts.domain.digest import digest
from services.contacts.domain.expiry import next_turn
from services.contacts.domain.following import first_course
from services.contacts.domain.identities import Conflict
from services.contacts.domain.known import Candidate, Fault, Teller
from services.contacts.domain.lifecycle import Course, Mark
from services.contacts.domain.merging import Merge
from services.contacts.domain.places import ALONE, Place
from services.contacts.domain.survivorship import Known
from services.contacts.domain.values import words
from services.contacts.domain.values.initials import initials
from shared.contracts.channels import Address, NameParts
from shared.contracts.contacts import Consent, Contact

_2020 = 1_577_836_800_000
"""In milliseconds since 1970."""


def contact_row(known: Known) -> dict[str, Any]:
    row = known.contact.model_dump()
    row |= {"said": dict(known.said), "chosen": sorted(known.chosen)} | keys_row(known)
    row |= _said_by(known)
    if turn := next_turn(known):
        row["lapses"] = turn
    if known.course:
        row["course"] = [mark._asdict() for mark in known.course]
    if known.faults:
        row["faults"] = {name: fault._asdict() for name, fault in known.faults.items()}
    if known.place != ALONE:
        golden = known.place.golden
        row["place"] = vars(known.place) | {
            "golden": golden and golden.model_dump(),
            "members": list(known.place.members),
        }
    return {"_id": row.pop("customer_id"), **row}


def keys_row(known: Known) -> dict[str, Any]:
    """All that a contact is found by."""
    found_by, has = search_keys(known), traits.keys(known)
    told = {"digest": digest(has), "initials": initials(found_by)}
    return {"found_by": found_by, "number": number_of(known.contact.customer_id), "traits": has, **told}


def number_of(customer: str) -> int:
    """A number that grows with the time of a UUIDv7 and fits MongoDB's integers: 42 bits of milliseconds since 2020, 21 of the end.

    Ids of one moment are counted on at their end, so that others hardly ever have the same one.
    """
    digits = customer.replace("-", "")
    return (int(digits[:12], 16) - _2020 & (1 << 42) - 1) << 21 | int(digits[-6:], 16) & (1 << 21) - 1


def search_keys(known: Known) -> list[str]:
    """What a contact is found by: its name, and what stands before the @ of its e-mail. None if it is a part of another."""
    if known.place.root:
        return []
    contact = known.published
    return words.keys(contact.name, contact.email.partition("@")[0] if contact.email else None)


def read_known(row: dict[str, Any]) -> Known:
    said, chosen, place = row.pop("said"), frozenset(row.pop("chosen", ())), row.pop("place", None)
    course = read_course(row.pop("course", ()))
    faults = {name: Fault(**fault) for name, fault in row.pop("faults", {}).items()}
    tellers, also = _tellers(row.pop("told_by", ())), _also(row.pop("also", ()))
    contact = Contact.model_validate({"customer_id": row.pop("_id"), **row})
    return Known(contact, said, chosen, _place(place) if place else ALONE, course, faults, tellers, also)


PARTS: Mapping[str, type[Address | NameParts]] = {"address": Address, "name_parts": NameParts}
"""Fields whose values are no plain ones."""


def _said_by(known: Known) -> dict[str, Any]:
    """By whoever has spoken, as there are few of them: which fields; and what else was said of them, if anything was."""
    fields: dict[Teller, list[str]] = {}
    for place, teller in known.tellers.items():
        fields.setdefault(teller, []).append(place)
    row: dict[str, Any] = {"told_by": [[*teller, places] for teller, places in fields.items()]} if fields else {}
    if known.also:
        row["also"] = [_also_said(place, one) for place, others in known.also.items() for one in others]
    return row


def _also_said(place: str, one: Candidate) -> dict[str, Any]:
    value = one.value.model_dump() if place in PARTS and one.value is not None else one.value
    return {"of": place, "at": one.at, **one.teller._asdict(), "value": value}


def _tellers(rows: Iterable[tuple[str, str | None, list[str]]]) -> dict[str, Teller]:
    return {place: teller for source, by, places in rows for teller in [Teller(source, by)] for place in places}


def _also(rows: Iterable[dict[str, Any]]) -> dict[str, tuple[Candidate, ...]]:
    also: dict[str, tuple[Candidate, ...]] = {}
    for row in rows:
        place, value = row["of"], row["value"]
        if place in PARTS and value is not None:
            value = PARTS[place].model_validate(value)
        also[place] = (*also.get(place, ()), Candidate(row["at"], Teller(row["source"], row["by"]), value))
    return also


def read_course(marks: Iterable[dict[str, Any]]) -> Course:
    return tuple(Mark(**mark) for mark in marks)


def read_stages(row: Mapping[str, Any]) -> Course:
    """The course of a row, of which nothing else needs to have been read."""
    return read_course(row.get("course", ())) or first_course(row["stage"], row.get("said", {}).get("stage"))


def _place(row: dict[str, Any]) -> Place:
    golden = row.pop("golden")
    return Place(**row | {"members": tuple(row["members"])}, golden=Contact.model_validate(golden) if golden else None)


def merge_row(merge: Merge) -> dict[str, Any]:
    row = dict(vars(merge))
    return {"_id": row.pop("merge_id"), **row, "customers": [merge.survivor, merge.absorbed]}


def read_merge(row: dict[str, Any]) -> Merge:
    del row["customers"]
    return Merge(merge_id=row.pop("_id"), **row)


def identity_rows(identities: Mapping[str, str], now: datetime) -> list[dict[str, Any]]:
    return [{"_id": name, "customer_id": customer, "since": now} for name, customer in identities.items()]


def consent_row(customer: str, consent: Consent, now: datetime) -> dict[str, Any]:
    said = consent.model_dump_json()
    place = sha256(f"{customer} {said}".encode()).hexdigest()
    return {"_id": place, "customer_id": customer, **consent.model_dump(), "recorded_at": now}


def conflict_row(conflict: Conflict, now: datetime) -> dict[str, Any]:
    pair = sorted((conflict.kept, conflict.other))
    return {"_id": "|".join(pair), "customers": pair, "identifiers": list(conflict.identifiers), "seen_at": now}


def once(row: dict[str, Any]) -> UpdateOne:
    """Keep the first of equal rows."""
    place = row.pop("_id")
    return UpdateOne({"_id": place}, {"$setOnInsert": row}, upsert=True)
